//! Why a command did not do what it was asked, with a stable code and an exit code.

mod stripe;

use std::error::Error;

use config::ConfigError;
use ledger::{LedgerError, LookError};
use metering::PolicyError;
use metering::live::MeterError;
use serde_json::json;

/// Refused or not found.
pub const REFUSED: u8 = 1;
/// Book and live state differ, or book and Stripe, or the book does not agree with itself.
pub const DRIFT: u8 = 2;
/// `EX_UNAVAILABLE`: a store is away, or not what this program needs.
pub const UNAVAILABLE: u8 = 69;

#[derive(Debug)]
pub struct Failure {
    pub code: &'static str,
    pub message: String,
    /// What was said underneath, for whoever has to mend it.
    pub cause: Option<String>,
    pub exit: u8,
}

impl Failure {
    /// Wrong in itself; nothing was changed.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self { code: "invalid", message: message.into(), cause: None, exit: REFUSED }
    }

    /// Somebody did not answer in time.
    pub fn unavailable(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), cause: None, exit: UNAVAILABLE }
    }

    pub fn print(&self, json: bool) {
        if json {
            let error = json!({ "error": { "code": self.code, "message": self.message, "cause": self.cause } });
            eprintln!("{error}");
        } else {
            let cause = self.cause.as_deref().map(|cause| format!(" ({cause})")).unwrap_or_default();
            eprintln!("tollgate: {}{cause} [{}]", self.message, self.code);
        }
    }
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        let exit = match &error {
            LedgerError::Unavailable(_)
            | LedgerError::Unknown(_)
            | LedgerError::SchemaMissing
            | LedgerError::SchemaOld { .. }
            | LedgerError::SchemaForeign { .. } => UNAVAILABLE,
            LedgerError::BookDiffers { .. } | LedgerError::LettersOpen { .. } => DRIFT,
            _ => REFUSED,
        };
        Self { code: error.code(), message: error.to_string(), cause: cause(&error), exit }
    }
}

impl From<PolicyError> for Failure {
    fn from(error: PolicyError) -> Self {
        Self { code: "invalid", message: error.to_string(), cause: None, exit: REFUSED }
    }
}

impl From<MeterError> for Failure {
    fn from(error: MeterError) -> Self {
        Self { code: "live_unavailable", message: error.to_string(), cause: cause(&error), exit: UNAVAILABLE }
    }
}

impl From<LookError> for Failure {
    fn from(error: LookError) -> Self {
        match error {
            LookError::Book(error) => error.into(),
            LookError::Live(_) | LookError::Stream(_) | LookError::TooSlow(_) => {
                Self { code: "live_unavailable", message: error.to_string(), cause: cause(&error), exit: UNAVAILABLE }
            }
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self { code: "config", message: error.to_string(), cause: None, exit: config::EXIT_CODE }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self { code: "runtime", message: error.to_string(), cause: None, exit: UNAVAILABLE }
    }
}

/// The innermost cause; what lies between says the same in more words.
fn cause(error: &dyn Error) -> Option<String> {
    let mut source = error.source()?;
    while let Some(deeper) = source.source() {
        source = deeper;
    }
    Some(source.to_string())
}
