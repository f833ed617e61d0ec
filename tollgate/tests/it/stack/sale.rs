//! What customers of the stack buy, and what the book then says of them.

use ledger::AccountView;
use ledger::stripe::SubscriptionView;
use metering::Status;
use payments::{Opened, Plans, Urls};
use serde_json::json;

use super::{Answer, Call, Customer, Plan, Stack, Stripe, by};

impl Stack {
    /// One of each program, and a pretend Stripe with the demo plans.
    pub async fn shop(webhook_settings: &'static str) -> Self {
        Self::with(Plan { webhooks: 1, webhook_settings, ..Plan::default() }).await
    }

    pub fn stripe(&self) -> &Stripe {
        self.stripe.as_ref().expect("a stack with a webhook has a pretend Stripe")
    }

    /// An account that never had a plan, and its key; known to live state.
    pub async fn newcomer(&self) -> Customer {
        let customer = self.customer_with(Status::Pending, 0).await;
        self.wait_carried().await;
        customer
    }

    /// Opens a checkout as the Billing screen does.
    pub async fn open_checkout(&self, customer: &Customer, plan: &str, key: &str) -> Opened {
        let webhook = self.webhooks.first().expect("there is a webhook");
        let settings: config::webhook::Settings =
            config::load(config::Service::Webhook, Some(&webhook.settings)).unwrap();
        let stripe = payments::Stripe::new(&settings.stripe).unwrap();
        let (plans, urls) = (Plans::read(&settings.stripe).unwrap(), Urls::of(&settings.stripe));
        let (ledger, by) = (&self.book.ledger, by(self.now().await));
        payments::open_checkout(ledger, stripe.as_ref(), &plans, customer.account, plan, key, &urls, &by).await.unwrap()
    }

    /// Pays it at Stripe, with a card that is good.
    pub async fn pay(&self, opened: &Opened) {
        self.stripe().order(&format!("sessions/{}/pay", opened.session), &json!({})).await;
    }

    /// Buys a plan, and waits until every delivery about it has come to its end.
    pub async fn buy(&self, customer: &Customer, plan: &str) {
        let opened = self.open_checkout(customer, plan, plan).await;
        self.pay(&opened).await;
        self.wait_told().await;
    }

    /// Until nothing is left to be delivered, applied or carried to live state.
    pub async fn wait_told(&self) {
        self.stripe().delivered().await;
        super::wait_until("every delivery is settled", async || {
            self.book.ledger.delivery_backlog().await.unwrap().0 == 0
        })
        .await;
        self.wait_carried().await;
    }

    pub async fn view(&self, customer: &Customer) -> AccountView {
        self.book.ledger.account_view(customer.account, self.now().await).await.unwrap()
    }

    /// Status, and the credits of each lot as they were granted.
    pub async fn standing(&self, customer: &Customer) -> (Status, Vec<u64>) {
        let view = self.view(customer).await;
        (view.status, view.lots.iter().map(|lot| lot.original.get()).collect())
    }

    /// The one subscription of a customer.
    pub async fn subscription(&self, customer: &Customer) -> SubscriptionView {
        let mut all = self.book.ledger.subscriptions(Some(customer.account), None, 10).await.unwrap();
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    /// `200`, or status and code of a refusal.
    pub async fn call(&self, customer: &Customer) -> String {
        what(&self.send(&customer.key, Call::chat()).await)
    }
}

/// What an answer comes to.
fn what(answer: &Answer) -> String {
    if answer.status == 200 { "200".to_owned() } else { answer.problem() }
}
