//! Stripe held against the book: each difference is found, is mended once, and is gone the next time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use ledger::stripe::{Checkout, Effect, Payment, PaymentRef, SubscriptionReport, SubscriptionStatus};
use metering::{AccountId, Credits, Status, TimeMs};
use payments::{DifferenceKind, Reconciliation, reconcile};
use serde_json::{Value, json};

use crate::desk::{DAY_SECONDS, Desk, NOON, NOON_SECONDS, by};
use crate::pretend::{Answer, Asked, Pretend, error, list, missing};

const SINCE: TimeMs = TimeMs::new((NOON_SECONDS - DAY_SECONDS) * 1000);

/// Stripe's objects by their path; lists show all of a kind, and events of the types that were asked for.
#[derive(Clone, Default)]
struct Shelves(Arc<Mutex<BTreeMap<String, Vec<Value>>>>);

impl Shelves {
    fn put(&self, path: &str, object: Value) {
        let mut shelves = self.0.lock().unwrap();
        let kept = shelves.entry(path.to_owned()).or_default();
        kept.retain(|other| other["id"] != object["id"]);
        kept.push(object);
    }

    fn answer(&self, asked: &Asked) -> Answer {
        let shelves = self.0.lock().unwrap();
        let path = asked.path.strip_prefix("/v1").unwrap();
        if asked.query.contains_key("limit") {
            let mut kept = shelves.get(path).cloned().unwrap_or_default();
            kept.retain(|object| path != "/events" || asked.types.iter().any(|kind| object["type"] == kind.as_str()));
            return list(&kept);
        }
        let (kind, id) = path.rsplit_once('/').unwrap();
        let found = shelves.get(kind).and_then(|kept| kept.iter().find(|object| object["id"] == id));
        found.map_or_else(missing, |object| Answer::Json(200, object.clone()))
    }

    async fn open(&self) -> Pretend {
        let shelves = self.clone();
        Pretend::start(move |asked| shelves.answer(asked)).await
    }
}

struct Scene {
    desk: Desk,
    shelves: Shelves,
    pretend: Pretend,
    account: AccountId,
}

impl Scene {
    async fn open() -> Self {
        let (desk, shelves) = (Desk::open().await, Shelves::default());
        let (pretend, account) = (shelves.open().await, desk.account(Status::Pending).await);
        desk.ledger().link_customer(account, "cus_1", None, &by()).await.unwrap();
        Self { desk, shelves, pretend, account }
    }

    async fn look(&self, repair: bool) -> Reconciliation {
        let (ledger, plans) = (self.desk.ledger(), &self.desk.plans);
        reconcile(ledger, &self.pretend.stripe(), plans, SINCE, repair, &by()).await.unwrap()
    }

    /// Finds it, finds it again, mends it, and finds nothing any more.
    async fn finds_and_mends(&self, kind: DifferenceKind, id: &str) {
        for _ in 0..2 {
            let found = self.look(false).await;
            let told: Vec<_> = found.differences.iter().map(|one| (one.kind, one.id.as_str(), one.mended)).collect();
            assert_eq!(told, [(kind, id, false)], "{found:?}");
            assert_eq!(found.differences[0].account, Some(self.account));
        }
        let mended = self.look(true).await;
        assert_eq!((mended.differences.len(), mended.open().count()), (1, 0), "{mended:?}");
        assert_eq!(self.look(true).await.differences, []);
    }

    fn invoice(&self, id: &str) -> Value {
        json!({
            "id": id, "status": "paid", "customer": "cus_1", "currency": "usd", "amount_paid": 9_900,
            "created": NOON_SECONDS - 100, "status_transitions": { "paid_at": NOON_SECONDS - 90 },
            "parent": { "subscription_details": { "subscription": "sub_1", "metadata": { "account": self.account } } },
            "payments": { "data": [{ "invoice": id, "payment": { "type": "payment_intent", "payment_intent": "pi_1" } }] },
            "lines": { "data": [{
                "amount": 9_900, "currency": "usd", "quantity": 1,
                "period": { "start": NOON_SECONDS, "end": NOON_SECONDS + 30 * DAY_SECONDS },
                "pricing": { "price_details": { "price": "price_tollgate_team" } },
            }] },
        })
    }

    fn payment(&self, id: &str, intent: &str) -> Payment {
        Payment {
            payment: id.to_owned(),
            payment_intent: Some(intent.to_owned()),
            charge: None,
            session: None,
            subscription: None,
            customer: Some("cus_1".to_owned()),
            account: Some(self.account),
            plan: "pack".to_owned(),
            product: "Credit pack".to_owned(),
            credits: Credits::new(1_000).unwrap(),
            prorated: false,
            amount: 2_000,
            currency: "usd".to_owned(),
            period_end: None,
            paid_at: NOON.minus_ms(1_000),
            expires_at: NOON.plus_ms(1_000_000_000),
        }
    }

    /// A pack that both sides know.
    async fn sells(&self, intent: &str) {
        self.desk.applies(&[Effect::Paid(self.payment(intent, intent))]).await;
        self.shelves.put("/payment_intents", json!({ "id": intent, "status": "succeeded" }));
    }

    async fn asked_back(&self, intent: &str) -> u64 {
        let names = PaymentRef { payment_intent: Some(intent.to_owned()), ..PaymentRef::default() };
        self.desk.ledger().payment(&names).await.unwrap().unwrap().asked.get()
    }

    fn event(&self, kind: &str, id: &str) {
        let event = json!({ "id": format!("evt_{kind}_{id}"), "type": kind, "data": { "object": { "id": id } } });
        self.shelves.put("/events", event);
    }
}

#[tokio::test]
async fn where_both_say_the_same_nothing_is_found() {
    let scene = Scene::open().await;
    scene.sells("pi_1").await;
    let found = scene.look(true).await;
    assert_eq!((found.differences.len(), found.compared), (0, 1));
    assert_eq!(scene.desk.lots(scene.account).await, [1_000]);
    let asked = scene.pretend.asked();
    let since = (NOON_SECONDS - DAY_SECONDS).to_string();
    assert!(asked.iter().filter(|one| one.query.contains_key("limit")).all(|one| one.query["created[gte]"] == since));
}

#[tokio::test]
async fn a_paid_invoice_that_nobody_told_of_is_granted() {
    let scene = Scene::open().await;
    scene.shelves.put("/invoices", scene.invoice("in_1"));
    scene.finds_and_mends(DifferenceKind::PaidNotGranted, "in_1").await;
    assert_eq!(scene.desk.lots(scene.account).await, [12_000]);
    assert_eq!(scene.desk.status(scene.account).await, Status::Active);
}

#[tokio::test]
async fn an_old_invoice_that_was_paid_late_is_found_by_its_event() {
    let scene = Scene::open().await;
    let shelves = Shelves::default();
    scene.event("invoice.paid", "in_1");
    let invoice = scene.invoice("in_1");
    let of_scene = scene.shelves.clone();
    // The list has invoices made since then only; this one is older.
    let pretend = Pretend::start(move |asked| match asked.path.as_str() {
        "/v1/invoices/in_1" => Answer::Json(200, invoice.clone()),
        "/v1/events" if asked.query["types[]"] == "invoice.paid" => of_scene.answer(asked),
        _ => shelves.answer(asked),
    })
    .await;
    let scene = Scene { pretend, ..scene };
    scene.finds_and_mends(DifferenceKind::PaidNotGranted, "in_1").await;
}

#[tokio::test]
async fn a_paid_pack_that_nobody_told_of_is_granted_if_the_checkout_was_ours() {
    let scene = Scene::open().await;
    let session = json!({
        "id": "cs_1", "mode": "payment", "status": "complete", "payment_status": "paid", "customer": "cus_1",
        "client_reference_id": scene.account, "metadata": { "account": scene.account, "plan": "pack" },
        "payment_intent": "pi_1", "amount_total": 2_500, "currency": "usd", "created": NOON_SECONDS - 60,
    });
    scene.shelves.put("/checkout/sessions", session);
    let stranger = scene.look(true).await;
    assert_eq!(stranger.open().count(), 1, "no checkout of ours: {stranger:?}");
    assert!(stranger.differences[0].detail.contains("checkout_unknown"), "{stranger:?}");
    let checkout = Checkout {
        session: "cs_1".to_owned(),
        account: scene.account,
        customer: "cus_1".to_owned(),
        plan: "pack".to_owned(),
        price: "price_tollgate_pack".to_owned(),
        recurring: false,
        amount: 2_500,
        currency: "usd".to_owned(),
        url: "https://checkout.example/1".to_owned(),
        opened_at: NOON.minus_ms(120_000),
        expires_at: None,
    };
    scene.desk.ledger().enter_checkout(&checkout, &by()).await.unwrap();
    scene.finds_and_mends(DifferenceKind::PaidNotGranted, "pi_1").await;
    assert_eq!(scene.desk.lots(scene.account).await, [2_500]);
}

#[tokio::test]
async fn what_was_paid_and_is_for_no_plan_is_found_and_never_granted() {
    let scene = Scene::open().await;
    let mut invoice = scene.invoice("in_1");
    invoice["lines"]["data"][0]["amount"] = json!(5);
    scene.shelves.put("/invoices", invoice);
    let found = scene.look(true).await;
    assert_eq!((found.differences.len(), found.open().count()), (1, 1));
    assert!(found.differences[0].detail.contains("amount_mismatch"), "{found:?}");
    assert_eq!(scene.desk.lots(scene.account).await, [0; 0]);
}

#[tokio::test]
async fn a_refund_that_nobody_told_of_is_clawed_back() {
    let scene = Scene::open().await;
    scene.sells("pi_1").await;
    scene.shelves.put("/refunds", json!({ "id": "re_1", "charge": "ch_1", "amount": 500 }));
    scene.shelves.put("/refunds", json!({ "id": "re_2", "charge": { "id": "ch_1" }, "amount": 500 }));
    let charge = json!({ "id": "ch_1", "amount": 2_000, "amount_refunded": 1_000, "payment_intent": "pi_1" });
    scene.shelves.put("/charges", charge);
    scene.finds_and_mends(DifferenceKind::RefundedNotClawed, "ch_1").await;
    assert_eq!(scene.asked_back("pi_1").await, 500, "half of the money, half of the credits");
}

#[tokio::test]
async fn a_dispute_that_nobody_told_of_is_clawed_back_and_one_that_was_won_is_found() {
    let scene = Scene::open().await;
    scene.sells("pi_1").await;
    let dispute = |status: &str| json!({ "id": "du_1", "charge": "ch_1", "payment_intent": "pi_1", "status": status });
    scene.shelves.put("/disputes", dispute("warning_needs_response"));
    assert_eq!(scene.look(true).await.differences, [], "an inquiry takes no money");
    scene.shelves.put("/disputes", dispute("needs_response"));
    scene.finds_and_mends(DifferenceKind::DisputedNotClawed, "du_1").await;
    assert_eq!(scene.asked_back("pi_1").await, 1_000);
    scene.shelves.put("/disputes", dispute("won"));
    let found = scene.look(true).await;
    let told: Vec<_> = found.open().map(|one| (one.kind, one.id.as_str())).collect();
    assert_eq!(told, [(DifferenceKind::DisputeWonNotReturned, "du_1")]);
    // Live state has not said yet how much it took; until then there is nothing that could be given again.
    assert!(found.differences[0].detail.contains("can't be mended: postponed"), "{found:?}");
}

#[tokio::test]
async fn an_old_dispute_in_which_something_happened_lately_is_found_by_its_event() {
    for kind in ["charge.dispute.updated", "charge.dispute.funds_reinstated", "charge.dispute.closed"] {
        let scene = Scene::open().await;
        scene.sells("pi_1").await;
        scene.event(kind, "du_1");
        let dispute = json!({ "id": "du_1", "charge": "ch_1", "payment_intent": "pi_1", "status": "lost" });
        let shelves = scene.shelves.clone();
        let pretend = Pretend::start(move |asked| match asked.path.as_str() {
            "/v1/disputes/du_1" => Answer::Json(200, dispute.clone()),
            _ => shelves.answer(asked),
        })
        .await;
        let scene = Scene { pretend, ..scene };
        scene.finds_and_mends(DifferenceKind::DisputedNotClawed, "du_1").await;
    }
}

fn subscription(account: AccountId, status: &str) -> Value {
    json!({
        "id": "sub_1", "customer": "cus_1", "status": status, "metadata": { "account": account },
        "items": { "data": [{ "price": "price_tollgate_team", "current_period_end": NOON_SECONDS + DAY_SECONDS }] },
    })
}

#[tokio::test]
async fn a_subscription_in_another_state_is_set_right() {
    let scene = Scene::open().await;
    scene.shelves.put("/subscriptions", subscription(scene.account, "active"));
    scene.finds_and_mends(DifferenceKind::StatusDiffers, "sub_1").await;
    assert_eq!(scene.desk.status(scene.account).await, Status::Active);
    let report = SubscriptionReport {
        subscription: "sub_1".to_owned(),
        customer: Some("cus_1".to_owned()),
        account: Some(scene.account),
        status: SubscriptionStatus::PastDue,
        was: None,
        invoice: None,
        plan: Some("team".to_owned()),
        period_end: None,
        cancel_at_period_end: false,
        trial_end: None,
        as_of: NOON.plus_ms(1),
    };
    scene.desk.applies(&[Effect::SubscriptionSeen(report)]).await;
    assert_eq!(scene.desk.status(scene.account).await, Status::PaymentFailed);
    let found = scene.look(false).await;
    assert_eq!(found.differences[0].detail, "Stripe says active, the book past_due");
}

#[tokio::test]
async fn credits_that_stripe_has_no_money_for_are_taken_back() {
    let scene = Scene::open().await;
    scene.sells("pi_1").await;
    scene.desk.applies(&[Effect::Paid(scene.payment("pi_2", "pi_2"))]).await;
    scene.shelves.put("/payment_intents", json!({ "id": "pi_2", "status": "requires_payment_method" }));
    scene.finds_and_mends(DifferenceKind::GrantedNotPaid, "pi_2").await;
    assert_eq!((scene.asked_back("pi_1").await, scene.asked_back("pi_2").await), (0, 1_000));
    scene.desk.applies(&[Effect::Paid(scene.payment("in_3", "pi_3"))]).await;
    scene.finds_and_mends(DifferenceKind::GrantedNotPaid, "in_3").await;
}

#[tokio::test]
async fn a_key_that_knows_none_of_the_payments_takes_nobody_s_credits() {
    let scene = Scene::open().await;
    for number in 0..6 {
        let id = format!("pi_{number}");
        scene.desk.applies(&[Effect::Paid(scene.payment(&id, &id))]).await;
    }
    let found = scene.look(true).await;
    assert_eq!((found.differences.len(), found.open().count()), (6, 6));
    assert!(found.differences.iter().all(|one| one.kind == DifferenceKind::GrantedNotPaid));
    assert_eq!(scene.asked_back("pi_0").await, 0);
}

#[tokio::test]
async fn a_stripe_that_goes_away_ends_the_look_and_nothing_is_taken_for_missing() {
    let scene = Scene::open().await;
    scene.desk.applies(&[Effect::Paid(scene.payment("pi_1", "pi_1"))]).await;
    let shelves = scene.shelves.clone();
    let away = Pretend::start(move |asked| {
        if asked.query.contains_key("limit") { shelves.answer(asked) } else { error(503, "api_error", "later") }
    })
    .await;
    let ended = reconcile(scene.desk.ledger(), &away.stripe(), &scene.desk.plans, SINCE, true, &by()).await;
    assert_eq!(ended.unwrap_err().code(), "stripe_unavailable");
    assert_eq!(scene.asked_back("pi_1").await, 0);
}
