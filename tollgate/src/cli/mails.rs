//! What can be asked of `tollgate mails` and `tollgate suppressions`.

use clap::{Args, Subcommand, value_parser};
use ledger::mails::MailState;
use metering::AccountId;

use super::values::mail_state;

#[derive(Subcommand)]
pub enum MailsCommand {
    /// The latest ones, each with how far it is and what is in its way.
    List(MailsAsked),
    /// One with all that happened to it.
    Show {
        /// Its number, as `list` names it.
        mail: u64,
    },
    /// Have one sent again, as settings, recipients and the list of suppressions are by then; under the same Message-ID. Needs `--reason`.
    Resend { mail: u64 },
}

#[derive(Args)]
pub struct MailsAsked {
    /// Only about this account.
    #[arg(long)]
    pub account: Option<AccountId>,
    /// Only those that are queued, sending, sent, delivered, bounced, complained, suppressed, `held_back`, failed or unknown.
    #[arg(long, value_parser = mail_state)]
    pub state: Option<MailState>,
    /// Only older ones than this: the last of the page before.
    #[arg(long, value_name = "MAIL")]
    pub after: Option<u64>,
    /// At most this many.
    #[arg(long, default_value_t = 50, value_parser = value_parser!(u32).range(1..=200))]
    pub limit: u32,
}

#[derive(Subcommand)]
pub enum SuppressionsCommand {
    /// Addresses that nothing is sent to, in the order of their letters.
    List {
        /// Only those after this address.
        #[arg(long, value_name = "ADDRESS")]
        after: Option<String>,
        /// At most this many.
        #[arg(long, default_value_t = 50, value_parser = value_parser!(u32).range(1..=10_000))]
        limit: u32,
    },
    /// Send nothing to an address from now on. Needs `--reason`.
    Add { address: String },
    /// Send to an address again. Mails that were not sent meanwhile are not sent by themselves. Needs `--reason`.
    #[command(visible_alias = "remove")]
    Release { address: String },
}
