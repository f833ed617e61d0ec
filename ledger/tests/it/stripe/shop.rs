//! A shop: one account that pays through Stripe, and Stripe that tells of it.

use ledger::stripe::{
    Checkout, CheckoutEnd, CheckoutOutcome, Delivery, Effect, InvoiceFailure, Outcome, Payment, PaymentRef, Reversal,
    ReversalKind, SubscriptionReport, SubscriptionStatus,
};
use metering::{AccountId, Status, TimeMs};

use crate::actors::{DAY, NOON, Operator, by, credits};

/// So many seconds after noon.
pub fn at(seconds: u64) -> TimeMs {
    NOON.plus_ms(seconds * 1_000)
}

/// An account with a customer. Ids of Stripe end in the shop's name, so that several shops share a book.
pub struct Shop<'a> {
    pub operator: &'a Operator,
    pub account: AccountId,
    pub name: String,
}

impl<'a> Shop<'a> {
    pub async fn opens(operator: &'a Operator, name: &str, status: Status) -> Shop<'a> {
        let account = operator.account(status).await;
        let shop = Self { operator, account, name: name.to_owned() };
        let email = format!("{name}@example.com");
        operator.db.ledger.link_customer(account, &shop.id("cus"), Some(&email), &by(NOON)).await.unwrap();
        shop
    }

    pub fn id(&self, kind: &str) -> String {
        format!("{kind}_{}", self.name)
    }

    #[expect(clippy::unnecessary_wraps, reason = "for fields that may be empty")]
    pub fn some(&self, kind: &str) -> Option<String> {
        Some(self.id(kind))
    }

    pub async fn receives(&self, event: &str) {
        let event = self.id(event);
        let body = b"{}".to_vec();
        let delivery = Delivery { event, kind: "test".to_owned(), api_version: None, live: false, created: NOON, body };
        self.operator.db.ledger.record_delivery(&delivery, NOON).await.unwrap();
    }

    /// The event is recorded, if it is new, and applied.
    pub async fn hears(&self, event: &str, effects: &[Effect]) -> Outcome {
        self.hears_at(event, effects, at(100)).await
    }

    pub async fn hears_at(&self, event: &str, effects: &[Effect], now: TimeMs) -> Outcome {
        self.receives(event).await;
        self.operator.db.ledger.apply_delivery(&self.id(event), effects, &by(now)).await.unwrap()
    }

    /// The same, and it must be applied.
    pub async fn takes(&self, event: &str, effects: &[Effect]) {
        let outcome = self.hears(event, effects).await;
        assert!(matches!(outcome, Outcome::Applied(_)), "{event}: {outcome:?}");
    }

    /// The same, and it must be parked: why?
    pub async fn refuses(&self, event: &str, effects: &[Effect]) -> String {
        match self.hears(event, effects).await {
            Outcome::Parked(why) => why.code,
            other => panic!("{event} was to be parked: {other:?}"),
        }
    }

    pub async fn status(&self) -> Status {
        self.operator.sees(self.account).await.status
    }

    pub async fn originals(&self) -> Vec<u64> {
        let mut lots = self.operator.sees(self.account).await.lots;
        lots.sort_by_key(|lot| lot.lot);
        lots.iter().map(|lot| lot.original.get()).collect()
    }

    pub async fn state_of(&self, event: &str) -> String {
        let found = self.operator.db.ledger.delivery(&self.id(event)).await.unwrap().unwrap();
        match found.parked {
            Some(why) => format!("{} {}", found.state, why.code),
            None => found.state.to_string(),
        }
    }

    pub async fn mails(&self) -> Vec<&'static str> {
        let mails = self.operator.db.ledger.queued_mails(0, 1_000).await.unwrap();
        mails.iter().filter(|mail| mail.account == self.account).map(|mail| mail.kind.as_str()).collect()
    }

    /// What is asked of a payment's lot, what was taken, what it had no more.
    pub async fn clawed(&self, payment: &str) -> (u64, Option<u64>, Option<u64>) {
        let names = PaymentRef { invoice: self.some(payment), ..PaymentRef::default() };
        let view = self.operator.db.ledger.payment(&names).await.unwrap().unwrap();
        (view.asked.get(), view.taken.map(metering::Credits::get), view.shortfall.map(metering::Credits::get))
    }

    pub async fn opens_checkout(&self, recurring: bool) {
        let checkout = Checkout {
            session: self.id("cs"),
            account: self.account,
            customer: self.id("cus"),
            plan: "team".to_owned(),
            price: "price_team".to_owned(),
            recurring,
            amount: 2_000,
            currency: "eur".to_owned(),
            url: "https://pay.example/cs".to_owned(),
            opened_at: NOON,
            expires_at: None,
        };
        self.operator.db.ledger.enter_checkout(&checkout, &by(NOON)).await.unwrap();
    }

    pub fn checkout_ended(&self, outcome: CheckoutOutcome) -> CheckoutEnd {
        CheckoutEnd {
            session: self.id("cs"),
            account: Some(self.account),
            customer: self.some("cus"),
            outcome,
            amount: Some(2_000),
            currency: Some("eur".to_owned()),
            email: Some(format!("payer-{}@example.com", self.name)),
            subscription: self.some("sub"),
            payment_intent: None,
            at: at(2),
        }
    }

    /// An invoice of the subscription: 100 credits for 20 euros, for 30 days from its day on.
    pub fn invoice(&self, invoice: &str, paid_at: TimeMs) -> Payment {
        let period_end = Some(paid_at.plus_ms(30 * DAY));
        Payment {
            payment: self.id(invoice),
            payment_intent: None,
            charge: None,
            session: None,
            subscription: self.some("sub"),
            customer: self.some("cus"),
            account: None,
            plan: "team".to_owned(),
            product: "Team".to_owned(),
            credits: credits(100),
            prorated: false,
            amount: 2_000,
            currency: "eur".to_owned(),
            period_end,
            paid_at,
            expires_at: paid_at.plus_ms(30 * DAY),
        }
    }

    /// A one-off pack: 50 credits.
    pub fn pack(&self, payment: &str, paid_at: TimeMs) -> Payment {
        Payment { subscription: None, period_end: None, credits: credits(50), ..self.invoice(payment, paid_at) }
    }

    pub fn subscription(&self, status: SubscriptionStatus, as_of: TimeMs) -> SubscriptionReport {
        SubscriptionReport {
            subscription: self.id("sub"),
            customer: self.some("cus"),
            account: None,
            status,
            was: None,
            invoice: None,
            plan: Some("team".to_owned()),
            period_end: None,
            cancel_at_period_end: false,
            trial_end: None,
            as_of,
        }
    }

    pub fn failed(&self, invoice: &str, as_of: TimeMs) -> InvoiceFailure {
        InvoiceFailure {
            invoice: self.id(invoice),
            subscription: self.some("sub"),
            customer: self.some("cus"),
            account: None,
            first: false,
            action_required: false,
            as_of,
        }
    }

    /// The payment intent and the charge of an invoice have its name.
    pub fn linked(&self, invoice: &str) -> Effect {
        Effect::PaymentLinked { invoice: self.id(invoice), payment_intent: self.id(&format!("pi_{invoice}")) }
    }

    /// As newer API versions say it: nothing names the invoice.
    fn names(&self, invoice: &str) -> PaymentRef {
        PaymentRef {
            invoice: None,
            payment_intent: self.some(&format!("pi_{invoice}")),
            charge: self.some(&format!("ch_{invoice}")),
        }
    }

    /// So much of 2 000 went back.
    pub fn refund(&self, invoice: &str, refunded: u64) -> Effect {
        let kind = ReversalKind::Refund { charge: self.id(&format!("ch_{invoice}")), refunded, amount: 2_000 };
        Effect::Reversed(Reversal { payment: self.names(invoice), kind, at: at(40) })
    }

    pub fn dispute(&self, invoice: &str) -> Effect {
        let kind = ReversalKind::Dispute { dispute: self.id(&format!("dp_{invoice}")) };
        Effect::Reversed(Reversal { payment: self.names(invoice), kind, at: at(40) })
    }

    pub fn won(&self, invoice: &str) -> Effect {
        Effect::DisputeWon { dispute: self.id(&format!("dp_{invoice}")), at: at(50) }
    }
}
