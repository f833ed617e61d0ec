//! Who a request speaks for: the account behind its key, or the account and person behind its session.

use std::sync::Arc;

use http::HeaderValue;
use metering::{AccountId, KeyId};

use crate::key_cache::Caller;
use crate::session::Session;

#[derive(Clone, Debug)]
pub enum Principal {
    Key(Arc<Caller>),
    Session(Arc<Session>),
}

impl Principal {
    pub fn account(&self) -> AccountId {
        match self {
            Self::Key(caller) => caller.account,
            Self::Session(session) => session.account,
        }
    }

    /// What upstreams are told.
    pub fn account_value(&self) -> &HeaderValue {
        match self {
            Self::Key(caller) => &caller.account_value,
            Self::Session(session) => &session.account_value,
        }
    }

    /// `None` for a session: no key's policy or revocation binds it.
    pub fn caller(&self) -> Option<&Caller> {
        match self {
            Self::Key(caller) => Some(caller),
            Self::Session(_) => None,
        }
    }

    /// `None` for a session.
    pub fn key(&self) -> Option<KeyId> {
        self.caller().map(|caller| caller.key)
    }
}
