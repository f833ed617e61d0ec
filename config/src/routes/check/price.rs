//! The checks of a route's price.

use super::super::file::{Entry, HeaderPrice, JsonPrice, PriceEntry};
use super::super::{Auth, Price};
use super::{Source, hold};
use crate::credits::CREDITS_MAX;
use crate::error::ConfigError;

/// A body that holds the price is kept in memory until it has gone upstream.
const BODY_BYTES_MAX: u64 = 1 << 20;
/// Longest pointer, in bytes and in names.
const POINTER_BYTES_MAX: usize = 128;
const POINTER_NAMES_MAX: usize = 8;

pub(super) fn check(source: &Source<'_>, entry: &Entry) -> Result<Price, ConfigError> {
    let price = &entry.price;
    match price.get_ref() {
        PriceEntry::Fixed(0) => Ok(Price::Free),
        PriceEntry::Fixed(credits) if *credits <= CREDITS_MAX => Ok(Price::Fixed(*credits)),
        PriceEntry::Fixed(_) => Err(format!("a price may not pass {CREDITS_MAX}")),
        PriceEntry::FromHeader(from) => from_header(from),
        PriceEntry::FromJson(_) if entry.body_bytes_max > BODY_BYTES_MAX => {
            Err(format!("a price from the body needs body_bytes_max = {BODY_BYTES_MAX} or less"))
        }
        PriceEntry::FromJson(from) => from_json(from),
        PriceEntry::Hold(written) => {
            let route_ms = [entry.connect_ms, entry.write_ms, entry.response_ms]
                .iter()
                .fold(0_u64, |sum, ms| sum.saturating_add(*ms));
            hold::check(written, route_ms).map(Price::Hold)
        }
    }
    .map_err(|what| source.at(price, what))
}

/// 0 = none.
pub(super) fn per_message(source: &Source<'_>, entry: &Entry) -> Result<Option<u64>, ConfigError> {
    let Some(written) = &entry.price_per_message else { return Ok(None) };
    let credits = *written.get_ref();
    if entry.upgrade.is_none() {
        return Err(source.at(written, "a price of messages needs an upgrade to what has messages"));
    }
    if entry.auth == Auth::None {
        return Err(source.at(written, "a price needs auth: nobody could be charged"));
    }
    if credits > CREDITS_MAX {
        return Err(source.at(written, format!("a price may not pass {CREDITS_MAX}")));
    }
    Ok((credits > 0).then_some(credits))
}

fn from_header(from: &HeaderPrice) -> Result<Price, String> {
    if !(1 <= from.min && from.min <= from.max && from.max <= CREDITS_MAX) {
        return Err(format!("a price needs 1 <= min <= max <= {CREDITS_MAX}"));
    }
    let token = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if from.header.is_empty() || !from.header.bytes().all(token) {
        return Err(format!("`{}` is not a header name of letters, digits and -", from.header));
    }
    Ok(Price::FromHeader { name: from.header.to_ascii_lowercase(), min: from.min, max: from.max })
}

fn from_json(from: &JsonPrice) -> Result<Price, String> {
    let (when_true, otherwise) = (from.when_true, from.otherwise);
    if when_true.max(otherwise) > CREDITS_MAX || when_true.max(otherwise) == 0 {
        return Err(format!("one of when_true and otherwise must be a price, and none may pass {CREDITS_MAX}"));
    }
    Ok(Price::FromJson { pointer: pointer(&from.json)?, when_true, otherwise })
}

/// The names to follow from the outermost object.
pub(super) fn pointer(written: &str) -> Result<Vec<String>, String> {
    let wrong = || format!("`{written}` is not a JSON pointer of 1 to {POINTER_NAMES_MAX} names, such as /respond");
    let names = written.strip_prefix('/').filter(|_| written.len() <= POINTER_BYTES_MAX).ok_or_else(wrong)?;
    let pointer: Vec<String> = names.split('/').map(name).collect::<Option<_>>().ok_or_else(wrong)?;
    if pointer.len() > POINTER_NAMES_MAX {
        return Err(wrong());
    }
    Ok(pointer)
}

/// RFC 6901: `~1` is a slash and `~0` a tilde.
fn name(escaped: &str) -> Option<String> {
    let stray = escaped.replace("~0", "").replace("~1", "").contains('~');
    (!escaped.is_empty() && !stray).then(|| escaped.replace("~1", "/").replace("~0", "~"))
}
