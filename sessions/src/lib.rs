//! Sessions: how a browser proves its account and its person, by a token that somebody trusted has signed.
//!
//! Algorithm, keys, issuer and audience are the settings'. A token chooses nothing: its `alg` must be the one that is set, and its
//! `kid` is only an index into the keys that are known. Nothing is read from the store; whether somebody has ended the session since is
//! for each service to look up.

mod claims;
mod key_set;
mod key_source;
mod ring_provider;
mod session;
mod verify;
mod watch;

pub use key_source::{Fetch, KeySource};
pub use session::{Refused, Session, SessionFault};
pub use verify::Sessions;
pub use watch::{Lookup, Watch};
