//! The faults that can be ordered, and how they are written: `delay=1500, status=503`.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};

/// What goes wrong with one request. A delay can stand alone or before another fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fault {
    /// Waited before anything is answered.
    pub delay: Duration,
    pub kind: Kind,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    #[default]
    None,
    /// Another status instead of the answer.
    Status(StatusCode),
    /// The request is read and never answered.
    Silence,
    /// The connection is closed before a single byte of an answer.
    Refuse,
    /// The connection breaks in the middle of the body.
    Cut,
    /// A stream ends cleanly, but its terminal event is missing. Other answers are whole.
    CleanCut,
    /// The body stops in the middle, and the connection stays open.
    Stall,
}

/// An ordered delay is no reason to hold a connection for ever; silence is.
const DELAY_MAX: Duration = Duration::from_mins(10);

impl Fault {
    pub fn parse(text: &str) -> Result<Fault, String> {
        let mut fault = Fault::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let kind = match part.split_once('=') {
                Some(("delay", ms)) => {
                    fault.delay = parse_delay(ms)?;
                    continue;
                }
                Some(("status", code)) => Kind::Status(parse_status(code)?),
                _ => parse_word(part)?,
            };
            if fault.kind != Kind::None {
                return Err(format!("{text}: one fault at a time, with a delay before it if you like"));
            }
            fault.kind = kind;
        }
        Ok(fault)
    }

    pub fn to_json(self) -> Value {
        json!({ "delay_ms": u64::try_from(self.delay.as_millis()).unwrap_or(u64::MAX), "kind": format!("{:?}", self.kind) })
    }
}

fn parse_delay(ms: &str) -> Result<Duration, String> {
    let delay =
        ms.parse().map(Duration::from_millis).map_err(|_| format!("delay={ms} is no number of milliseconds"))?;
    if delay > DELAY_MAX { Err(format!("delay={ms} is over {} ms", DELAY_MAX.as_millis())) } else { Ok(delay) }
}

fn parse_status(code: &str) -> Result<StatusCode, String> {
    let status = code.parse::<StatusCode>().ok().filter(|status| (200..600).contains(&status.as_u16()));
    status.ok_or_else(|| format!("status={code} is no final status"))
}

fn parse_word(word: &str) -> Result<Kind, String> {
    Ok(match word {
        "none" => Kind::None,
        "silence" => Kind::Silence,
        "refuse" => Kind::Refuse,
        "cut" => Kind::Cut,
        "clean-cut" => Kind::CleanCut,
        "stall" => Kind::Stall,
        other => {
            return Err(format!(
                "{other}: the faults are status=N, delay=MS, silence, refuse, cut, clean-cut, stall and none"
            ));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_goes_with_another_fault() {
        let fault = Fault::parse("delay=1500, status=503").unwrap();
        assert_eq!(fault.delay, Duration::from_millis(1500));
        assert_eq!(fault.kind, Kind::Status(StatusCode::SERVICE_UNAVAILABLE));
        assert_eq!(Fault::parse("").unwrap(), Fault::default());
    }

    #[test]
    fn what_is_no_fault_is_refused_in_words() {
        for text in ["delay=soon", "delay=999999999", "status=99", "status=600", "cut, silence", "explode"] {
            assert!(Fault::parse(text).is_err(), "{text} was taken");
        }
    }
}
