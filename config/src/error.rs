//! What a wrong setting is answered with: where it stands and what is wrong with it.

use std::fmt;
use std::path::Path;

/// The exit code of a program that refuses its settings (`EX_USAGE`), so that a supervisor need not restart it in vain.
pub const EXIT_CODE: u8 = 64;

/// A setting that can't be used. Its text names the file and line, or the variable, and never the value of a secret.
#[derive(Debug)]
pub struct ConfigError {
    place: String,
    what: String,
}

impl ConfigError {
    pub(crate) fn at_line(file: &str, line: usize, what: impl fmt::Display) -> Self {
        Self { place: format!("{file}:{line}"), what: what.to_string() }
    }

    pub(crate) fn in_file(file: &Path, what: impl fmt::Display) -> Self {
        Self { place: file.display().to_string(), what: what.to_string() }
    }

    /// For a check that only the service itself can make.
    pub fn about_key(key: &str, what: impl fmt::Display) -> Self {
        Self { place: format!("key `{key}`"), what: what.to_string() }
    }

    pub(crate) fn in_variable(name: &str, what: impl fmt::Display) -> Self {
        Self { place: format!("variable {name}"), what: what.to_string() }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

impl std::error::Error for ConfigError {}

/// Refuses the first of these numbers that is 0.
pub(crate) fn at_least_one(numbers: &[(&str, u64)]) -> Result<(), ConfigError> {
    match numbers.iter().find(|(_, number)| *number == 0) {
        Some((key, _)) => Err(ConfigError::about_key(key, "must be 1 or more")),
        None => Ok(()),
    }
}
