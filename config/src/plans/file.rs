//! The file of plans as written, before it is checked; every value remembers where it stands.

use serde::Deserialize;
use toml::Spanned;

use super::PlanKind;
use crate::error::ConfigError;
use crate::lines::line_at;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    plan: Vec<Spanned<Entry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    pub code: Spanned<String>,
    pub name: Spanned<String>,
    pub product: Spanned<String>,
    pub price: Spanned<String>,
    pub kind: PlanKind,
    pub amount: Spanned<u64>,
    pub currency: Spanned<String>,
    pub allowance: Spanned<u64>,
    pub trial_days: Option<Spanned<u32>>,
    pub trial_allowance: Option<Spanned<u64>>,
    pub expiry: Spanned<ExpiryEntry>,
    pub order: u32,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "an expiry is \"period_end\" or { days = … }")]
pub(super) enum ExpiryEntry {
    Word(ExpiryWord),
    Days(Days),
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ExpiryWord {
    PeriodEnd,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Days {
    pub days: u32,
}

pub(super) fn parse(name: &str, text: &str) -> Result<Vec<Spanned<Entry>>, ConfigError> {
    let file: File = toml::from_str(text).map_err(|error| {
        let line = line_at(text, error.span().map_or(0, |span| span.start));
        ConfigError::at_line(name, line, error.message())
    })?;
    Ok(file.plan)
}
