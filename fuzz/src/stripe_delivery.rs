//! Whatever is delivered as Stripe: it is believed only with our signature, and what it says stays within bounds.

use std::sync::LazyLock;

use futures::FutureExt;
use hmac::{Hmac, KeyInit, Mac};
use ledger::stripe::{Effect, Payment};
use metering::TimeMs;
use payments::{Event, Plans, Reading, Secrets, TOLERANCE, parse, verify};
use secrecy::SecretString;
use serde_json::json;
use sha2::Sha256;

const SECRET: &str = "whsec_0123456789abcdef0123456789abcdef";
static SECRETS: LazyLock<Secrets> =
    LazyLock::new(|| Secrets::new(&[SecretString::from(SECRET)]).expect("the secret is sound"));
/// Read once: it is no part of what an input reaches.
static PLANS: LazyLock<Plans> =
    LazyLock::new(|| Plans::new(config::plans::parse("demo", config::plans::DEMO).expect("the demo plans are good")));
const SECONDS: u64 = 1_764_115_200;
const NOW: TimeMs = TimeMs::new(SECONDS * 1000);
/// As long as any id in the book may be.
const ID_BYTES_MAX: usize = 255;

/// The input is the header, a line break, and the body.
pub fn stripe_delivery(input: &[u8]) {
    let (header, body) = match input.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&input[..end], &input[end + 1..]),
        None => (input, &b""[..]),
    };
    signature(&String::from_utf8_lossy(header), body);
    if let Ok(event) = parse(body) {
        again(&event);
        reading(&event);
    }
}

/// A second reading of the rule: what is believed has one time, near ours, and one signature over exactly this.
fn signature(header: &str, body: &[u8]) {
    let believed = |header: &str, body: &[u8]| verify(header, body, &SECRETS, NOW, TOLERANCE).is_ok();
    let own = format!("t={SECONDS},v1={}", tag(SECONDS, body));
    assert!(believed(&own, body), "our own signature");
    let other = [body, b"\0"].concat();
    assert!(!believed(&own, &other), "another body");
    for header in [header.to_owned(), format!("{own},{header}"), format!("{header},{own}")] {
        if believed(&header, body) {
            let times: Vec<&str> = header.split(',').filter_map(|item| item.strip_prefix("t=")).collect();
            let seconds: u64 = times.first().and_then(|time| time.parse().ok()).expect("a time");
            let signed = header.split(',').any(|item| item.strip_prefix("v1=") == Some(&tag(seconds, body)));
            assert!(times.len() == 1 && signed && seconds.abs_diff(SECONDS) <= 300, "{header}");
        }
    }
}

fn tag(seconds: u64, body: &[u8]) -> String {
    let key = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any key will do");
    let tag = key.chain_update(format!("{seconds}.")).chain_update(body).finalize().into_bytes();
    let digits = tag.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

/// What was read is the same when it is written and read again.
fn again(event: &Event) {
    let written = json!({
        "id": event.id, "type": event.kind, "livemode": event.live, "created": event.created.as_u64() / 1000,
        "api_version": event.api_version, "data": { "object": event.object, "previous_attributes": event.previous },
    });
    let read = parse(written.to_string().as_bytes()).expect("it was an event before");
    let same = (&read.id, &read.kind, read.live, &read.api_version)
        == (&event.id, &event.kind, event.live, &event.api_version);
    assert!(same && read.previous == event.previous, "{event:?} came back as {read:?}");
}

fn reading(event: &Event) {
    let plans = &*PLANS;
    let read = payments::read(event, plans, None, NOW).now_or_never().expect("nobody is asked").expect("nobody fails");
    match read {
        Reading::Effects(effects) => {
            assert!(!effects.is_empty(), "nothing to do is said as such");
            for effect in &effects {
                bounded(effect, plans);
            }
        }
        Reading::Parked(why) => assert!(!why.code.is_empty() && why.detail.len() <= 4 * 1024, "{why:?}"),
        Reading::Ignored => {}
    }
}

/// Ids fit into the book, and nobody grants what no plan gives.
fn bounded(effect: &Effect, plans: &Plans) {
    let ids: Vec<&String> = match effect {
        Effect::CustomerSeen { customer, .. } | Effect::CustomerDeleted { customer, .. } => vec![customer],
        Effect::CheckoutEnded(end) => [&end.customer, &end.subscription, &end.payment_intent]
            .into_iter()
            .flatten()
            .chain([&end.session])
            .collect(),
        Effect::Paid(payment) => {
            granted(payment, plans);
            [&payment.payment_intent, &payment.charge, &payment.session, &payment.subscription, &payment.customer]
                .into_iter()
                .flatten()
                .chain([&payment.payment])
                .collect()
        }
        Effect::PaymentLinked { invoice, payment_intent } => vec![invoice, payment_intent],
        Effect::InvoiceFailed(failure) => vec![&failure.invoice],
        Effect::SubscriptionSeen(report) => vec![&report.subscription],
        Effect::Reversed(reversal) => {
            let names = &reversal.payment;
            [&names.invoice, &names.payment_intent, &names.charge].into_iter().flatten().collect()
        }
        Effect::DisputeWon { dispute, .. } => vec![dispute],
        Effect::OfferSeen(offer) => vec![&offer.price, &offer.product],
        Effect::TrialEnding { subscription, .. } => vec![subscription],
    };
    assert!(ids.iter().all(|id| (1..=ID_BYTES_MAX).contains(&id.len())), "{effect:?}");
}

fn granted(payment: &Payment, plans: &Plans) {
    let plan = plans.by_code(&payment.plan).expect("a plan that is sold");
    let credits = payment.credits.get();
    assert!(credits.is_multiple_of(plan.allowance) || credits == plan.trial_allowance, "{payment:?}");
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn every_delivery_that_was_kept_is_believed_or_not_for_a_reason() {
        let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/stripe_delivery");
        let mut count = 0;
        for entry in std::fs::read_dir(&kept).unwrap() {
            let file = entry.unwrap().path();
            // Shown only when the test fails, and then the last line names the input.
            println!("{}", file.display());
            super::stripe_delivery(&std::fs::read(&file).unwrap());
            count += 1;
        }
        assert!(count >= 10, "{} holds {count} inputs", kept.display());
    }
}
