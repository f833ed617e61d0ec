//! `tollgate stripe reconcile`: each kind of difference is planted, found, and mended.

use std::collections::BTreeMap;

use ledger::stripe::{Effect, Outcome, Payment};
use serde_json::{Value, json};

use super::{PACK, buys, list, newcomer, opens, shop};
use crate::cli::operator::{Operator, Said};
use crate::stack::{Stack, by, credits, wait_until};

const DAY_MS: u64 = 86_400_000;

/// Whom each difference is planted on.
struct Planted {
    paid: String,
    granted: String,
    refunded: String,
    disputed: String,
    unpaid: String,
}

impl Planted {
    /// Three have bought what Stripe and the book agree on; then Stripe tells nothing any more, and something happens to each.
    async fn on(stack: &Stack, operator: &Operator) -> Self {
        let planted = Self {
            paid: newcomer(stack).await,
            granted: newcomer(stack).await,
            refunded: newcomer(stack).await,
            disputed: newcomer(stack).await,
            unpaid: newcomer(stack).await,
        };
        for (account, plan) in [(&planted.refunded, "pack"), (&planted.disputed, "pack"), (&planted.unpaid, "team")] {
            buys(stack, operator, account, plan).await;
        }
        let agreed = operator.asks(&["stripe", "reconcile"]);
        assert_eq!(list(&agreed, "differences").len(), 0, "{agreed:?}");

        let stripe = stack.stripe();
        stripe.order("switches", &json!({ "drop": ["*"] })).await;
        let session = opens(operator, &planted.paid, "pack");
        stripe.order(&format!("sessions/{session}/pay"), &json!({})).await;
        stack.grant_unpaid(&planted.granted).await;
        stripe.order("refunds", &json!({ "of": payment(operator, &planted.refunded)["payment"] })).await;
        stripe.order("disputes", &json!({ "of": payment(operator, &planted.disputed)["payment"] })).await;
        let subscription = payment(operator, &planted.unpaid)["subscription"].as_str().unwrap().to_owned();
        stripe.order(&format!("subscriptions/{subscription}/renew"), &json!({ "card": "failing" })).await;
        planted
    }

    fn wanted(&self) -> BTreeMap<&str, &str> {
        BTreeMap::from([
            (self.paid.as_str(), "paid_not_granted"),
            (&self.granted, "granted_not_paid"),
            (&self.refunded, "refunded_not_clawed"),
            (&self.disputed, "disputed_not_clawed"),
            (&self.unpaid, "status_differs"),
        ])
    }
}

impl Stack {
    /// The book has a payment of which Stripe knows nothing.
    async fn grant_unpaid(&self, account: &str) {
        let now = self.now().await;
        let payment = Payment {
            payment: "in_planted".to_owned(),
            payment_intent: None,
            charge: None,
            session: None,
            subscription: None,
            customer: None,
            account: Some(account.parse().unwrap()),
            plan: "pack".to_owned(),
            product: "Credit pack".to_owned(),
            credits: credits(PACK),
            prorated: false,
            amount: 2_500,
            currency: "usd".to_owned(),
            period_end: None,
            paid_at: now,
            expires_at: now.plus_ms(30 * DAY_MS),
        };
        let outcome = self.book.ledger.apply_effects(&[Effect::Paid(payment)], &by(now)).await.unwrap();
        assert!(matches!(outcome, Outcome::Applied(_)), "{outcome:?}");
    }
}

/// The one payment of an account, as the command shows it.
fn payment(operator: &Operator, account: &str) -> Value {
    let said = operator.asks(&["stripe", "payments", "list", "--account", account]);
    let payments = list(&said, "payments");
    assert_eq!(payments.len(), 1, "{said:?}");
    payments[0].clone()
}

fn kinds(said: &Said) -> BTreeMap<&str, &str> {
    let differences = list(said, "differences");
    let kinds: BTreeMap<&str, &str> = differences
        .iter()
        .map(|found| (found["account"].as_str().unwrap_or("nobody's"), found["kind"].as_str().unwrap()))
        .collect();
    assert_eq!(kinds.len(), differences.len(), "one for each account: {said:?}");
    kinds
}

#[tokio::test]
async fn each_planted_difference_is_found_and_repair_mends_it() {
    let stack = shop().await;
    let operator = Operator::selling(&stack, "");
    let planted = Planted::on(&stack, &operator).await;
    let (lots, mark) = (stack.book.number("SELECT count(*) FROM lots").await, stack.book.ledger.reconcile_mark().await);
    let found = operator.tries(&["stripe", "reconcile"]);
    assert_eq!((found.exit, kinds(&found), &found.json["left"]), (2, planted.wanted(), &json!(5)), "{found:?}");
    assert_eq!(stack.book.number("SELECT count(*) FROM lots").await, lots, "a look alone changes nothing");
    assert_eq!(stack.book.ledger.reconcile_mark().await.unwrap(), mark.unwrap(), "the next look begins no later");

    let mended = operator.asks(&["stripe", "reconcile", "--repair", "--reason", "nobody told"]);
    assert_eq!((kinds(&mended), &mended.json["left"]), (planted.wanted(), &json!(0)));
    assert!(list(&mended, "differences").iter().all(|difference| difference["mended"] == true), "{mended:?}");
    let again = operator.asks(&["stripe", "reconcile"]);
    assert_eq!(again.json["differences"], json!([]));

    stack.wait_carried().await;
    assert_eq!(payment(&operator, &planted.paid)["granted"], PACK);
    for account in [&planted.granted, &planted.refunded, &planted.disputed] {
        wait_until("it is known what was taken", async || !payment(&operator, account)["clawed_back"].is_null()).await;
        let payment = payment(&operator, account);
        let parts = ["granted", "asked_back", "clawed_back", "shortfall"].map(|part| payment[part].as_u64().unwrap());
        assert_eq!(parts, [PACK, PACK, PACK, 0], "{payment}");
    }
    let status = |account: &str| operator.asks(&["account", "show", "--account", account]).text("status");
    assert_eq!((status(&planted.paid), status(&planted.unpaid)), ("active".to_owned(), "payment_failed".to_owned()));
    let said = "SELECT count(*) FROM audit WHERE actor = 'operator' AND reason = 'nobody told'";
    assert!(stack.book.number(said).await >= 5, "each repair is in the audit, with who and why");
    stack.audit().await;
}

#[tokio::test]
async fn one_look_at_a_time_and_a_narrow_one_moves_no_mark() {
    let stack = shop().await;
    let operator = Operator::selling(&stack, "");
    let mark = async || stack.book.ledger.reconcile_mark().await.unwrap();
    operator.asks(&["stripe", "reconcile", "--since", "2030-01-01T00:00:00Z"]);
    assert_eq!(mark().await, None, "it has left out what nobody has looked at");
    operator.asks(&["stripe", "reconcile"]);
    assert!(mark().await.is_some());
    let turn = stack.book.ledger.reconcile_turn().await.unwrap();
    assert!(turn.is_some());
    operator.is_refused(&["stripe", "reconcile"], 69, "reconcile_under_way");
    drop(turn);
    wait_until("the turn is free again", async || operator.tries(&["stripe", "reconcile"]).exit == 0).await;
}
