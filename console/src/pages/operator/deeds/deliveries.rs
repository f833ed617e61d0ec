//! Deciding about a delivery of Stripe's: applied again, or nothing to be done about it.

use std::sync::Arc;

use ledger::stripe::{DeliveryState, StoredDelivery};

use super::super::deed::{Confirmed, Deed};
use super::super::sent::Sent;
use super::super::tabs::Tab;
use super::super::words::{Change, Form, Link, Outcome, Plan, Stop};
use crate::operator::deliveries::delivery;
use crate::operator::plain;
use crate::operator::wrong::Wrong;
use crate::refusal::Refusal;
use crate::service::Service;

#[derive(Clone)]
pub struct OneDelivery(StoredDelivery);

/// Where a delivery is shown. Its event is what Stripe calls it.
pub fn path(event: &str) -> String {
    format!("/operator/deliveries/{}", plain::in_path(event))
}

impl OneDelivery {
    async fn load(service: &Service, event: String) -> Result<Self, Refusal> {
        delivery(service, event).await.map(Self)
    }

    fn form(&self, title: &str, lead: &str) -> Form {
        let event = &self.0.delivery.event;
        Form {
            title: title.to_owned(),
            lead: format!("{event}, {}, is {} now. {lead}", plain::line(&self.0.delivery.kind), self.0.state),
            back: Link::new(path(event), format!("Delivery {event}")),
            fields: Vec::new(),
            button: "Preview decision",
        }
    }

    fn plan(&self, title: &str, says: &str, after: DeliveryState, button: &'static str) -> Plan {
        let because = self.0.parked.as_ref().map(|parked| format!(": {}", plain::line(&parked.detail)));
        let state = format!("{}{}", self.0.state, because.unwrap_or_default());
        Plan {
            title: format!("{title} {}", self.0.delivery.event),
            says: vec![says.to_owned()],
            rows: vec![Change::new("State", state.clone(), after.to_string())],
            seen: state,
            button,
            is_danger: false,
        }
    }

    fn done(&self) -> Outcome {
        Outcome::See(format!("{}?done=delivery_decided", path(&self.0.delivery.event)))
    }
}

/// Applied again from its stored bytes.
#[derive(Clone)]
pub struct Replay(OneDelivery);

impl Deed for Replay {
    type Of = String;
    const TAB: Tab = Tab::Deliveries;
    type Ready = ();

    async fn load(service: &Arc<Service>, of: String) -> Result<Self, Refusal> {
        OneDelivery::load(service, of).await.map(Self)
    }

    fn form(&self, _: &Sent) -> Form {
        self.0.form(
            "Replay a delivery",
            "It is applied again from its stored bytes. What is in the book already changes nothing.",
        )
    }

    async fn plan(&self, _: &Arc<Service>, _: &Sent) -> Result<(Plan, Self::Ready), Stop> {
        if self.0.0.state == DeliveryState::Waiting {
            return Err(Wrong::new("delivery", "It waits to be applied already.").into());
        }
        let says = "A running webhook applies it within a second; a payment grants once, however often it is told.";
        Ok((self.0.plan("Replay", says, DeliveryState::Waiting, "Replay delivery"), ()))
    }

    async fn carry_out(&self, service: &Arc<Service>, (): (), confirmed: Confirmed<'_>) -> Result<Outcome, Refusal> {
        service.book.replay_delivery(&self.0.0.delivery.event, &confirmed.by).await?;
        Ok(self.0.done())
    }
}

/// Nothing is to be done about it.
#[derive(Clone)]
pub struct Resolve(OneDelivery);

impl Deed for Resolve {
    type Of = String;
    const TAB: Tab = Tab::Deliveries;
    type Ready = ();

    async fn load(service: &Arc<Service>, of: String) -> Result<Self, Refusal> {
        OneDelivery::load(service, of).await.map(Self)
    }

    fn form(&self, _: &Sent) -> Form {
        self.0.form("Resolve a delivery", "Nothing is done about it, and it is never applied by itself.")
    }

    async fn plan(&self, _: &Arc<Service>, _: &Sent) -> Result<(Plan, Self::Ready), Stop> {
        if self.0.0.state != DeliveryState::Parked {
            return Err(Wrong::new(
                "delivery",
                format!("It is {}, and only a parked one can be resolved.", self.0.0.state),
            )
            .into());
        }
        let says = "Nothing of it reaches the book. It can be replayed later all the same.";
        Ok((self.0.plan("Resolve", says, DeliveryState::Resolved, "Resolve delivery"), ()))
    }

    async fn carry_out(&self, service: &Arc<Service>, (): (), confirmed: Confirmed<'_>) -> Result<Outcome, Refusal> {
        service.book.resolve_delivery(&self.0.0.delivery.event, &confirmed.by).await?;
        Ok(self.0.done())
    }
}
