//! What can be asked of `tollgate key`.

use clap::{Args, Subcommand, ValueEnum};
use metering::{AccountId, AddressRange, Credits, KeyCaps, KeyId, KeyMode, KeyPolicy, PolicyError, Rate, Scope};

use super::values::{Span, rate, span};

#[derive(Clone, Copy, ValueEnum)]
pub enum Mode {
    Live,
    Test,
}

impl From<Mode> for KeyMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Live => Self::Live,
            Mode::Test => Self::Test,
        }
    }
}

/// What a key is held to.
#[derive(Args)]
pub struct PolicyArgs {
    /// A scope it has; may be repeated. Without, it has every scope.
    #[arg(long = "scope")]
    scopes: Vec<Scope>,
    /// Addresses it may be used from: `203.0.113.0/24`, `2001:db8::/32`, `203.0.113.7`; may be repeated. Without, from anywhere.
    #[arg(long = "address")]
    addresses: Vec<AddressRange>,
    /// How often it may be used: `minute=60/1m` is 60 a minute, `second=5/1s:2` is 5 a second with 2 at once; may be repeated.
    #[arg(long = "rate", value_name = "NAME=COUNT/SPAN[:BURST]", value_parser = rate)]
    rates: Vec<Rate>,
    /// The most it may draw in a day (UTC); 0 is no cap, as without.
    #[arg(long, value_name = "CREDITS")]
    cap_day: Option<Credits>,
    /// The most it may draw in a budget period of its account; 0 is no cap, as without.
    #[arg(long, value_name = "CREDITS")]
    cap_month: Option<Credits>,
}

impl PolicyArgs {
    pub fn policy(self) -> Result<KeyPolicy, PolicyError> {
        let cap = |credits: Option<Credits>| credits.filter(|credits| !credits.is_zero());
        let caps = KeyCaps { day: cap(self.cap_day), month: cap(self.cap_month) };
        KeyPolicy::new(self.scopes, self.addresses, self.rates)?.with_caps(caps)
    }
}

#[derive(Subcommand)]
pub enum KeyCommand {
    /// Issue a key. It is shown once, here, and kept nowhere.
    Issue {
        #[arg(long)]
        account: AccountId,
        /// For people.
        #[arg(long, default_value = "api key")]
        name: String,
        #[arg(long, value_enum, default_value = "live")]
        mode: Mode,
        /// Refuse it after this long: 90s, 15m, 12h, 30d. Without, it does not expire.
        #[arg(long, value_name = "SPAN", value_parser = span)]
        expires_in: Option<Span>,
        #[command(flatten)]
        policy: PolicyArgs,
    },
    /// Hold a key to this policy, in place of the one it has; without any of its options, to none.
    Set {
        #[arg(long)]
        key: KeyId,
        #[command(flatten)]
        policy: PolicyArgs,
    },
    /// Replace a key by a new one with the same name and policy. The new one is shown once, here; until the grace is over both
    /// are good and count against the same rates.
    Rotate {
        #[arg(long)]
        key: KeyId,
        /// How long the old key is still good: 90s, 15m, 12h, 30d.
        #[arg(long, value_name = "SPAN", value_parser = span, default_value = "24h")]
        grace: Span,
        /// Refuse the new key after this long. Without, it does not expire.
        #[arg(long, value_name = "SPAN", value_parser = span)]
        expires_in: Option<Span>,
    },
    /// Revoke a key.
    Revoke {
        #[arg(long)]
        key: KeyId,
    },
    /// List an account's keys, revoked ones too.
    List {
        #[arg(long)]
        account: AccountId,
    },
}
