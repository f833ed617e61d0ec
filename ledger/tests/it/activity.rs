//! What happened: changes, deliveries and mails in one list, each once, latest first.

use ledger::{ActivityCursor, ActivityFilter, ActivityKind, ActivityLine, NewKey};
use metering::{AccountId, KeyMode, KeyPolicy, Status, TimeMs};

use crate::actors::{DAY, NOON, Operator, by, credits};

/// An account to which one thing of each kind happened, a second apart, beginning with the account itself.
async fn scene() -> (Operator, AccountId) {
    let operator = Operator::arrives().await;
    let account = operator.account(Status::Active).await;
    let (ledger, id) = (&operator.db.ledger, account.as_uuid());
    let second = |number: u64| NOON.plus_ms(number * 1_000);
    operator.grants(account, 100, 30).await; // at noon, too
    ledger.set_budget(account, credits(40), &by(second(1))).await.unwrap();
    let (name, mode, policy) = ("ci".to_owned(), KeyMode::Live, KeyPolicy::default());
    let new = NewKey { name, mode, expires_at: None, policy, random: [1; 32] };
    ledger.issue_key(account, &new, &by(second(2))).await.unwrap();
    let rows = [
        format!(
            "INSERT INTO stripe_deliveries (event, kind, live, created_at, body, state, account_id, received_at, next_at, applied_at) \
             VALUES ('evt_1', 'invoice.paid', false, now(), '', 'applied', '{id}', to_timestamp({0}), now(), now())",
            second(3).as_u64() / 1_000
        ),
        format!(
            "INSERT INTO mails (account_id, address, kind, detail, dedupe_key, queued_at) \
             VALUES ('{id}', 'ada@a.example', 'plan_active', '{{}}', 'evt_1:plan_active', to_timestamp({0}))",
            second(4).as_u64() / 1_000
        ),
    ];
    for row in rows {
        operator.db.execute(&row).await.unwrap();
    }
    ledger.ask_rebuild(account, &[], &by(second(5))).await.unwrap();
    (operator, account)
}

async fn all(operator: &Operator, account: Option<AccountId>, filter: &ActivityFilter) -> Vec<ActivityLine> {
    operator.db.ledger.activity(account, filter, None, 200).await.unwrap()
}

fn of(kinds: &[ActivityKind]) -> ActivityFilter {
    ActivityFilter { kinds: kinds.to_vec(), ..ActivityFilter::default() }
}

const WHATS: [&str; 7] =
    ["rebuild_asked", "mail_queued", "invoice.paid", "key_issued", "budget_set", "lot_granted", "account_created"];

fn whats(lines: &[ActivityLine]) -> Vec<&str> {
    lines.iter().map(|line| line.what.as_str()).collect()
}

#[tokio::test]
async fn everything_that_happened_to_an_account_is_there_once_latest_first() {
    let (operator, account) = scene().await;
    let lines = all(&operator, Some(account), &ActivityFilter::default()).await;
    assert_eq!(whats(&lines), WHATS);
    let kinds: Vec<_> = lines.iter().map(|line| line.kind.as_str()).collect();
    assert_eq!(kinds, ["operation", "mail", "delivery", "key", "budget", "credits", "status"]);
    let actors: Vec<_> = lines.iter().map(|line| line.actor.as_str()).collect();
    assert_eq!(actors, ["olga", "tollgate", "stripe", "olga", "olga", "olga", "olga"]);
    let budget = &lines[4];
    assert_eq!((budget.at, budget.reason.as_str()), (NOON.plus_ms(1_000), "a test"));
    assert_eq!(
        (&budget.before.as_ref().unwrap()["limit"], &budget.after.as_ref().unwrap()["limit"]),
        (&0.into(), &40.into())
    );
    assert_eq!(lines[2].subject.as_deref(), Some("evt_1"));
    assert_eq!(lines[1].after.as_ref().unwrap()["address"], "ada@a.example");
    assert!(lines.iter().all(|line| line.account == Some(account)));
}

#[tokio::test]
async fn only_what_is_asked_for_is_there_by_kind_and_by_time() {
    let (operator, account) = scene().await;
    for (index, kind) in
        [ActivityKind::Operation, ActivityKind::Mail, ActivityKind::Delivery, ActivityKind::Key].iter().enumerate()
    {
        assert_eq!(whats(&all(&operator, Some(account), &of(&[*kind])).await), [WHATS[index]]);
    }
    let two = all(&operator, Some(account), &of(&[ActivityKind::Budget, ActivityKind::Mail])).await;
    assert_eq!(whats(&two), ["mail_queued", "budget_set"]);
    assert!(all(&operator, Some(account), &of(&[ActivityKind::Session])).await.is_empty());
    let filter = ActivityFilter {
        from: Some(NOON.plus_ms(1_000)),
        until: Some(NOON.plus_ms(4_000)),
        ..ActivityFilter::default()
    };
    assert_eq!(
        whats(&all(&operator, Some(account), &filter).await),
        ["invoice.paid", "key_issued", "budget_set"],
        "half-open"
    );
}

#[tokio::test]
async fn pages_follow_each_other_also_where_all_happened_in_one_instant() {
    let (operator, account) = scene().await;
    operator.db.execute("ALTER TABLE audit DISABLE TRIGGER ALL").await.unwrap();
    operator.db.execute("ALTER TABLE mail_events DISABLE TRIGGER ALL").await.unwrap();
    for spread in [false, true] {
        if spread {
            operator.db.execute("UPDATE audit SET at = at + audit_id * interval '1 microsecond'").await.unwrap();
        } else {
            for (table, at) in [("audit", "at"), ("stripe_deliveries", "received_at"), ("mail_events", "recorded_at")] {
                operator.db.execute(&format!("UPDATE {table} SET {at} = '2026-01-15T12:00:00.000123Z'")).await.unwrap();
            }
        }
        let more = "INSERT INTO stripe_deliveries (event, kind, live, created_at, body, state, account_id, received_at, next_at, applied_at) \
                    SELECT event || $$_$$ || now(), kind, live, created_at, body, state, account_id, received_at, next_at, applied_at \
                    FROM stripe_deliveries";
        operator.db.execute(more).await.unwrap();
        for account in [Some(account), None] {
            let whole = all(&operator, account, &ActivityFilter::default()).await;
            for limit in 1..=4 {
                let (mut seen, mut after): (Vec<ActivityLine>, Option<ActivityCursor>) = (Vec::new(), None);
                loop {
                    let filter = ActivityFilter::default();
                    let page = operator.db.ledger.activity(account, &filter, after.as_ref(), limit).await.unwrap();
                    let Some(last) = page.last() else { break };
                    after = Some(last.cursor().to_string().parse().unwrap());
                    seen.extend(page);
                }
                assert_eq!(seen, whole, "pages of {limit}");
            }
        }
    }
}

#[tokio::test]
async fn an_account_s_list_has_nothing_of_others_whoever_s_cursor_it_is_read_with() {
    let (operator, account) = scene().await;
    let other = operator.account(Status::Trial).await;
    operator.db.ledger.set_status(other, Status::Active, &by(NOON.plus_ms(DAY))).await.unwrap();
    let filter = ActivityFilter::default();
    let others = all(&operator, Some(other), &filter).await;
    assert_eq!(whats(&others), ["status_set", "account_created"]);
    let page = operator.db.ledger.activity(Some(account), &filter, Some(others[0].cursor()), 200).await.unwrap();
    assert_eq!(whats(&page), WHATS);
    let everybody = all(&operator, None, &filter).await;
    assert_eq!(everybody.len(), 9);
    assert_eq!(everybody[0].account, Some(other));
    let stray = "INSERT INTO mail_events (what, at, recorded_at, message_id) VALUES ('bounced', now(), '2026-01-17', 'foreign')";
    operator.db.execute(stray).await.unwrap();
    let strays = all(&operator, None, &of(&[ActivityKind::Mail])).await;
    assert_eq!(
        (strays[0].account, strays[0].subject.as_deref()),
        (None, Some("foreign")),
        "nobody's mail is shown to operators"
    );
    assert_eq!(all(&operator, Some(account), &of(&[ActivityKind::Mail])).await.len(), 1);
    let never = ActivityFilter { from: Some(TimeMs::new(u64::MAX)), ..filter };
    assert_eq!(operator.db.ledger.activity(None, &never, None, 10).await.unwrap_err().code(), "invalid");
}
