//! A line of the activity page.

use ledger::{ActivityKind, ActivityLine};

use super::kind_words;
use crate::activity::details::{self, Detail};
use crate::activity::words;
use crate::pages::when::When;

/// One thing that happened.
pub struct ActivityRow {
    pub at: When,
    pub kind: &'static str,
    pub says: String,
    pub who: String,
    pub why: String,
    /// The word of the book for it.
    pub word: String,
    pub subject: Option<String>,
    pub details: Vec<Detail>,
}

/// A choice of the filter.
pub struct KindChoice {
    pub word: &'static str,
    pub text: &'static str,
    pub chosen: bool,
}

/// All choices; an address may hold several kinds, and then the first of them is shown as chosen.
pub fn kinds(asked: &str) -> Vec<KindChoice> {
    let chosen = asked.split(',').next();
    let choice = |kind: &ActivityKind| {
        let word = kind.as_str();
        KindChoice { word, text: kind_words(*kind), chosen: chosen == Some(word) }
    };
    ActivityKind::ALL.iter().map(choice).collect()
}

/// Of a delivery of which no more is known the book says how far it is, which stands there already.
fn why(line: &ActivityLine) -> String {
    let state = line.after.as_ref().and_then(|after| after.get("state")?.as_str());
    if state == Some(line.reason.as_str()) { String::new() } else { line.reason.clone() }
}

impl From<ActivityLine> for ActivityRow {
    fn from(line: ActivityLine) -> Self {
        Self {
            at: When::instant(line.at),
            kind: kind_words(line.kind),
            says: words::sentence(&line),
            who: words::actor(&line.actor).to_owned(),
            details: details::of(&line),
            why: why(&line),
            word: line.what,
            subject: line.subject,
        }
    }
}
