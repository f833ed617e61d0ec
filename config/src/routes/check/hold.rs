//! The checks of a price that is known only when the upstream has done its work.

use std::time::Duration;

use super::super::file::{HoldPrice, ReportEntry, ReportWord};
use super::super::{Hold, Report};
use super::price::pointer;
use crate::credits::CREDITS_MAX;

/// A quarter of an hour: longer than nearly every stream.
const HOLD_MS_MAX: u64 = 900_000;
/// Half a day: the book looks for the debit of a hold that is released in the day before.
const LONGEST_MS: u64 = 43_200_000;

/// `route_ms`: the route's own deadlines, one after the other.
pub(super) fn check(written: &HoldPrice, route_ms: u64) -> Result<Hold, String> {
    let credits = written.hold;
    if !(1..=CREDITS_MAX).contains(&credits) {
        return Err(format!("a hold must be 1 to {CREDITS_MAX} credits"));
    }
    let unreported = written.unreported.unwrap_or(credits);
    if unreported > credits {
        return Err(format!("unreported = {unreported} is more than what is held"));
    }
    let hold_ms_max = written.hold_ms_max.unwrap_or(HOLD_MS_MAX);
    if hold_ms_max <= route_ms || hold_ms_max > LONGEST_MS {
        return Err(format!(
            "hold_ms_max = {hold_ms_max} must be above connect_ms + write_ms + response_ms = {route_ms}, else a hold could be released \
             under way, and at most {LONGEST_MS}"
        ));
    }
    Ok(Hold { credits, report: report(&written.report)?, unreported, hold_max: Duration::from_millis(hold_ms_max) })
}

fn report(written: &ReportEntry) -> Result<Report, String> {
    match written {
        ReportEntry::Word(ReportWord::Header) => Ok(Report::Header),
        ReportEntry::Word(ReportWord::Trailer) => Ok(Report::Trailer),
        ReportEntry::Json(place) => Ok(Report::Json { pointer: pointer(&place.json)? }),
        ReportEntry::LastEvent(place) => Ok(Report::LastEvent { pointer: pointer(&place.last_event)? }),
        ReportEntry::Bytes(bytes) if bytes.bytes_per_credit > 0 => {
            Ok(Report::Bytes { per_credit: bytes.bytes_per_credit })
        }
        ReportEntry::Bytes(_) => Err("bytes_per_credit must be 1 or more".to_owned()),
    }
}
