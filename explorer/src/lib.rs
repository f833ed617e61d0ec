//! The protocol between live state and book, gone through step by step in every order that a small scope allows.
//!
//! Depends on nothing: neither on our own crates nor on others. What it models, and what it leaves out, stands in the README.

pub mod experiments;
mod fingerprint;
pub mod guards;
mod invariants;
mod record;
pub mod report;
pub mod scope;
mod scripts;
pub mod search;
mod state;
mod steps;
mod words;

pub use guards::{Guard, Guards};
pub use invariants::Invariant;
pub use scope::{Scope, Size};
pub use search::{Found, Search};
