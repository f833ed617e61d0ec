//! What can be asked of `tollgate plans`, `checkout`, `portal` and `stripe`.

use clap::{Args, Subcommand, value_parser};
use ledger::stripe::DeliveryState;
use metering::{AccountId, TimeMs};

use super::values::{delivery_state, instant, stripe_word, url};

#[derive(Subcommand)]
pub enum PlansCommand {
    /// Every plan of the plans file: what it grants and asks, and whether it can be bought. Asks nothing of Stripe.
    List,
    /// Fetch every plan's price and product from Stripe, note them, and say what is missing or differs. Exit code 2 when a plan can't be
    /// bought.
    Sync,
}

#[derive(Subcommand)]
pub enum CheckoutCommand {
    /// Open a checkout of a plan and print where its payer goes. Credits and status change once it is paid and Stripe has told so.
    Create {
        #[arg(long)]
        account: AccountId,
        /// Code of the plan, as `plans list` shows it.
        #[arg(long)]
        plan: String,
        /// Repeated under the same key it is the same checkout. Without, a new key.
        #[arg(long, value_name = "KEY")]
        idempotency_key: Option<String>,
        /// Where the browser goes after paying, instead of where the settings say.
        #[arg(long, value_name = "URL", value_parser = url)]
        success_url: Option<String>,
        /// Where it goes when its payer turns back.
        #[arg(long, value_name = "URL", value_parser = url)]
        cancel_url: Option<String>,
    },
}

#[derive(Subcommand)]
pub enum PortalCommand {
    /// Print a way into Stripe's customer portal that is good for some minutes. Needs a customer, who comes with the first checkout.
    Create {
        #[arg(long)]
        account: AccountId,
    },
}

#[derive(Subcommand)]
pub enum StripeCommand {
    /// Deliveries of Stripe's events: list them, look at one, have one applied again.
    #[command(subcommand)]
    Events(EventsCommand),
    /// Deliveries that could not be applied and wait for a decision.
    #[command(subcommand)]
    Parked(ParkedCommand),
    /// Hold what Stripe says was paid, refunded, disputed and subscribed against the book. Exit code 2 when differences are left.
    Reconcile {
        /// From this instant on: 2026-12-31T00:00:00Z. Without, from a day before the last look that left nothing, or a month back.
        #[arg(long, value_name = "INSTANT", value_parser = instant)]
        since: Option<TimeMs>,
        /// Mend what differs, as the deliveries would have.
        #[arg(long)]
        repair: bool,
    },
    /// Payments: what each granted, and what of it was taken back.
    #[command(subcommand)]
    Payments(PaymentsCommand),
}

#[derive(Subcommand)]
pub enum EventsCommand {
    /// The latest ones.
    List(EventsAsked),
    /// One with its body as it came, and what it changed.
    Show {
        /// `evt_…`, as `list` names it.
        #[arg(value_parser = stripe_word)]
        event: String,
    },
    /// Have one applied again from its stored body; what is in the book already changes nothing. Needs `--reason`.
    Replay {
        #[arg(value_parser = stripe_word)]
        event: String,
    },
}

#[derive(Args)]
pub struct EventsAsked {
    /// Only those that are waiting, applied, ignored, parked or resolved.
    #[arg(long, value_parser = delivery_state)]
    pub state: Option<DeliveryState>,
    /// Only of this type: `invoice.paid`.
    #[arg(long = "type", value_name = "TYPE", value_parser = stripe_word)]
    pub kind: Option<String>,
    /// Only about this account.
    #[arg(long)]
    pub account: Option<AccountId>,
    /// At most this many.
    #[arg(long, default_value_t = 50, value_parser = value_parser!(u32).range(1..=10_000))]
    pub limit: u32,
}

#[derive(Subcommand)]
pub enum ParkedCommand {
    /// The latest ones, each with what kept it out.
    List {
        /// Only about this account.
        #[arg(long)]
        account: Option<AccountId>,
        /// At most this many.
        #[arg(long, default_value_t = 50, value_parser = value_parser!(u32).range(1..=10_000))]
        limit: u32,
    },
    /// Say that nothing is to be done about one. Needs `--reason`.
    Resolve {
        #[arg(value_parser = stripe_word)]
        event: String,
    },
}

#[derive(Subcommand)]
pub enum PaymentsCommand {
    /// The latest ones.
    List(PaymentsAsked),
}

#[derive(Args)]
pub struct PaymentsAsked {
    /// Only of this account.
    #[arg(long)]
    pub account: Option<AccountId>,
    /// Only those paid from this instant on. Without, of the last 30 days, or all of the account.
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    pub since: Option<TimeMs>,
    /// At most this many.
    #[arg(long, default_value_t = 50, value_parser = value_parser!(u32).range(1..=10_000))]
    pub limit: u32,
}
