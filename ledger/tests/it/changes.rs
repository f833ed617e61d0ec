//! What operators change: one transaction each, told to live state, with an audit row.

use ledger::{By, Grant, LotState, NewAccount, Outgoing, Source};
use metering::{AccountId, BudgetAnchor, Change, LotId, SessionSubject, Status, TimeMs};
use uuid::Uuid;

use crate::actors::{DAY, NOON, Operator, by, credits, shard_of};

async fn changes(operator: &Operator, account: AccountId) -> Vec<(u64, Change)> {
    let rows = operator.db.ledger.pending(shard_of(account), 0, 2_000).await.unwrap();
    rows.into_iter()
        .filter(|row| row.account == account)
        .map(|row| match row.what {
            Outgoing::Change { version, change } => (version, change),
            Outgoing::Key { .. } => panic!("an accounts' shard has no keys"),
        })
        .collect()
}

#[tokio::test]
async fn an_account_begins_with_version_one() {
    let operator = Operator::arrives().await;
    let account = operator.account(Status::Trial).await;
    let told = changes(&operator, account).await;
    assert!(matches!(told[..], [(1, Change::AccountCreated { status: Status::Trial, .. })]), "{told:?}");
    let view = operator.sees(account).await;
    assert_eq!((view.status, view.control_version, view.undelivered, view.remaining.get()), (Status::Trial, 1, 1, 0));
    assert_eq!(operator.db.ledger.find_accounts("ADA", 10).await.unwrap().len(), 1, "letters' case aside");
}

#[tokio::test]
async fn each_change_takes_the_next_version_and_rows_rise_with_versions() {
    let operator = Operator::arrives().await;
    let account = operator.account(Status::Active).await;
    let lot = operator.grants(account, 10, 30).await;
    let ledger = &operator.db.ledger;
    assert_eq!(ledger.set_budget(account, credits(40), &by(NOON)).await.unwrap(), 3);
    assert_eq!(ledger.move_lot_expiry(lot, NOON.plus_ms(DAY), &by(NOON)).await.unwrap(), 4);
    assert_eq!(ledger.reduce_lot(lot, credits(3), &by(NOON)).await.unwrap(), 5);
    assert_eq!(ledger.set_status(account, Status::Suspended, &by(NOON)).await.unwrap(), 6);
    let versions: Vec<u64> = changes(&operator, account).await.iter().map(|(version, _)| *version).collect();
    assert_eq!(versions, [1, 2, 3, 4, 5, 6]);
    let control_row = operator.db.number("SELECT control_row FROM accounts").await;
    assert_eq!(control_row, operator.db.number("SELECT max(row_id) FROM outbox").await);
    assert_eq!(operator.db.number("SELECT count(*) FROM audit WHERE actor = 'olga' AND reason = 'a test'").await, 6);
    assert_eq!(
        operator.sees(account).await.lots[0].remaining.get(),
        10,
        "the book follows a reduction's event, not its row"
    );
}

#[tokio::test]
async fn a_grant_counts_in_the_book_at_once_and_is_an_entry() {
    let operator = Operator::arrives().await;
    let account = operator.account(Status::Active).await;
    operator.grants(account, 10, 30).await;
    let early = operator.grants(account, 5, 3).await;
    let view = operator.sees(account).await;
    assert_eq!(view.remaining.get(), 15);
    assert_eq!(view.lots[0].lot, early, "in burn order");
    assert_eq!(operator.entry_kinds(account).await, ["grant", "grant"]);
    operator.finds_no_difference(&[account]).await;
}

#[tokio::test]
async fn a_grant_of_nothing_or_without_a_life_is_refused_and_leaves_nothing() {
    let operator = Operator::arrives().await;
    let account = operator.account(Status::Active).await;
    for (count, days) in [(0, 30), (5, 0)] {
        assert_eq!(operator.tries_to_grant(account, count, days).await.unwrap_err().code(), "invalid");
    }
    let unknown = AccountId::from_uuid(Uuid::nil());
    assert_eq!(operator.tries_to_grant(unknown, 5, 30).await.unwrap_err().code(), "account_not_found");
    assert_eq!(operator.db.number("SELECT count(*) FROM lots").await, 0);
    assert_eq!(changes(&operator, account).await.len(), 1);
}

#[tokio::test]
async fn an_account_never_holds_more_than_can_be_counted() {
    let operator = Operator::arrives().await;
    let account = operator.account(Status::Active).await;
    operator.grants(account, metering::Credits::MAX.get() - 1, 30).await;
    assert_eq!(operator.tries_to_grant(account, 2, 30).await.unwrap_err().code(), "invalid");
    operator.grants(account, 1, 30).await;
    assert_eq!(operator.sees(account).await.remaining, metering::Credits::MAX);
}

#[tokio::test]
async fn the_lot_after_a_thousand_live_ones_is_refused() {
    let operator = Operator::arrives().await;
    let account = operator.account(Status::Active).await;
    let lots = "INSERT INTO lots (account_id, shard, product, original, remaining, granted_at, expires_at, control_version) \
                SELECT account_id, shard, 'many', 1, 1, '2026-01-01', '2027-01-01', 1 FROM accounts, generate_series(1, 999)";
    operator.db.execute(lots).await.unwrap();
    operator.grants(account, 1, 30).await;
    assert_eq!(operator.tries_to_grant(account, 1, 30).await.unwrap_err().code(), "too_many_lots");
    operator.db.execute("UPDATE lots SET remaining = 0 WHERE lot_id = (SELECT min(lot_id) FROM lots)").await.unwrap();
    operator.grants(account, 1, 30).await;
}

#[tokio::test]
async fn one_source_grants_once() {
    let operator = Operator::arrives().await;
    let account = operator.account(Status::Active).await;
    let grant = Grant {
        credits: credits(100),
        product: "Team".to_owned(),
        granted_at: NOON,
        expires_at: NOON.plus_ms(30 * DAY),
        source: Some(Source { kind: "stripe_payment".to_owned(), id: "pi_1".to_owned() }),
    };
    let lot = operator.db.ledger.grant_lot(account, &grant, &by(NOON)).await.unwrap();
    let again = operator.db.ledger.grant_lot(account, &grant, &by(NOON)).await.unwrap_err();
    assert!(matches!(again, ledger::LedgerError::AlreadyGranted { lot: first } if first == lot), "{again}");
    assert_eq!(operator.sees(account).await.remaining.get(), 100);
}

#[tokio::test]
async fn one_source_grants_once_when_two_reports_of_it_race() {
    let operator = Operator::arrives().await;
    let (one, two) = (operator.account(Status::Active).await, operator.account(Status::Active).await);
    let grant = Grant {
        credits: credits(100),
        product: "Team".to_owned(),
        granted_at: NOON,
        expires_at: NOON.plus_ms(30 * DAY),
        source: Some(Source { kind: "stripe_payment".to_owned(), id: "pi_1".to_owned() }),
    };
    let by = by(NOON);
    let (first, second) =
        tokio::join!(operator.db.ledger.grant_lot(one, &grant, &by), operator.db.ledger.grant_lot(two, &grant, &by));
    let refused = [first, second].into_iter().filter_map(Result::err).collect::<Vec<_>>();
    assert_eq!(refused.iter().map(ledger::LedgerError::code).collect::<Vec<_>>(), ["already_granted"]);
    assert_eq!(operator.db.number("SELECT count(*) FROM lots").await, 1);
}

#[tokio::test]
async fn a_budget_is_for_active_and_approved_accounts() {
    let operator = Operator::arrives().await;
    for status in Status::ALL {
        let account = operator.account(status).await;
        let answer = operator.db.ledger.set_budget(account, credits(40), &by(NOON)).await;
        match status {
            Status::Active | Status::Approved => assert_eq!(answer.unwrap(), 2),
            _ => assert_eq!(answer.unwrap_err().code(), "budget_not_eligible", "{status}"),
        }
    }
}

#[tokio::test]
async fn a_lot_can_be_ended_now_and_prolonged_again_until_it_is_swept() {
    let operator = Operator::arrives().await;
    let account = operator.account(Status::Active).await;
    let lot = operator.grants(account, 10, 30).await;
    let ledger = &operator.db.ledger;
    ledger.move_lot_expiry(lot, TimeMs::new(5), &by(NOON)).await.unwrap();
    let view = operator.sees(account).await;
    assert_eq!((view.lots[0].expires_at, view.lots[0].state), (NOON, LotState::Expired), "not before its grant");
    ledger.move_lot_expiry(lot, NOON.plus_ms(DAY), &by(NOON)).await.unwrap();
    assert_eq!(operator.sees(account).await.remaining.get(), 10);
    let unknown = LotId::new(99).unwrap();
    assert_eq!(ledger.move_lot_expiry(unknown, NOON, &by(NOON)).await.unwrap_err().code(), "lot_not_found");
    assert_eq!(ledger.reduce_lot(lot, credits(0), &by(NOON)).await.unwrap_err().code(), "invalid");
}

#[tokio::test]
async fn names_that_are_too_long_or_empty_are_refused_in_words() {
    let operator = Operator::arrives().await;
    for name in ["", &"x".repeat(201)] {
        let new = ledger::NewAccount {
            name: name.to_owned(),
            email: None,
            status: Status::Trial,
            anchor: metering::BudgetAnchor::FIRST,
        };
        let refused = operator.db.ledger.create_account(&new, &by(NOON)).await.unwrap_err();
        assert_eq!(refused.to_string(), "an account's name has 1 to 200 letters");
    }
}

#[tokio::test]
async fn a_budget_that_was_changed_meanwhile_is_not_changed_by_whoever_saw_the_old_one() {
    let operator = Operator::arrives().await;
    let account = operator.account(Status::Active).await;
    let ledger = &operator.db.ledger;
    ledger.set_budget(account, credits(40), &by(NOON)).await.unwrap();
    let late = ledger.set_budget_from(account, Some(credits(0)), credits(80), &by(NOON)).await.unwrap_err();
    assert_eq!(late.code(), "changed");
    assert_eq!(operator.sees(account).await.budget.limit, credits(40));
    ledger.set_budget_from(account, Some(credits(40)), credits(80), &by(NOON)).await.unwrap();
    assert_eq!(operator.sees(account).await.budget.limit, credits(80));
    ledger.set_status(account, Status::Pending, &by(NOON)).await.unwrap();
    let refused = ledger.set_budget_from(account, Some(credits(80)), credits(0), &by(NOON)).await.unwrap_err();
    assert_eq!(refused.code(), "budget_not_eligible");
    assert_eq!(operator.db.number("SELECT count(*) FROM audit WHERE action = 'budget_set'").await, 2);
}

#[tokio::test]
async fn whoever_a_session_can_name_can_be_named_in_the_audit() {
    let operator = Operator::arrives().await;
    let longest: SessionSubject = "x".repeat(SessionSubject::BYTES_MAX).parse().unwrap();
    assert!("x".repeat(SessionSubject::BYTES_MAX + 1).parse::<SessionSubject>().is_err());
    let changes = async |actor: String| {
        let new =
            NewAccount { name: "Ada".to_owned(), email: None, status: Status::Active, anchor: BudgetAnchor::FIRST };
        operator.db.ledger.create_account(&new, &By { actor, ..by(NOON) }).await
    };
    changes(longest.as_str().to_owned()).await.unwrap();
    let refused = changes("x".repeat(SessionSubject::BYTES_MAX + 1)).await.unwrap_err();
    assert_eq!(refused.to_string(), "the actor's name has 1 to 256 letters");
}
