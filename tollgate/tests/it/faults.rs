//! Who pays when the upstream fails, route by route; and that nothing metered is ever sent twice.

use crate::stack::{Answer, Call, Customer, Stack};

/// What one call must come to.
struct Expected {
    /// `200`, `502 upstream_failed`, …
    answer: &'static str,
    /// Whether its body comes whole.
    whole: bool,
    /// Credits drawn in the end.
    pays: u64,
    /// How often the upstream saw it.
    sent: usize,
}

const SERVED: Expected = Expected { answer: "200", whole: true, pays: 1, sent: 1 };

/// Makes the call, waits until the book is settled, and compares.
async fn play(stack: &Stack, ada: &Customer, call: Call, expected: Expected) {
    let told = format!("{call:?}");
    let (before, standing) = (stack.remaining(ada).await, stack.audit().await.standing());
    let answer = stack.send(&ada.key, call).await;
    let told = format!("{told} was answered {answer:?}");
    assert_eq!(answered(&answer), expected.answer, "{told}");
    assert_eq!(answer.whole, expected.whole, "{told}");
    assert_eq!(answer.header("credits-receipt"), Some(answer.op()), "{told}");
    let after = stack.audit().await.standing();
    assert_eq!(after - standing, usize::from(expected.pays > 0), "{told}");
    assert_eq!(before - stack.remaining(ada).await, expected.pays, "{told}");
    assert_eq!(stack.upstream.times_sent(answer.op()).await, expected.sent, "{told}");
    if answer.json()["code"].is_string() {
        assert_eq!(answer.header("connection"), Some("close"), "the gateway closes it, and must say so: {told}");
    }
    // What the header said was true, except where the failure came after the header.
    if answer.status != 200 {
        assert_eq!(answer.number("credits-cost"), Some(expected.pays), "{told}");
        assert_eq!(answer.number("credits-remaining"), Some(before - expected.pays), "{told}");
    }
}

fn answered(answer: &Answer) -> String {
    match answer.json()["code"].as_str() {
        Some(code) => format!("{} {code}", answer.status),
        None => answer.status.to_string(),
    }
}

#[tokio::test]
async fn credits_go_back_when_the_upstream_fails() {
    let stack = Stack::start().await;
    let ada = stack.customer(30).await;
    play(&stack, &ada, Call::chat().on("hasty"), SERVED).await; // leaves a connection to the upstream that others take
    let failed = |answer, sent| Expected { answer, whole: true, pays: 0, sent };
    let broken = Expected { answer: "200", whole: false, pays: 0, sent: 1 };
    for (call, expected) in [
        (Call::chat().on("gone"), failed("502 upstream_failed", 0)),
        (Call::chat().on("stuck"), failed("504 upstream_timeout", 0)),
        (Call::chat().on("hasty").fault("status=500"), failed("500", 1)),
        (Call::chat().on("hasty").fault("status=503"), failed("503", 1)),
        (Call::chat().on("hasty").fault("refuse"), failed("502 upstream_failed", 1)),
        (Call::chat().on("hasty").fault("silence"), failed("504 upstream_timeout", 1)),
        (Call::stream().on("hasty").fault("silence"), failed("504 upstream_timeout", 1)),
        (Call::chat().on("hasty").fault("cut"), Expected { ..broken }),
        (Call::chat().on("hasty").fault("stall"), Expected { ..broken }),
        (Call::stream().on("hasty").fault("cut"), Expected { ..broken }),
        (Call::stream().on("hasty").fault("stall"), Expected { ..broken }),
        // It ends cleanly, and only its missing last event tells.
        (Call::stream().on("hasty").fault("clean-cut"), Expected { whole: true, ..broken }),
    ] {
        play(&stack, &ada, call, expected).await;
    }
    assert_eq!(stack.remaining(&ada).await, 29);
}

#[tokio::test]
async fn credits_stay_drawn_where_the_route_says_so() {
    let stack = Stack::start().await;
    let ada = stack.customer(30).await;
    let paid = |answer, whole, sent| Expected { answer, whole, pays: 1, sent };
    for (call, expected) in [
        (Call::chat().on("gone-keeps"), paid("502 upstream_failed", true, 0)),
        (Call::chat().on("keeps").fault("status=500"), paid("500", true, 1)),
        (Call::chat().on("keeps").fault("refuse"), paid("502 upstream_failed", true, 1)),
        (Call::chat().on("keeps").fault("silence"), paid("504 upstream_timeout", true, 1)),
        (Call::chat().on("keeps").fault("cut"), paid("200", false, 1)),
        (Call::stream().on("keeps").fault("stall"), paid("200", false, 1)),
        (Call::stream().on("keeps").fault("clean-cut"), paid("200", true, 1)),
    ] {
        play(&stack, &ada, call, expected).await;
    }
    assert_eq!(stack.remaining(&ada).await, 30 - 7);
}

#[tokio::test]
async fn an_answer_that_is_one_is_paid_whatever_it_says() {
    let stack = Stack::start().await;
    let ada = stack.customer(30).await;
    for (call, answer) in [
        (Call::chat().on("hasty").fault("status=404"), "404"),
        (Call::chat().on("hasty").fault("status=429"), "429"),
        (Call::post("/v1/messages", "no json").on("hasty"), "400"),
        (Call::chat().on("hasty").fault("delay=300"), "200"),
        (Call::stream().on("hasty"), "200"),
        (Call::stream().on("open-ended").fault("clean-cut"), "200"), // nobody said how its streams end
    ] {
        play(&stack, &ada, call, Expected { answer, ..SERVED }).await;
    }
    assert_eq!(stack.remaining(&ada).await, 30 - 6);
}

#[tokio::test]
async fn a_batch_goes_back_whole_to_the_lots_it_came_from() {
    let stack = Stack::start().await;
    let ada = stack.customer_with(metering::Status::Active, 0).await;
    for (lot, days) in [(3, 1), (4, 2), (50, 3)] {
        stack.grant(ada.account, lot, days * 86_400_000).await;
    }
    stack.set_budget(ada.account, 40).await;
    stack.wait_carried().await;
    let lots = lots(&stack, &ada).await;
    for fault in ["status=500", "refuse", "cut"] {
        stack.send(&ada.key, Call::batch(30).fault(fault)).await;
        let totals = stack.audit().await;
        assert_eq!(totals.standing(), 0, "{fault}");
        assert_eq!(self::lots(&stack, &ada).await, lots, "{fault}");
    }
    let budget = stack.send(&ada.key, Call::get("/v1/credits")).await.json()["budget"].clone();
    assert_eq!(budget["used"], 0, "a give-back lowers what is used of the budget");
}

#[tokio::test]
async fn what_goes_back_to_a_lot_that_has_expired_meanwhile_lapses() {
    let stack = Stack::start().await;
    let ada = stack.customer_with(metering::Status::Active, 0).await;
    stack.grant(ada.account, 10, 1500).await;
    let lasting = stack.grant(ada.account, 10, 86_400_000).await;
    stack.set_budget(ada.account, 100).await;
    stack.wait_carried().await;
    let answer = stack.send(&ada.key, Call::batch(12).fault("delay=2000, status=500")).await;
    assert_eq!((answer.status, answer.number("credits-remaining")), (500, Some(10)), "{answer:?}");
    assert_eq!(stack.audit().await.standing(), 0);
    let given_back = stack.book.ledger.entries(ada.account, None, 10).await.unwrap().into_iter();
    let given_back: Vec<_> = given_back.filter(|entry| entry.kind == ledger::EntryKind::GiveBack).collect();
    assert_eq!((given_back[0].credits, given_back[0].lapsed.get()), (2, 10));
    assert_eq!(given_back[0].split.iter().map(|draw| draw.lot).collect::<Vec<_>>(), [lasting]);
    let budget = stack.send(&ada.key, Call::get("/v1/credits")).await.json()["budget"].clone();
    assert_eq!(budget["used"], 0, "what lapsed was not used either");
}

async fn lots(stack: &Stack, customer: &Customer) -> Vec<(metering::LotId, u64)> {
    let view = stack.book.ledger.account_view(customer.account, stack.now().await).await.unwrap();
    view.lots.iter().map(|lot| (lot.lot, lot.remaining.get())).collect()
}

#[tokio::test]
async fn a_failing_upstream_under_load_is_asked_once_a_call_and_paid_for_what_it_served() {
    let stack = Stack::with(crate::stack::Plan { gateways: 2, ..Default::default() }).await;
    let ada = stack.customer(10_000).await;
    for fault in ["refuse", "status=502", "cut"] {
        let before = stack.upstream.count().await;
        let tally = stack.race(&ada.key, &Call::chat().fault(fault), 200, 16).await;
        assert_eq!(tally.served(), 0, "{fault}: {:?}", tally.by_answer());
        assert_eq!(stack.upstream.count().await - before, 200, "{fault}: {:?}", tally.by_answer());
        assert_eq!(stack.audit().await.standing(), 0, "{fault}");
    }
    let tally = stack.race(&ada.key, &Call::chat(), 200, 16).await;
    assert_eq!(tally.served(), 200);
    stack.audit_calls(&tally).await;
    assert_eq!(stack.remaining(&ada).await, 9800);
}
