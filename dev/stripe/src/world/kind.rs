//! The kinds of objects that are kept, and what each is called where.

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Customer,
    Product,
    Price,
    PaymentMethod,
    Session,
    PortalSession,
    Subscription,
    Invoice,
    InvoicePayment,
    PaymentIntent,
    Charge,
    Refund,
    Dispute,
    Event,
}

impl Kind {
    pub const ALL: [Kind; 14] = [
        Kind::Customer,
        Kind::Product,
        Kind::Price,
        Kind::PaymentMethod,
        Kind::Session,
        Kind::PortalSession,
        Kind::Subscription,
        Kind::Invoice,
        Kind::InvoicePayment,
        Kind::PaymentIntent,
        Kind::Charge,
        Kind::Refund,
        Kind::Dispute,
        Kind::Event,
    ];

    /// What an id begins with.
    pub fn prefix(self) -> &'static str {
        match self {
            Kind::Customer => "cus_",
            Kind::Product => "prod_",
            Kind::Price => "price_",
            Kind::PaymentMethod => "pm_",
            Kind::Session => "cs_",
            Kind::PortalSession => "bps_",
            Kind::Subscription => "sub_",
            Kind::Invoice => "in_",
            Kind::InvoicePayment => "inpay_",
            Kind::PaymentIntent => "pi_",
            Kind::Charge => "ch_",
            Kind::Refund => "re_",
            Kind::Dispute => "dp_",
            Kind::Event => "evt_",
        }
    }

    /// Where a list of them is asked for, which is also what a list calls itself.
    pub fn path(self) -> &'static str {
        match self {
            Kind::Customer => "/v1/customers",
            Kind::Product => "/v1/products",
            Kind::Price => "/v1/prices",
            Kind::PaymentMethod => "/v1/payment_methods",
            Kind::Session => "/v1/checkout/sessions",
            Kind::PortalSession => "/v1/billing_portal/sessions",
            Kind::Subscription => "/v1/subscriptions",
            Kind::Invoice => "/v1/invoices",
            Kind::InvoicePayment => "/v1/invoice_payments",
            Kind::PaymentIntent => "/v1/payment_intents",
            Kind::Charge => "/v1/charges",
            Kind::Refund => "/v1/refunds",
            Kind::Dispute => "/v1/disputes",
            Kind::Event => "/v1/events",
        }
    }

    /// The word that Stripe's errors use.
    pub fn noun(self) -> &'static str {
        match self {
            Kind::PaymentMethod => "PaymentMethod",
            Kind::PaymentIntent => "payment_intent",
            Kind::Session => "checkout.session",
            Kind::PortalSession => "billing_portal.session",
            Kind::InvoicePayment => "invoice_payment",
            kind => kind.path().trim_start_matches("/v1/").trim_end_matches('s'),
        }
    }

    /// Fields that are shown only to those who ask for them by `expand`.
    pub fn on_request(self) -> &'static [&'static str] {
        match self {
            Kind::Session => &["line_items"],
            Kind::Invoice => &["payments"],
            _ => &[],
        }
    }

    /// Fields of our own, which nobody is shown.
    pub fn private(self) -> &'static [&'static str] {
        match self {
            Kind::Session => &["subscription_data", "payment_intent_data", "customer_was_made"],
            Kind::Subscription => &["pending_lines", "trial_end_told"],
            _ => &[],
        }
    }
}
