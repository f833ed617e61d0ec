//! An invoice, its lines and what pays it, in the shapes before and since the API version of March 2025.

use serde::Deserialize;

use super::{List, Metadata, id, own_id};

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Invoice {
    #[serde(deserialize_with = "own_id")]
    pub id: String,
    #[serde(default, deserialize_with = "id")]
    pub customer: Option<String>,
    pub status: Option<String>,
    pub billing_reason: Option<String>,
    pub currency: Option<String>,
    pub amount_paid: Option<i64>,
    pub created: Option<u64>,
    pub status_transitions: Option<Transitions>,
    #[serde(default)]
    pub lines: List<Line>,
    pub metadata: Option<Metadata>,
    /// Since March 2025.
    parent: Option<InvoiceParent>,
    payments: Option<List<InvoicePayment>>,
    /// Before.
    #[serde(default, deserialize_with = "id")]
    subscription: Option<String>,
    subscription_details: Option<SubscriptionDetails>,
    #[serde(default, deserialize_with = "id")]
    payment_intent: Option<String>,
    #[serde(default, deserialize_with = "id")]
    pub charge: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Transitions {
    pub paid_at: Option<u64>,
}

#[derive(Debug, Clone, Deserialize)]
struct InvoiceParent {
    subscription_details: Option<SubscriptionDetails>,
}

#[derive(Debug, Clone, Deserialize)]
struct SubscriptionDetails {
    #[serde(default, deserialize_with = "id")]
    subscription: Option<String>,
    metadata: Option<Metadata>,
}

impl Invoice {
    pub fn subscription(&self) -> Option<&str> {
        let told = self.parent.as_ref().and_then(|parent| parent.subscription_details.as_ref());
        told.and_then(|details| details.subscription.as_deref()).or(self.subscription.as_deref())
    }

    /// Whose the subscription says it is, else the invoice.
    pub fn account(&self) -> Option<&str> {
        let parent = self.parent.as_ref().and_then(|parent| parent.subscription_details.as_ref());
        let details = [parent, self.subscription_details.as_ref()];
        let of_details = details.into_iter().flatten().map(|details| details.metadata.as_ref());
        let mut all = of_details.chain([self.metadata.as_ref()]);
        all.find_map(|metadata| metadata.and_then(|metadata| metadata.account.as_deref()))
    }

    /// The payment intents that pay it, or try to.
    pub fn payment_intents(&self) -> Vec<&str> {
        let newer = self.payments.iter().flat_map(|payments| &payments.data).filter_map(InvoicePayment::payment_intent);
        let mut intents: Vec<&str> = self.payment_intent.as_deref().into_iter().chain(newer).collect();
        intents.dedup();
        intents
    }
}

/// One line. `amount` is before discounts that come on top.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Line {
    pub amount: i64,
    pub currency: Option<String>,
    pub quantity: Option<u64>,
    pub period: Option<Period>,
    /// Since March 2025.
    pricing: Option<Pricing>,
    parent: Option<LineParent>,
    /// Before.
    #[serde(default, deserialize_with = "id")]
    price: Option<String>,
    #[serde(default, deserialize_with = "id")]
    plan: Option<String>,
    #[serde(default)]
    proration: bool,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Period {
    pub start: Option<u64>,
    pub end: Option<u64>,
}

#[derive(Debug, Clone, Deserialize)]
struct Pricing {
    price_details: Option<PriceDetails>,
}

#[derive(Debug, Clone, Deserialize)]
struct PriceDetails {
    #[serde(default, deserialize_with = "id")]
    price: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct LineParent {
    subscription_item_details: Option<ItemDetails>,
    invoice_item_details: Option<ItemDetails>,
}

#[derive(Debug, Clone, Deserialize)]
struct ItemDetails {
    #[serde(default)]
    proration: bool,
}

impl Line {
    pub fn price(&self) -> Option<&str> {
        let newer = self.pricing.as_ref().and_then(|pricing| pricing.price_details.as_ref());
        newer.and_then(|details| details.price.as_deref()).or(self.price.as_deref()).or(self.plan.as_deref())
    }

    /// Whether it is for a part of a period, because something changed within it.
    pub fn is_proration(&self) -> bool {
        let parent = self.parent.as_ref();
        let items = parent.and_then(|parent| parent.subscription_item_details.as_ref());
        let extras = parent.and_then(|parent| parent.invoice_item_details.as_ref());
        self.proration || [items, extras].into_iter().flatten().any(|details| details.proration)
    }
}

/// What pays an invoice, or a part of it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct InvoicePayment {
    #[serde(default, deserialize_with = "id")]
    pub invoice: Option<String>,
    payment: Option<PaidBy>,
}

#[derive(Debug, Clone, Deserialize)]
struct PaidBy {
    #[serde(default, deserialize_with = "id")]
    payment_intent: Option<String>,
}

impl InvoicePayment {
    pub fn payment_intent(&self) -> Option<&str> {
        self.payment.as_ref().and_then(|payment| payment.payment_intent.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::objects::read;

    fn invoice(more: &Value) -> Invoice {
        let mut invoice = json!({ "id": "in_1" });
        invoice.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        read(&invoice).unwrap()
    }

    #[test]
    fn the_subscription_is_found_where_it_stood_and_where_it_stands() {
        let newer = json!({ "parent": { "subscription_details": { "subscription": "sub_1", "metadata": { "account": "a" } } } });
        assert_eq!((invoice(&newer).subscription(), invoice(&newer).account()), (Some("sub_1"), Some("a")));
        let older =
            json!({ "subscription": { "id": "sub_1" }, "subscription_details": { "metadata": { "account": "b" } } });
        assert_eq!((invoice(&older).subscription(), invoice(&older).account()), (Some("sub_1"), Some("b")));
        let neither = json!({ "parent": null, "metadata": { "account": "c" } });
        assert_eq!((invoice(&neither).subscription(), invoice(&neither).account()), (None, Some("c")));
        let other = json!({ "parent": { "type": "quote_details", "subscription_details": null } });
        assert_eq!((invoice(&other).subscription(), invoice(&other).account()), (None, None));
    }

    #[test]
    fn what_pays_it_is_found_in_both_shapes_once() {
        let newer = json!({ "payments": { "data": [
            { "invoice": "in_1", "payment": { "type": "payment_intent", "payment_intent": "pi_1" } },
            { "payment": { "type": "charge", "charge": "ch_1" } },
        ] } });
        assert_eq!(invoice(&newer).payment_intents(), ["pi_1"]);
        assert_eq!(invoice(&json!({ "payment_intent": "pi_2" })).payment_intents(), ["pi_2"]);
        let both = json!({ "payment_intent": "pi_1", "payments": newer["payments"] });
        assert_eq!(invoice(&both).payment_intents(), ["pi_1"]);
        assert_eq!(invoice(&json!({ "payment_intent": null })).payment_intents(), [""; 0]);
    }

    #[test]
    fn a_line_says_its_price_in_every_shape() {
        let price = |line: Value| read::<Line>(&line).unwrap().price().map(str::to_owned);
        let newer = json!({ "amount": 1, "pricing": { "type": "price_details", "price_details": { "price": "price_1", "product": "prod_1" } } });
        assert_eq!(price(newer), Some("price_1".into()));
        assert_eq!(
            price(json!({ "amount": 1, "price": { "id": "price_2" }, "plan": { "id": "plan_2" } })),
            Some("price_2".into())
        );
        assert_eq!(price(json!({ "amount": 1, "plan": { "id": "plan_2" } })), Some("plan_2".into()));
        assert_eq!(price(json!({ "amount": 1, "pricing": null, "price": null })), None);
    }

    #[test]
    fn a_line_says_in_every_shape_whether_it_is_for_a_part() {
        let proration = |line: Value| read::<Line>(&line).unwrap().is_proration();
        assert!(proration(json!({ "amount": 1, "proration": true })));
        assert!(proration(json!({ "amount": 1, "parent": { "subscription_item_details": { "proration": true } } })));
        assert!(proration(json!({ "amount": 1, "parent": { "invoice_item_details": { "proration": true } } })));
        let whole = json!({ "amount": 1, "proration": false, "parent": { "subscription_item_details": { "proration": false }, "invoice_item_details": null } });
        assert!(!proration(whole));
        assert!(!proration(json!({ "amount": 1 })));
    }
}
