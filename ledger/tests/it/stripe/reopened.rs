//! An operator's word about an account, and what follows when it is taken back.

use ledger::LedgerError;
use ledger::stripe::{Effect, Reopening, SubscriptionStatus};
use metering::Status;

use super::shop::{Shop, at};
use crate::actors::{Operator, by};

async fn says(shop: &Shop<'_>, status: Status, seconds: u64) {
    shop.operator.db.ledger.set_status(shop.account, status, &by(at(seconds))).await.unwrap();
}

async fn reopens(shop: &Shop<'_>) -> Reopening {
    let ledger = &shop.operator.db.ledger;
    let seen = ledger.reopening(shop.account).await.unwrap();
    assert_eq!(ledger.reopen(shop.account, Some(seen), &by(at(900))).await.unwrap(), seen);
    assert_eq!(shop.status().await, seen.to);
    seen
}

fn subscribed(shop: &Shop<'_>, status: SubscriptionStatus, seconds: u64) -> [Effect; 1] {
    [Effect::SubscriptionSeen(shop.subscription(status, at(seconds)))]
}

#[tokio::test]
async fn an_account_of_which_stripe_has_said_nothing_is_what_it_was_before() {
    let operator = Operator::arrives().await;
    let trial = Shop::opens(&operator, "trial", Status::Trial).await;
    says(&trial, Status::Approved, 1).await;
    says(&trial, Status::Suspended, 2).await;
    assert_eq!(reopens(&trial).await, Reopening { from: Status::Suspended, to: Status::Trial });
    let never = Shop::opens(&operator, "never", Status::Suspended).await;
    assert_eq!(reopens(&never).await.to, Status::Pending, "it never was anything else");
    let refused = operator.db.ledger.reopen(trial.account, None, &by(at(901))).await;
    assert!(matches!(refused, Err(LedgerError::Invalid(_))), "{refused:?}");
    let nothing = operator.db.ledger.reopening(trial.account).await.unwrap();
    assert_eq!(nothing, Reopening { from: Status::Trial, to: Status::Trial });
}

#[tokio::test]
async fn what_stripe_said_meanwhile_counts_when_the_word_is_taken_back() {
    let operator = Operator::arrives().await;
    let shop = Shop::opens(&operator, "shop", Status::Pending).await;
    shop.takes("evt_1", &subscribed(&shop, SubscriptionStatus::Active, 1)).await;
    assert_eq!(shop.status().await, Status::Active);
    says(&shop, Status::Approved, 200).await;
    shop.takes("evt_2", &subscribed(&shop, SubscriptionStatus::PastDue, 2)).await;
    assert_eq!(shop.status().await, Status::Approved, "an operator's word stands");
    let seen = operator.db.ledger.reopening(shop.account).await.unwrap();
    assert_eq!(seen, Reopening { from: Status::Approved, to: Status::PaymentFailed });

    // It is paid before it is reopened: what was seen is not so any more.
    shop.takes("evt_3", &subscribed(&shop, SubscriptionStatus::Active, 3)).await;
    let stale = operator.db.ledger.reopen(shop.account, Some(seen), &by(at(900))).await;
    assert!(matches!(stale, Err(LedgerError::Changed { what: "status", .. })), "{stale:?}");
    assert_eq!(shop.status().await, Status::Approved, "nothing was done");
    assert_eq!(reopens(&shop).await.to, Status::Active);
    assert_eq!(operator.db.number("SELECT count(*) FROM audit WHERE action = 'status_set' AND at >= 'epoch'").await, 3);
}
