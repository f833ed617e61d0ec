//! What the book tells live state: one change an outbox row, applied in version order for each account.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{
    BudgetAnchor, Credits, IdError, KeyCaps, KeyId, LotId, OpId, SessionSubject, SessionVersion, Split, Status, TimeMs,
};

/// A change of an account that the book decided on and live state must follow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Change {
    /// The account begins; always control version 1.
    AccountCreated {
        /// Its first status.
        status: Status,
        /// The day of the month on which its budget period starts.
        anchor: BudgetAnchor,
    },
    /// The status is now this.
    StatusSet {
        /// The status.
        status: Status,
    },
    /// The monthly budget is now this.
    BudgetSet {
        /// Credits a month; 0 = no cap.
        limit: Credits,
    },
    /// A lot was granted.
    LotGranted {
        /// The lot.
        lot: LotId,
        /// Its original credits.
        credits: Credits,
        /// First instant at which it can be drawn.
        granted_at: TimeMs,
        /// First instant at which it can no longer be drawn.
        expires_at: TimeMs,
    },
    /// A lot expires at another instant than before.
    LotExpiryMoved {
        /// The lot.
        lot: LotId,
        /// First instant at which it can no longer be drawn.
        expires_at: TimeMs,
    },
    /// Credits are taken out of a lot: what is there, at most this. The event says how much.
    LotReduced {
        /// The lot.
        lot: LotId,
        /// The most to take.
        credits: Credits,
    },
    /// A lot is past its expiry: what is left of it is taken. The event says how much.
    LotExpired {
        /// The lot.
        lot: LotId,
    },
    /// A key may draw no more.
    KeyRevoked {
        /// The key.
        key: KeyId,
    },
    /// A key may draw only so much from now on, or no longer only so much. The account is installed anew, with what the book has
    /// counted: live state counts only keys with caps.
    KeyCapped {
        /// The key.
        key: KeyId,
        /// The most it may draw; empty = no cap of its own.
        caps: KeyCaps,
    },
    /// An operator doubts live state: the account is installed anew from the book, and nothing else changes.
    RebuildAsked,
    /// Sessions of a lower version are over.
    SessionsEnded {
        /// Whose; `None` = everybody's.
        subject: Option<SessionSubject>,
        /// The least version that is still good.
        version: SessionVersion,
    },
    /// The book has decided about an undone debit.
    UndoSettled {
        /// The op of the debit.
        debit_op: OpId,
        /// What to give back to which lots; empty when there was nothing to give back.
        split: Split,
        /// The end of the budget period in which the debit was counted.
        period_end: TimeMs,
        /// Whether live state counts this undo as pending.
        counted: bool,
        /// The key that asked for the debit.
        #[serde(default)]
        key: Option<KeyId>,
        /// When the debit drew; the epoch where that is not known, or nothing was drawn.
        #[serde(default)]
        debited_at: TimeMs,
    },
}

macro_rules! control_kinds {
    ($($(#[$doc:meta])* $kind:ident => $word:literal),+ $(,)?) => {
        /// The kind of a [`Change`], without what it holds.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum ControlKind {
            $($(#[$doc])* $kind),+
        }

        impl ControlKind {
            /// The word for it, as in events, SQL and JSON.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $word),+ }
            }
        }

        impl FromStr for ControlKind {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                match text { $($word => Ok(Self::$kind),)+ _ => Err(IdError { expected: "a kind of control change" }) }
            }
        }

        impl Change {
            /// Which kind of change it is.
            #[must_use]
            pub const fn kind(&self) -> ControlKind {
                match self { $(Self::$kind { .. } => ControlKind::$kind),+ }
            }
        }
    };
}

control_kinds! {
    /// See [`Change::AccountCreated`].
    AccountCreated => "account_created",
    /// See [`Change::StatusSet`].
    StatusSet => "status_set",
    /// See [`Change::BudgetSet`].
    BudgetSet => "budget_set",
    /// See [`Change::LotGranted`].
    LotGranted => "lot_granted",
    /// See [`Change::LotExpiryMoved`].
    LotExpiryMoved => "lot_expiry_moved",
    /// See [`Change::LotReduced`].
    LotReduced => "lot_reduced",
    /// See [`Change::LotExpired`].
    LotExpired => "lot_expired",
    /// See [`Change::KeyRevoked`].
    KeyRevoked => "key_revoked",
    /// See [`Change::KeyCapped`].
    KeyCapped => "key_capped",
    /// See [`Change::RebuildAsked`].
    RebuildAsked => "rebuild_asked",
    /// See [`Change::SessionsEnded`].
    SessionsEnded => "sessions_ended",
    /// See [`Change::UndoSettled`].
    UndoSettled => "undo_settled",
}

impl ControlKind {
    /// Whether its event says how many credits moved, so that the book follows the event and not the row.
    #[must_use]
    pub const fn moves_credits(self) -> bool {
        matches!(self, Self::LotReduced | Self::LotExpired | Self::UndoSettled)
    }
}

impl fmt::Display for ControlKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [ControlKind; 12] = [
        ControlKind::AccountCreated,
        ControlKind::StatusSet,
        ControlKind::BudgetSet,
        ControlKind::LotGranted,
        ControlKind::LotExpiryMoved,
        ControlKind::LotReduced,
        ControlKind::LotExpired,
        ControlKind::KeyRevoked,
        ControlKind::KeyCapped,
        ControlKind::RebuildAsked,
        ControlKind::SessionsEnded,
        ControlKind::UndoSettled,
    ];

    #[test]
    fn a_kind_is_the_same_word_everywhere() {
        for kind in KINDS {
            assert_eq!(kind.to_string(), kind.as_str());
            assert_eq!(kind.as_str().parse(), Ok(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        assert_eq!(ControlKind::LotExpiryMoved.as_str(), "lot_expiry_moved");
        assert!("gift".parse::<ControlKind>().is_err());
    }

    #[test]
    fn a_change_says_which_kind_it_is_and_some_events_say_more_than_their_row() {
        let lot = LotId::new(7).unwrap();
        assert_eq!(Change::LotExpired { lot }.kind(), ControlKind::LotExpired);
        assert_eq!(Change::RebuildAsked.kind(), ControlKind::RebuildAsked);
        let moving: Vec<ControlKind> = KINDS.into_iter().filter(|kind| kind.moves_credits()).collect();
        assert_eq!(moving, [ControlKind::LotReduced, ControlKind::LotExpired, ControlKind::UndoSettled]);
    }
}
