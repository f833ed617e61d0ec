//! What every page is made of: the frame around it, the notice on top, and a refusal shown to a person.

pub mod activity;
pub mod billing;
pub mod keys;
pub mod notice;
pub mod operator;
pub mod refused;
pub mod settings;
pub mod shell;
pub mod when;
