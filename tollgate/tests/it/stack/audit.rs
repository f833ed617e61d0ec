//! The audit at the end of every test: once everything has settled, book and live state are the same, credit for credit.

use std::collections::BTreeMap;
use std::process::Command;

use ledger::AccountView;
use metering::live::Snapshot;
use metering::{AccountId, Credits, LotId};
use testing::executable;

use super::guarded::redis_settings;
use super::{Stack, wait_until};

/// What must be zero in the book of any test.
const NEVER: [(&str, &str); 9] = [
    (
        "two debits of one op",
        "SELECT count(*) FROM (SELECT FROM entries WHERE kind = 'debit' GROUP BY account_id, op HAVING count(*) > 1) AS twice",
    ),
    ("second debits of one op", "SELECT count(*) FROM entries WHERE kind = 'debit_duplicate'"),
    (
        "two give-backs of one debit",
        "SELECT count(*) FROM (SELECT FROM entries WHERE kind = 'give_back' GROUP BY account_id, debit_op HAVING count(*) > 1) AS twice",
    ),
    (
        "confirmed debits that were given back",
        "SELECT count(*) FROM outcomes JOIN entries ON debit_op = outcomes.op AND kind = 'give_back' WHERE ended <> 'unconfirmed'",
    ),
    (
        "events recorded twice",
        "SELECT count(*) FROM (SELECT FROM entries WHERE sequence IS NOT NULL GROUP BY shard, incarnation, sequence HAVING count(*) > 1) AS twice",
    ),
    ("events set aside", "SELECT count(*) FROM dead_letters"),
    ("incidents", "SELECT count(*) FROM incidents WHERE kind NOT IN ('rebuild', 'book_put_back', 'tail_lost')"),
    ("overdrafts", "SELECT count(*) FROM accounts WHERE overdraft <> 0"),
    (
        "draws on a lot before its grant or after its expiry",
        "SELECT count(*) FROM entries, unnest(lot_ids) AS drawn (lot_id) JOIN lots USING (lot_id) \
         WHERE kind = 'debit' AND NOT (occurred_at >= granted_at AND occurred_at < expires_at) \
         AND lot_id::text NOT IN (SELECT trim(LEADING 'lot_' FROM subject) FROM audit WHERE action = 'lot_expiry_moved')",
    ),
];

/// What the book counts in the end.
#[derive(Debug, Clone, Copy)]
pub struct Totals {
    pub debits: usize,
    pub give_backs: usize,
}

impl Totals {
    /// Debits that were not given back.
    pub fn standing(&self) -> usize {
        self.debits - self.give_backs
    }
}

impl Stack {
    /// Waits until everything has settled, then compares. Panics with all that differs.
    pub async fn audit(&self) -> Totals {
        self.wait_settled().await;
        let odd = self.differences().await;
        assert!(odd.is_empty(), "book and live state differ:\n{}", odd.join("\n"));
        let count = async |kind| {
            let sql = format!("SELECT count(*) FROM entries WHERE kind = '{kind}'");
            usize::try_from(self.book.number(&sql).await).unwrap()
        };
        Totals { debits: count("debit").await, give_backs: count("give_back").await }
    }

    /// What should not be, each in words: by our own comparison, and by the operators' command.
    pub async fn differences(&self) -> Vec<String> {
        let accounts = self.book.ledger.accounts_after(None, 10_000).await.unwrap();
        let mut odd: Vec<String> =
            self.book.ledger.recompute(&accounts).await.unwrap().iter().map(ToString::to_string).collect();
        for (what, sql) in NEVER {
            let count = self.book.number(sql).await;
            if count != 0 {
                odd.push(format!("{count} {what}"));
            }
        }
        for account in accounts {
            let (view, snapshot) = self.both(account).await;
            odd.extend(differences(&view, &snapshot).into_iter().map(|what| format!("{account}: {what}")));
        }
        odd.extend(self.verify().await);
        odd
    }

    /// What `tollgate verify` finds; nothing when it is content. While a shard changes hands it can't be compared: then it is asked again.
    async fn verify(&self) -> Option<String> {
        let mut said = self.verify_once();
        for _ in 0..20 {
            if said.as_ref().is_none_or(|(code, _)| *code != Some(69)) {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(250)).await;
            said = self.verify_once();
        }
        said.map(|(_, text)| text)
    }

    fn verify_once(&self) -> Option<(Option<i32>, String)> {
        let settings = self.directory.path().join("verify.toml");
        std::fs::write(
            &settings,
            format!("{}postgres.url = \"{}\"\n", redis_settings(&self.redis, "tollgate"), self.book.url),
        )
        .unwrap();
        let mut command = Command::new(executable("tollgate"));
        let said = command.arg("--config").arg(&settings).arg("verify").output().unwrap();
        let text = [said.stdout, said.stderr].concat();
        let text = || format!("tollgate verify: {} {}", said.status, String::from_utf8_lossy(&text));
        (!said.status.success()).then(|| (said.status.code(), text()))
    }

    /// Nothing is owed by a gateway, nothing waits in a stream or in the outbox, no undo is open.
    async fn wait_settled(&self) {
        for gateway in self.gateways.iter().filter(|gateway| gateway.program.is_running()) {
            wait_until("the gateway owes nothing", async || {
                let text = gateway.program.metrics().await;
                let zero = |name: &str| text.contains(&format!("\ntollgate_gateway_{name} 0\n"));
                let owed = zero("restitutions_open") && zero("restitutions_dropped_total");
                let unsaid = zero("confirms_waiting") && zero("confirms_dropped_total");
                zero("requests_in_flight") && owed && unsaid
            })
            .await;
        }
        wait_until("book and live state are at the same event of every account", async || {
            let accounts = self.book.ledger.accounts_after(None, 10_000).await.unwrap();
            for account in accounts {
                if self.settled(account).await.is_none() {
                    return false;
                }
            }
            self.book.number("SELECT count(*) FROM undos WHERE state = 'open'").await == 0
                && self.book.number("SELECT count(*) FROM outbox WHERE delivered_at IS NULL").await == 0
        })
        .await;
    }

    /// Book and live state of an account at the same event.
    async fn both(&self, account: AccountId) -> (AccountView, Snapshot) {
        loop {
            // A lot may reach its expiry between the two looks.
            if let Some(both) = self.settled(account).await {
                return both;
            }
        }
    }

    async fn settled(&self, account: AccountId) -> Option<(AccountView, Snapshot)> {
        let view = self.book.ledger.account_view(account, self.now().await).await.unwrap();
        let snapshot = self.meter.snapshot(account).await.ok()??;
        (view.undelivered == 0 && view.seq == snapshot.seq && snapshot.undos == 0).then_some((view, snapshot))
    }
}

/// Where the two differ, of what must be the same at the same event.
fn differences(book: &AccountView, live: &Snapshot) -> Vec<String> {
    let mut found = Vec::new();
    let mut compare = |what: &str, book: String, live: String| {
        if book != live {
            found.push(format!("{what} is {book} in the book and {live} in live state"));
        }
    };
    compare("status", format!("{:?}", book.status), format!("{:?}", live.status));
    compare("version", book.control_version.to_string(), live.control_version.to_string());
    compare("budget", book.budget.limit.to_string(), live.budget_limit.to_string());
    let used = if live.budget_period_end >= book.budget.resets_at { live.budget_used } else { Credits::ZERO };
    compare("budget used", book.budget.used.to_string(), used.to_string());
    compare("frozen", false.to_string(), live.frozen.to_string());
    let in_book: BTreeMap<LotId, _> =
        book.lots.iter().map(|lot| (lot.lot, (lot.remaining, lot.granted_at, lot.expires_at))).collect();
    let in_live: BTreeMap<LotId, _> =
        live.lots.iter().map(|lot| (lot.lot, (lot.remaining, lot.granted_at, lot.expires_at))).collect();
    let nothing = |lot: Option<&(Credits, _, _)>| lot.is_none_or(|lot| lot.0 == Credits::ZERO);
    for lot in in_book.keys().chain(in_live.keys()) {
        let (book, live) = (in_book.get(lot), in_live.get(lot));
        // Live state forgets lots that have nothing and can't get anything back.
        if !(nothing(book) && nothing(live)) {
            compare(&lot.to_string(), format!("{book:?}"), format!("{live:?}"));
        }
    }
    if live.at < live.next_change {
        compare(
            "sum of the lots",
            format!("{:?}", live.drawable_at(live.at)),
            format!("{:?}", Some(live.cached_total)),
        );
    }
    found.dedup();
    found
}
