//! When accounts were last found true: only those in which nothing differed are noted.

use ledger::{Comparison, Difference, Drift, Seen, Verified};
use metering::{AccountId, Credits, Status, TimeMs};

use crate::actors::{NOON, Operator};
use crate::compare::nothing_drawn;

fn seen(account: AccountId, seq: u64, comparison: Comparison) -> Seen {
    Seen { account, snapshot: Some(nothing_drawn(account, seq, 1)), comparison }
}

fn agrees() -> Comparison {
    Comparison::Agrees { unapplied: 0, drawable: Credits::ZERO }
}

#[tokio::test]
async fn an_account_is_noted_when_nothing_differed_and_the_later_time_stays() {
    let operator = Operator::arrives().await;
    let (ada, bob) = (operator.account(Status::Active).await, operator.account(Status::Active).await);
    let (cyd, dan) = (operator.account(Status::Active).await, operator.account(Status::Active).await);
    let book = &operator.db.ledger;
    let all = [
        seen(ada, 3, agrees()),
        seen(bob, 4, Comparison::Differs(vec![Drift::Absent])),
        seen(cyd, 5, Comparison::Unsure("a reason")),
        seen(dan, 6, agrees()),
    ];
    let of_dan = Difference::Overdraft { account: dan, credits: Credits::ZERO };
    assert_eq!(book.note_verified(&all, &[of_dan], NOON).await.unwrap(), 1);
    assert_eq!(book.verified(ada).await.unwrap(), Some(Verified { seq: 3, at: NOON }));
    for other in [bob, cyd, dan] {
        assert_eq!(book.verified(other).await.unwrap(), None);
    }
    let note = async |seq, at: TimeMs| book.note_verified(&[seen(ada, seq, agrees())], &[], at).await.unwrap();
    note(9, NOON.plus_ms(2)).await;
    note(8, NOON.plus_ms(1)).await;
    assert_eq!(book.verified(ada).await.unwrap(), Some(Verified { seq: 9, at: NOON.plus_ms(2) }));
}
