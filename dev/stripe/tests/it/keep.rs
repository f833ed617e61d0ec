//! What is kept is there again when the program is started anew.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::pretend::{Pretend, id};

#[tokio::test(flavor = "multi_thread")]
async fn what_was_bought_outlives_the_program_where_a_file_keeps_it() {
    let file = std::env::temp_dir().join(format!("pretend-stripe-{}.json", std::process::id()));
    std::fs::remove_file(&file).ok();
    let keep = ["--keep", file.to_str().unwrap()];
    let stripe = Pretend::start_with(&keep).await;
    let price =
        json!({ "product": "prod_pro", "price": "price_pro", "amount": 2_000, "currency": "eur", "interval": "month" });
    stripe.control("prices", price).await;
    let customer = stripe.customer().await;
    let session = stripe.session("subscription", "price_pro", &[("customer", &customer)]).await;
    stripe.control(&format!("sessions/{}/pay", id(&session)), json!({})).await;
    stripe.control("clock", json!({ "advance_s": 86_400 })).await;
    let bought = stripe.get(&format!("/v1/subscriptions?customer={customer}")).await;
    let ahead = stripe.get("/_pretend/clock").await["now"].as_i64().unwrap();
    let subscription = id(&bought["data"][0]);

    let started = Instant::now();
    while !std::fs::read_to_string(&file).is_ok_and(|text| text.contains(&subscription) && text.contains("86400")) {
        assert!(started.elapsed() < Duration::from_secs(10), "nothing is written");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    drop(stripe);

    let stripe = Pretend::start_with(&keep).await;
    let again = stripe.get(&format!("/v1/subscriptions?customer={customer}")).await;
    assert_eq!(again["data"], bought["data"]);
    assert!((ahead..ahead + 60).contains(&stripe.get("/_pretend/clock").await["now"].as_i64().unwrap()));
    drop(stripe);
    std::fs::remove_file(&file).unwrap();
}
