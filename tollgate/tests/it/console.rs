//! The console as people meet it: in a real browser, by the gateway, with every program real but Stripe and the upstream.

mod budget;
mod buying;
mod chat;
mod extremes;
mod keys;
mod mails;
mod operators;
mod paying;
mod pictures;
mod reach;
mod without_scripts;

use crate::browser::Browser;
use crate::stack::{Customer, Plan, Role, Stack};

/// One of each program, a console behind the gateway, a pretend Stripe with the demo plans.
async fn shop() -> Stack {
    Stack::with(Plan { webhooks: 1, console: true, ..Plan::default() }).await
}

/// The same with mails.
async fn shop_with_notices() -> Stack {
    Stack::with(Plan { webhooks: 1, console: true, notices: true, ..Plan::default() }).await
}

/// The same without anything to buy.
async fn house() -> Stack {
    Stack::with(Plan { console: true, ..Plan::default() }).await
}

impl Browser {
    /// Signs somebody in, and goes on to a page.
    async fn signs_in(&self, stack: &Stack, customer: &Customer, role: Role, to: &str) {
        self.open(&stack.sign_in_url(customer, role, to)).await;
        assert_eq!(self.url().await, format!("{}{to}", stack.console().url), "{}", self.text().await);
    }

    /// Opens another page of the console.
    async fn goes_to(&self, stack: &Stack, path: &str) {
        self.open(&format!("{}{path}", stack.console().url)).await;
    }

    /// Whether what has these words on it can't be pressed, and the sentence beside it that says why.
    async fn is_off_because(&self, words: &str) -> String {
        let element = self.named(words).await;
        assert!(!element.is_enabled().await.unwrap(), "“{words}” can be pressed");
        let why = element.attr("aria-describedby").await.unwrap().unwrap_or_default();
        let why = why.split(' ').next().unwrap_or_default().to_owned();
        assert!(!why.is_empty(), "nothing says why “{words}” can't be pressed");
        self.element(&format!("#{why}")).await.text().await.unwrap()
    }
}
