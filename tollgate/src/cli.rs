//! What can be asked of the command.

mod dead_letters;
mod key;
mod mails;
mod stripe;
mod values;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use metering::{
    AccountId, BudgetAnchor, Credits, LotId, OpId, SessionSubject, SessionVersion, ShardCount, Status, TimeMs,
};

pub use dead_letters::DeadLettersCommand;
pub use key::KeyCommand;
pub use mails::{MailsAsked, MailsCommand, SuppressionsCommand};
pub use stripe::{
    CheckoutCommand, EventsAsked, EventsCommand, ParkedCommand, PaymentsAsked, PaymentsCommand, PlansCommand,
    PortalCommand, StripeCommand,
};
pub use values::Span;
use values::{anchor, instant, shard_count, span};

/// Tollgate's book: accounts, lots, budgets, keys, and whether all of it is true.
#[derive(Parser)]
#[command(name = "tollgate", version, arg_required_else_help = true)]
pub struct Cli {
    /// Settings, laid over the compiled-in defaults.
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// Answer in JSON.
    #[arg(long, global = true)]
    pub json: bool,
    /// Check the settings, say so, and exit.
    #[arg(long)]
    pub check: bool,
    #[command(flatten)]
    pub by: ByArgs,
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The reason of whoever gives none.
pub const NO_REASON: &str = "no reason given";

/// Who changes something, and why: both go into the audit.
#[derive(Args)]
pub struct ByArgs {
    /// Who you are.
    #[arg(long, visible_alias = "by", global = true, default_value = "operator")]
    pub actor: String,
    /// Why you change it.
    #[arg(long, global = true, default_value = NO_REASON)]
    pub reason: String,
}

#[derive(Subcommand)]
pub enum Command {
    /// Create or update the schema of the book. The shard count is fixed for ever by the first run.
    Migrate {
        #[arg(long, default_value = "16", value_parser = shard_count)]
        shards: ShardCount,
    },
    /// Accounts: create, show, find, set the status.
    #[command(subcommand)]
    Account(AccountCommand),
    /// Lots: grant, end, take credits out.
    #[command(subcommand)]
    Lot(LotCommand),
    /// Monthly budgets.
    #[command(subcommand)]
    Budget(BudgetCommand),
    /// API keys: issue, hold to a policy, rotate, revoke, list.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Sessions of browsers: end them before they expire, list what is still good.
    #[command(subcommand)]
    Session(SessionCommand),
    /// What changed an account's balance, latest first.
    Entries {
        #[arg(long)]
        account: AccountId,
        /// At most this many.
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// What a request drew, from which lots, and whether that stands; by its id (`Request-Id`, `Credits-Receipt`), or by the id of what
    /// gave it back. Exit code 1 when the book has no such debit; the code says what is known instead.
    Receipt { id: OpId },
    /// Why a request was let in: each check in its order, with the numbers at that instant.
    Explain { request: OpId },
    /// An account's balance at an earlier instant, recomputed from its entries, with the lots and the last entries that made it.
    Balance {
        account: AccountId,
        /// The instant, by the clock of the account's shard: 2026-12-31T00:00:00Z. Without, now.
        #[arg(long, value_name = "INSTANT", value_parser = instant)]
        at: Option<TimeMs>,
        /// How many of the last entries to show.
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(0..=10_000))]
        entries: u32,
    },
    /// Write an account's live state anew from the book, while traffic flows, and say what that changed. Refused, with exit code 2, where
    /// the book does not agree with itself.
    Rebuild {
        #[arg(long)]
        account: AccountId,
        /// How long to wait for the owner of its shard: 30s, 2m.
        #[arg(long, value_name = "SPAN", value_parser = span, default_value = "30s")]
        wait: Span,
    },
    /// Events that could not be applied: list them, look at them, apply them after all, or give them up.
    #[command(subcommand)]
    DeadLetters(DeadLettersCommand),
    /// Recompute accounts from their entries and compare them with live state. Exit code 2 when something differs or is parked.
    Verify {
        /// Only these; without, every account.
        #[arg(long)]
        account: Vec<AccountId>,
        /// Only the book, without looking at Redis.
        #[arg(long)]
        book_only: bool,
    },
    /// Where every credit went, in one table; exit code 2 when it does not add up. Waits until nothing is under way.
    Audit(AuditArgs),
    /// Incidents: rebuilds of live state and what else went wrong.
    #[command(subcommand)]
    Incidents(IncidentsCommand),
    /// What was lost with live state, by account, and who witnessed it.
    Losses {
        /// Only of this incident.
        #[arg(long)]
        incident: Option<u64>,
        /// Only of this account, debit by debit.
        #[arg(long)]
        account: Option<AccountId>,
    },
    /// Mails: what became of each, and one sent again.
    #[command(subcommand)]
    Mails(MailsCommand),
    /// Addresses that nothing is sent to: they bounced, somebody complained, or an operator said so.
    #[command(subcommand)]
    Suppressions(SuppressionsCommand),
    /// Plans: what can be bought, and whether Stripe has it so.
    #[command(subcommand)]
    Plans(PlansCommand),
    /// Checkouts: open one for an account.
    #[command(subcommand)]
    Checkout(CheckoutCommand),
    /// Stripe's customer portal: open it for an account.
    #[command(subcommand)]
    Portal(PortalCommand),
    /// What Stripe has told, and whether the book agrees with it.
    #[command(subcommand)]
    Stripe(StripeCommand),
}

#[derive(Subcommand)]
pub enum IncidentsCommand {
    /// The latest ones.
    List {
        /// At most this many.
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// One, with what it has cost.
    Show {
        #[arg(long)]
        incident: u64,
    },
}

#[derive(Args)]
pub struct AuditArgs {
    /// Only these; without, every account.
    #[arg(long)]
    pub account: Vec<AccountId>,
    /// What callers were told, a line an answer: `OP STATUS CREDITS`, and `broken` behind where the answer broke off.
    #[arg(long, value_name = "FILE")]
    pub receipts: Option<PathBuf>,
    /// Debits that have no receipt are counted from this instant on.
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    pub since: Option<TimeMs>,
    /// And up to this instant.
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    pub until: Option<TimeMs>,
    /// How long to wait until nothing is under way.
    #[arg(long, value_name = "SPAN", value_parser = span, default_value = "30s")]
    pub wait: Span,
}

#[derive(Subcommand)]
pub enum AccountCommand {
    /// Make an account. Names need not be unique.
    Create {
        #[arg(long)]
        name: String,
        /// trial, active, approved, pending, `payment_failed` or suspended.
        #[arg(long, default_value = "trial")]
        status: Status,
        /// Where its mails go.
        #[arg(long)]
        email: Option<String>,
        /// Day of the month (1 to 28) on which its budget period starts.
        #[arg(long, default_value = "1", value_parser = anchor)]
        anchor_day: BudgetAnchor,
    },
    /// Show an account: status, lots in burn order, budget, and whether book and live state agree.
    Show {
        #[arg(long)]
        account: AccountId,
    },
    /// Find accounts by name, letters' case aside.
    Find {
        #[arg(long)]
        name: String,
    },
    /// Set an account's status.
    Status {
        #[arg(long)]
        account: AccountId,
        /// trial, active, approved, pending, `payment_failed` or suspended.
        #[arg(long)]
        status: Status,
    },
}

/// When something ends: after a while, or at an instant.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct Expiry {
    /// After this long: 90s, 15m, 12h, 30d.
    #[arg(long, value_name = "SPAN", value_parser = span)]
    pub expires_in: Option<Span>,
    /// At this instant: 2026-12-31T00:00:00Z.
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    pub expires_at: Option<TimeMs>,
}

#[derive(Subcommand)]
pub enum LotCommand {
    /// Grant credits.
    Grant {
        #[arg(long)]
        account: AccountId,
        /// How many, at least 1.
        #[arg(long)]
        credits: Credits,
        #[command(flatten)]
        expiry: Expiry,
        /// What they are, for people.
        #[arg(long, default_value = "adjustment")]
        product: String,
    },
    /// End a lot now, or move its end to another instant.
    Expire {
        #[arg(long)]
        lot: LotId,
        /// At this instant instead of now: 2026-12-31T00:00:00Z.
        #[arg(long, value_name = "INSTANT", value_parser = instant)]
        at: Option<TimeMs>,
    },
    /// Take credits out of a lot: as many as are there, at most this many.
    Reduce {
        #[arg(long)]
        lot: LotId,
        #[arg(long)]
        credits: Credits,
    },
}

#[derive(Subcommand)]
pub enum BudgetCommand {
    /// Set the monthly budget of an active or approved account.
    Set {
        #[arg(long)]
        account: AccountId,
        /// Credits a month; 0 = no cap.
        #[arg(long)]
        limit: Credits,
    },
}

#[derive(Subcommand)]
pub enum SessionCommand {
    /// End sessions: tokens of every version so far are refused from within a second on. Tokens that are signed from now on must
    /// carry the version this answers.
    End {
        #[arg(long)]
        account: AccountId,
        /// Only of this person, as the claim `sub` names it. Without, of everybody.
        #[arg(long)]
        subject: Option<SessionSubject>,
        /// End those below this version instead, at least the one that holds.
        #[arg(long)]
        version: Option<SessionVersion>,
    },
    /// List the least versions that are still good.
    List {
        #[arg(long)]
        account: AccountId,
    },
}
