//! Who a request speaks for: the account behind its key, or the account and person behind its session.

use std::sync::Arc;

use http::HeaderValue;
use metering::{AccountId, KeyId, Status};
use sessions::Session;

use crate::key_cache::Caller;

#[derive(Clone, Debug)]
pub enum Principal {
    Key(Arc<Caller>),
    /// With the status of its account as it was when the session was checked.
    Session(Arc<Session>, Status),
}

impl Principal {
    pub fn account(&self) -> AccountId {
        match self {
            Self::Key(caller) => caller.account,
            Self::Session(session, _) => session.account,
        }
    }

    pub fn account_status(&self) -> Status {
        match self {
            Self::Key(caller) => caller.account_status,
            Self::Session(_, status) => *status,
        }
    }

    /// What upstreams are told.
    pub fn account_value(&self) -> &HeaderValue {
        match self {
            Self::Key(caller) => &caller.account_value,
            Self::Session(session, _) => &session.account_value,
        }
    }

    /// `None` for a session: no key's policy or revocation binds it.
    pub fn caller(&self) -> Option<&Caller> {
        match self {
            Self::Key(caller) => Some(caller),
            Self::Session(..) => None,
        }
    }

    /// `None` for a session.
    pub fn key(&self) -> Option<KeyId> {
        self.caller().map(|caller| caller.key)
    }
}
