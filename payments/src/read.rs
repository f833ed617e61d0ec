//! Reading: what an event, or an object fetched from Stripe, says that the book should know. Pure but for the fetch.

mod checkout;
mod customer;
mod due;
mod fetch;
mod invoice;
mod money_back;
mod offer;
mod subscription;
mod topic;

use ledger::stripe::{Effect, Parking};
use metering::{AccountId, TimeMs};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::api::Stripe;
use crate::error::StripeError;
use crate::event::Event;
use crate::objects;
use crate::plans::Plans;
use topic::Topic;

/// What is to be done about an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    Effects(Vec<Effect>),
    /// Nobody acts on it.
    Ignored,
    /// An operator has to look at it.
    Parked(Parking),
}

/// An object of Stripe's with when it was so.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub object: Value,
    /// When it was as it is here: the event's time, or the instant of the fetch.
    pub as_of: TimeMs,
    /// When what it is about happened.
    pub at: TimeMs,
    /// What was different just before; only where the object is the event's own.
    pub previous: Value,
    /// Invoices and the payment intents that pay them, where they had to be asked for.
    pub links: Vec<(String, String)>,
    /// Prices of a product, where it is about one.
    pub prices: Vec<Value>,
}

impl Seen {
    /// The event's own object.
    fn told(event: &Event) -> Self {
        Self {
            object: event.object.clone(),
            as_of: event.created,
            at: event.created,
            previous: event.previous.clone(),
            links: Vec::new(),
            prices: Vec::new(),
        }
    }

    /// An object that was just fetched.
    pub(crate) fn fetched(object: Value, at: Option<TimeMs>, now: TimeMs) -> Self {
        let at = at.unwrap_or(now);
        Self { object, as_of: now, at, previous: Value::Null, links: Vec::new(), prices: Vec::new() }
    }

    fn read<T: DeserializeOwned>(&self) -> Result<T, Parking> {
        objects::read(&self.object).map_err(|why| Parking::new("object_unreadable", why))
    }

    /// These invoices are paid by these payment intents.
    fn linked(&self) -> impl Iterator<Item = Effect> {
        self.links.iter().map(|(invoice, payment_intent)| Effect::PaymentLinked {
            invoice: invoice.clone(),
            payment_intent: payment_intent.clone(),
        })
    }
}

/// Reads an event. With a Stripe at hand the object is fetched again, and its state of now is what counts.
pub async fn read(event: &Event, plans: &Plans, stripe: Option<&Stripe>, now: TimeMs) -> Result<Reading, StripeError> {
    let Some(topic) = Topic::of(&event.kind) else { return Ok(Reading::Ignored) };
    let seen = match stripe {
        Some(stripe) => fetch::again(stripe, topic, event, plans, now).await?,
        None => Seen::told(event),
    };
    Ok(match effects(topic, &seen, plans) {
        Ok(effects) if effects.is_empty() => Reading::Ignored,
        Ok(effects) => Reading::Effects(effects),
        Err(parking) => Reading::Parked(parking),
    })
}

fn effects(topic: Topic, seen: &Seen, plans: &Plans) -> Result<Vec<Effect>, Parking> {
    match topic {
        Topic::Session(turn) => checkout::ended(seen, turn, plans),
        Topic::InvoicePaid => invoice::paid(seen, plans),
        Topic::InvoiceFailed { action_required } => invoice::failed(seen, action_required, plans),
        Topic::InvoicePayment => invoice::linked(seen),
        Topic::Subscription => subscription::seen(seen, plans),
        Topic::TrialEnding => subscription::trial_ending(seen, plans),
        Topic::Customer => customer::seen(seen),
        Topic::CustomerDeleted => customer::deleted(seen),
        Topic::Refund => money_back::refunded(seen),
        Topic::Dispute => money_back::disputed(seen),
        Topic::Price => offer::price_seen(seen, plans),
        Topic::Product => offer::product_seen(seen, plans),
    }
}

/// The effects of a paid invoice as it was fetched.
pub(crate) fn invoice_effects(seen: &Seen, plans: &Plans) -> Result<Vec<Effect>, Parking> {
    effects(Topic::InvoicePaid, seen, plans)
}

/// The effects of a finished checkout as it was fetched.
pub(crate) fn session_effects(seen: &Seen, plans: &Plans) -> Result<Vec<Effect>, Parking> {
    effects(Topic::Session(topic::Turn::Done), seen, plans)
}

/// The effects of a subscription as it was fetched.
pub(crate) fn subscription_effects(seen: &Seen, plans: &Plans) -> Result<Vec<Effect>, Parking> {
    effects(Topic::Subscription, seen, plans)
}

/// The effects of a charge as it was fetched.
pub(crate) fn charge_effects(seen: &Seen, plans: &Plans) -> Result<Vec<Effect>, Parking> {
    effects(Topic::Refund, seen, plans)
}

/// The effects of a dispute as it was fetched.
pub(crate) fn dispute_effects(seen: &Seen, plans: &Plans) -> Result<Vec<Effect>, Parking> {
    effects(Topic::Dispute, seen, plans)
}

pub(crate) use fetch::links;
pub(crate) use invoice::paid_at;
pub(crate) use offer::offer_of;
pub(crate) use topic::{DISPUTE_EVENTS, INVOICE_PAID, SUBSCRIPTION_EVENTS};

/// The account that an object names; what is no account of ours is parked.
fn account(text: Option<&str>) -> Result<Option<AccountId>, Parking> {
    let Some(text) = text else { return Ok(None) };
    let unknown = |_| Parking::new("account_unknown", "what stands in the place of an account is none of ours");
    text.parse().map(Some).map_err(unknown)
}

/// An amount of money that came in is not below zero.
fn money(amount: Option<i64>) -> Result<Option<u64>, Parking> {
    let unsound = |_| Parking::new("amount_mismatch", "an amount of money is below zero");
    amount.map(|amount| u64::try_from(amount).map_err(unsound)).transpose()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    pub const ACCOUNT: &str = "acct_00000000000000000000000000000001";
    /// 2025-11-26T00:00:00Z, when it happened.
    pub const AT: TimeMs = TimeMs::new(1_764_115_200_000);
    /// A minute later, when it was looked at.
    pub const AS_OF: TimeMs = TimeMs::new(1_764_115_260_000);

    pub fn plans() -> Plans {
        Plans::new(config::plans::parse("demo", config::plans::DEMO).unwrap())
    }

    pub fn seen(object: Value) -> Seen {
        Seen { object, as_of: AS_OF, at: AT, previous: Value::Null, links: Vec::new(), prices: Vec::new() }
    }

    /// The object with some fields changed.
    pub fn with(mut object: Value, changes: Value) -> Value {
        let Value::Object(changes) = changes else { panic!("changes are an object") };
        object.as_object_mut().unwrap().extend(changes);
        object
    }

    fn event(kind: &str, object: &Value) -> Event {
        let whole = json!({ "id": "evt_1", "type": kind, "created": 1_764_115_200, "livemode": false, "data": { "object": object } });
        crate::event::parse(whole.to_string().as_bytes()).unwrap()
    }

    async fn told(kind: &str, object: Value) -> Reading {
        read(&event(kind, &object), &plans(), None, AS_OF).await.unwrap()
    }

    #[tokio::test]
    async fn an_event_is_read_ignored_or_parked() {
        let seen = told("customer.updated", json!({ "id": "cus_1" })).await;
        let effect = Effect::CustomerSeen { customer: "cus_1".into(), account: None, email: None, as_of: AT };
        assert_eq!(seen, Reading::Effects(vec![effect]), "by the event's own time");
        assert_eq!(told("invoice.created", json!({ "id": "in_1" })).await, Reading::Ignored);
        assert_eq!(
            told("invoice.paid", json!({ "id": "in_1", "status": "paid" })).await,
            Reading::Ignored,
            "no subscription"
        );
        for kind in ["customer.updated", "invoice.paid", "charge.refunded", "checkout.session.completed"] {
            let Reading::Parked(why) = told(kind, json!({ "id": 7 })).await else { panic!("{kind}") };
            assert_eq!(why.code, "object_unreadable");
        }
    }

    #[test]
    fn an_account_is_ours_or_parked() {
        assert_eq!(account(None), Ok(None));
        assert_eq!(account(Some(ACCOUNT)).unwrap().unwrap().to_string(), ACCOUNT);
        assert_eq!(account(Some("acct_1Stripe")).unwrap_err().code, "account_unknown");
        assert_eq!(account(Some("")).unwrap_err().code, "account_unknown");
    }

    #[test]
    fn money_that_came_in_is_not_below_zero() {
        assert_eq!(money(None), Ok(None));
        assert_eq!(money(Some(0)), Ok(Some(0)));
        assert_eq!(money(Some(5)), Ok(Some(5)));
        assert_eq!(money(Some(-1)).unwrap_err().code, "amount_mismatch");
    }
}
