//! A time on a page: for people in UTC with the zone said, for machines in `datetime`.

use std::fmt;

use askama::filters::HtmlSafe;
use metering::TimeMs;

use crate::show;

/// A `<time>` element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct When {
    machine: String,
    text: String,
}

impl When {
    /// To the minute.
    pub fn instant(at: TimeMs) -> Self {
        Self { machine: show::machine(at), text: show::instant(at) }
    }

    /// To the second.
    pub fn second(at: TimeMs) -> Self {
        Self { machine: show::machine(at), text: show::second(at) }
    }

    /// The day alone.
    pub fn day(at: TimeMs) -> Self {
        Self { machine: show::machine(at), text: show::day(at) }
    }

    /// How long ago it was; the instant itself is in `datetime`.
    pub fn ago(at: TimeMs, now: TimeMs) -> Self {
        Self { machine: show::machine(at), text: format!("{} ago", show::span(now.since(at))) }
    }
}

impl fmt::Display for When {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "<time datetime=\"{}\">{}</time>", self.machine, self.text)
    }
}

/// It holds digits and words of ours, nothing that anybody typed.
impl HtmlSafe for When {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_to_people_and_machines() {
        let at = TimeMs::new(1_795_665_600_000);
        let shown = [When::instant(at), When::second(at), When::day(at), When::ago(at, at.plus_ms(5_000))];
        let shown = shown.map(|when| when.to_string());
        let texts = ["2026-11-26 04:00 UTC", "2026-11-26 04:00:00 UTC", "2026-11-26", "5 s ago"];
        assert_eq!(shown, texts.map(|text| format!("<time datetime=\"2026-11-26T04:00:00Z\">{text}</time>")));
    }
}
