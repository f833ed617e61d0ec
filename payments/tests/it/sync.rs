//! Plans beside Stripe's prices: what is missing is said, and the book knows what can be bought.

use payments::{Unready, plan_states, sync_plans};
use serde_json::json;

use crate::desk::{Desk, by};
use crate::pretend::{Answer, Pretend, error, missing};

#[tokio::test]
async fn each_plan_is_ready_or_says_what_is_missing() {
    let desk = Desk::open().await;
    let pretend = Pretend::start(|asked| {
        let price = |id: &str, amount: u64| {
            Answer::Json(
                200,
                json!({
                    "id": id, "unit_amount": amount, "currency": "usd", "active": true, "recurring": { "interval": "month" },
                    "product": { "id": id.replace("price", "prod"), "name": "At Stripe", "active": true },
                }),
            )
        };
        match asked.path.as_str() {
            "/v1/prices/price_tollgate_starter" => price("price_tollgate_starter", 1_900),
            "/v1/prices/price_tollgate_team" => price("price_tollgate_team", 9_800),
            _ => missing(),
        }
    })
    .await;
    let states = sync_plans(desk.ledger(), Some(&pretend.stripe()), &desk.plans, &by()).await.unwrap();
    let told: Vec<_> = states.iter().map(|state| (state.plan.code.as_str(), state.unready)).collect();
    let wanted = [
        ("starter", None),
        ("team", Some(Unready::AmountDiffers)),
        ("pack", Some(Unready::PriceMissing)),
        ("scale", Some(Unready::Unpriced)),
    ];
    assert_eq!(told, wanted);
    assert!(pretend.asked().iter().all(|asked| asked.query["expand[]"] == "product"));
    let offers = desk.ledger().offers().await.unwrap();
    assert_eq!(offers.len(), 3);
    let shown: Vec<_> = plan_states(&desk.plans, &offers, true).into_iter().map(|state| state.unready).collect();
    let gone = Some(Unready::PriceMissing);
    assert_eq!(shown, [None, Some(Unready::AmountDiffers), gone, Some(Unready::Unpriced)]);
}

#[tokio::test]
async fn a_stripe_that_is_away_or_not_there_changes_nothing() {
    let desk = Desk::open().await;
    let away = Pretend::start(|_| error(503, "api_error", "later")).await;
    let refused = sync_plans(desk.ledger(), Some(&away.stripe()), &desk.plans, &by()).await.unwrap_err();
    assert_eq!(refused.code(), "stripe_unavailable");
    let refused = sync_plans(desk.ledger(), None, &desk.plans, &by()).await.unwrap_err();
    assert_eq!(refused.code(), "stripe_not_configured");
    assert_eq!(desk.ledger().offers().await.unwrap(), []);
}
