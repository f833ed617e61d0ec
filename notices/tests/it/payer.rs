//! A book with accounts in it whose credits run low.

use ledger::mails::{EventKind, MailFilter, MailState, MailView, NoticeSettings};
use ledger::testing::{TestDatabase, database};
use ledger::{By, Grant, Ledger, NewAccount};
use metering::{AccountId, BudgetAnchor, Credits, Status, TimeMs};

use crate::program::wait_until;

const DAY_MS: u64 = 86_400_000;

pub struct House {
    pub db: TestDatabase,
}

impl House {
    pub async fn new() -> Self {
        Self { db: database().await }
    }

    #[must_use]
    pub fn book(&self) -> &Ledger {
        &self.db.ledger
    }

    pub async fn by(&self) -> By {
        By { actor: "olga".to_owned(), reason: "a test".to_owned(), at: self.now().await }
    }

    pub async fn now(&self) -> TimeMs {
        self.book().book_now().await.unwrap()
    }

    /// An account with a hundred credits.
    pub async fn account(&self, name: &str, email: Option<&str>) -> AccountId {
        let (name, email) = (name.to_owned(), email.map(str::to_owned));
        let new = NewAccount { name, email, status: Status::Active, anchor: BudgetAnchor::FIRST };
        let by = self.by().await;
        let account = self.book().create_account(&new, &by).await.unwrap();
        let grant = Grant {
            credits: Credits::new(100).unwrap(),
            product: "Team".to_owned(),
            granted_at: by.at.minus_ms(DAY_MS),
            expires_at: by.at.plus_ms(DAY_MS),
            source: None,
        };
        self.book().grant_lot(account, &grant, &by).await.unwrap();
        account
    }

    /// So many of its hundred are left; whoever looks then is told.
    pub async fn has(&self, account: AccountId, remaining: u64) {
        let id = account.as_uuid();
        self.db.execute(&format!("UPDATE lots SET remaining = {remaining} WHERE account_id = '{id}'")).await.unwrap();
        self.book().queue_low_balance_mails(&[account], self.now().await, None).await.unwrap();
    }

    /// An account that is to be told now.
    pub async fn low(&self, email: &str) -> AccountId {
        let account = self.account("Ada Ltd", Some(email)).await;
        self.has(account, 10).await;
        account
    }

    /// One mail of a kind, queued as a delivery of Stripe queues it.
    pub async fn queues(&self, account: AccountId, kind: &str, detail: &str) {
        let sql = format!(
            "INSERT INTO mails (account_id, address, kind, detail, dedupe_key, queued_at) SELECT account_id, email, '{kind}', '{detail}', \
             gen_random_uuid()::text, clock_timestamp() FROM accounts WHERE account_id = '{}'",
            account.as_uuid()
        );
        self.db.execute(&sql).await.unwrap();
    }

    pub async fn chooses(&self, account: AccountId, settings: &NoticeSettings) {
        self.book().set_notice_settings(account, settings, None, &self.by().await).await.unwrap();
    }

    /// Mails of an account, the oldest first.
    pub async fn mails(&self, account: AccountId) -> Vec<MailView> {
        let filter = MailFilter { account: Some(account), limit: 100, ..MailFilter::default() };
        let mut mails = self.book().mails(&filter).await.unwrap();
        mails.reverse();
        mails
    }

    /// Its only mail.
    pub async fn mail(&self, account: AccountId) -> MailView {
        let mut mails = self.mails(account).await;
        assert_eq!(mails.len(), 1, "{mails:?}");
        mails.remove(0)
    }

    /// Waits until its latest mail is so far, and gives it.
    pub async fn is(&self, account: AccountId, state: MailState) -> MailView {
        wait_until(&format!("its mail is {state}"), async || {
            self.mails(account).await.last().is_some_and(|mail| mail.state == state)
        })
        .await;
        self.mails(account).await.pop().unwrap()
    }

    /// The time for a hand-over is over for whoever began one.
    pub async fn lets_handovers_lapse(&self) {
        self.db.execute("UPDATE mails SET next_try_at = 'epoch' WHERE state = 'sending'").await.unwrap();
    }
}

/// What happened, in words.
pub fn story(mail: &MailView) -> Vec<String> {
    let words = mail.evidence.iter().map(|event| match &event.code {
        Some(code) => format!("{} {code}", event.what),
        None => event.what.to_string(),
    });
    words.collect()
}

/// How often something happened.
pub fn count(mail: &MailView, what: EventKind) -> usize {
    mail.evidence.iter().filter(|event| event.what == what).count()
}
