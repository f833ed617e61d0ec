//! Which types of events are acted on, and what each is about.

/// An invoice was paid.
pub(crate) const INVOICE_PAID: &str = "invoice.paid";

/// What happens to a subscription.
pub(crate) const SUBSCRIPTION_EVENTS: [&str; 5] = [
    "customer.subscription.created",
    "customer.subscription.updated",
    "customer.subscription.deleted",
    "customer.subscription.paused",
    "customer.subscription.resumed",
];

/// What happens to a dispute. An inquiry that becomes one is told by `updated` and `funds_withdrawn` alone.
pub(crate) const DISPUTE_EVENTS: [&str; 5] = [
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
    "charge.dispute.closed",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Topic {
    Session(Turn),
    InvoicePaid,
    InvoiceFailed { action_required: bool },
    InvoicePayment,
    Subscription,
    TrialEnding,
    Customer,
    CustomerDeleted,
    Refund,
    Dispute,
    Price,
    Product,
}

/// What the type of the event says of a checkout, beside its object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    Done,
    PaymentFailed,
    Expired,
}

impl Topic {
    /// `None` = nobody acts on it.
    pub fn of(kind: &str) -> Option<Self> {
        Some(match kind {
            "checkout.session.completed" | "checkout.session.async_payment_succeeded" => Self::Session(Turn::Done),
            "checkout.session.async_payment_failed" => Self::Session(Turn::PaymentFailed),
            "checkout.session.expired" => Self::Session(Turn::Expired),
            INVOICE_PAID => Self::InvoicePaid,
            "invoice.payment_failed" => Self::InvoiceFailed { action_required: false },
            "invoice.payment_action_required" => Self::InvoiceFailed { action_required: true },
            "invoice_payment.paid" => Self::InvoicePayment,
            _ if SUBSCRIPTION_EVENTS.contains(&kind) => Self::Subscription,
            "customer.subscription.trial_will_end" => Self::TrialEnding,
            "customer.created" | "customer.updated" => Self::Customer,
            "customer.deleted" => Self::CustomerDeleted,
            "charge.refunded" => Self::Refund,
            _ if DISPUTE_EVENTS.contains(&kind) => Self::Dispute,
            "price.created" | "price.updated" | "price.deleted" => Self::Price,
            "product.updated" | "product.deleted" => Self::Product,
            _ => return None,
        })
    }

    /// Where the object can be fetched again.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Session(_) => "/checkout/sessions",
            Self::InvoicePaid | Self::InvoiceFailed { .. } => "/invoices",
            Self::InvoicePayment => "/invoice_payments",
            Self::Subscription | Self::TrialEnding => "/subscriptions",
            Self::Customer | Self::CustomerDeleted => "/customers",
            Self::Refund => "/charges",
            Self::Dispute => "/disputes",
            Self::Price => "/prices",
            Self::Product => "/products",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_that_is_acted_on_has_its_object() {
        for (kind, topic, path) in [
            ("checkout.session.completed", Topic::Session(Turn::Done), "/checkout/sessions"),
            ("checkout.session.async_payment_succeeded", Topic::Session(Turn::Done), "/checkout/sessions"),
            ("checkout.session.async_payment_failed", Topic::Session(Turn::PaymentFailed), "/checkout/sessions"),
            ("checkout.session.expired", Topic::Session(Turn::Expired), "/checkout/sessions"),
            ("invoice.paid", Topic::InvoicePaid, "/invoices"),
            ("invoice.payment_failed", Topic::InvoiceFailed { action_required: false }, "/invoices"),
            ("invoice.payment_action_required", Topic::InvoiceFailed { action_required: true }, "/invoices"),
            ("invoice_payment.paid", Topic::InvoicePayment, "/invoice_payments"),
            ("customer.subscription.created", Topic::Subscription, "/subscriptions"),
            ("customer.subscription.updated", Topic::Subscription, "/subscriptions"),
            ("customer.subscription.deleted", Topic::Subscription, "/subscriptions"),
            ("customer.subscription.paused", Topic::Subscription, "/subscriptions"),
            ("customer.subscription.resumed", Topic::Subscription, "/subscriptions"),
            ("customer.subscription.trial_will_end", Topic::TrialEnding, "/subscriptions"),
            ("customer.created", Topic::Customer, "/customers"),
            ("customer.updated", Topic::Customer, "/customers"),
            ("customer.deleted", Topic::CustomerDeleted, "/customers"),
            ("charge.refunded", Topic::Refund, "/charges"),
            ("charge.dispute.created", Topic::Dispute, "/disputes"),
            ("charge.dispute.updated", Topic::Dispute, "/disputes"),
            ("charge.dispute.funds_withdrawn", Topic::Dispute, "/disputes"),
            ("charge.dispute.funds_reinstated", Topic::Dispute, "/disputes"),
            ("charge.dispute.closed", Topic::Dispute, "/disputes"),
            ("price.created", Topic::Price, "/prices"),
            ("price.updated", Topic::Price, "/prices"),
            ("price.deleted", Topic::Price, "/prices"),
            ("product.updated", Topic::Product, "/products"),
            ("product.deleted", Topic::Product, "/products"),
        ] {
            let found = Topic::of(kind).unwrap_or_else(|| panic!("{kind}"));
            assert_eq!((found, found.path()), (topic, path), "{kind}");
        }
        for other in
            ["", "invoice.created", "payment_intent.succeeded", "charge.succeeded", "invoice.payment_succeeded"]
        {
            assert_eq!(Topic::of(other), None, "{other}");
        }
    }
}
