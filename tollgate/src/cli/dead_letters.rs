//! What can be asked of `tollgate dead-letters`.

use clap::Subcommand;
use ledger::LetterId;
use metering::AccountId;

use super::values::{Span, span};

#[derive(Subcommand)]
pub enum DeadLettersCommand {
    /// List open letters.
    List {
        /// Only of this account.
        #[arg(long)]
        account: Option<AccountId>,
        /// Those that were applied or discarded, too.
        #[arg(long)]
        all: bool,
    },
    /// Show a letter with the fields of its event.
    Show {
        /// `s003/7-1234`, as `list` names it.
        letter: LetterId,
    },
    /// Apply every open letter of an account, in order, once what kept them out is mended.
    Retry {
        /// Any letter of the account.
        #[arg(required_unless_present = "account", conflicts_with = "account")]
        letter: Option<LetterId>,
        /// The account.
        #[arg(long)]
        account: Option<AccountId>,
        /// Give up events of the account that are missing between its letters; its live state is then written anew from the book.
        #[arg(long)]
        skip_missing: bool,
        /// How long to wait for the owner of the shard, which carries it out.
        #[arg(long, value_name = "SPAN", value_parser = span, default_value = "30s")]
        wait: Span,
    },
    /// Give letters up, apply the others of their account, and write its live state anew from the book. Needs `--reason`.
    Discard {
        /// Letters of one account.
        #[arg(required_unless_present = "account", conflicts_with = "account")]
        letters: Vec<LetterId>,
        /// Every open letter of this account, of its earliest incarnation that has some.
        #[arg(long)]
        account: Option<AccountId>,
        /// How long to wait for the owner of the shard, which carries it out.
        #[arg(long, value_name = "SPAN", value_parser = span, default_value = "30s")]
        wait: Span,
    },
}
