//! Values as people write them: spans, instants, days, counts.

use ledger::mails::MailState;
use ledger::stripe::DeliveryState;
use metering::{BudgetAnchor, IdError, Rate, ShardCount, TimeMs};

/// Stripe takes no longer ones.
const URL_BYTES_MAX: usize = 2_048;
/// Stripe's own ids and types are shorter.
const STRIPE_WORD_BYTES_MAX: usize = 255;

/// A length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub ms: u64,
}

/// Reads `90s`, `15m`, `12h` or `30d`.
pub fn span(text: &str) -> Result<Span, String> {
    let wrong = || "a span is a whole number and s, m, h or d: 90s, 15m, 12h, 30d".to_owned();
    let unit_at = text.len().checked_sub(1).filter(|&at| text.is_char_boundary(at)).ok_or_else(wrong)?;
    let (digits, unit) = text.split_at(unit_at);
    let unit_ms = match unit {
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(wrong()),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    let count: u64 = digits.parse().map_err(|_| wrong())?;
    count.checked_mul(unit_ms).filter(|&ms| ms > 0).map(|ms| Span { ms }).ok_or_else(wrong)
}

/// Reads an instant with its offset: `2026-12-31T00:00:00Z`.
pub fn instant(text: &str) -> Result<TimeMs, String> {
    let wrong = || "an instant is written like 2026-12-31T00:00:00Z".to_owned();
    let instant: jiff::Timestamp = text.parse().map_err(|_| wrong())?;
    u64::try_from(instant.as_millisecond()).map(TimeMs::new).map_err(|_| "an instant lies after 1970".to_owned())
}

/// Reads `NAME=COUNT/SPAN` or `NAME=COUNT/SPAN:BURST`.
pub fn rate(text: &str) -> Result<Rate, String> {
    let wrong = || "a rate is written like minute=60/1m or second=5/1s:2".to_owned();
    let count = |digits: &str| digits.parse::<u32>().map_err(|_| wrong());
    let (name, rest) = text.split_once('=').ok_or_else(wrong)?;
    let (requests, rest) = rest.split_once('/').ok_or_else(wrong)?;
    let (period, burst) = rest.split_once(':').map_or((rest, None), |(period, burst)| (period, Some(burst)));
    let burst = burst.map(count).transpose()?;
    Rate::new(name, count(requests)?, span(period)?.ms, burst).map_err(|error| error.to_string())
}

pub fn anchor(text: &str) -> Result<BudgetAnchor, IdError> {
    BudgetAnchor::new(text.parse().unwrap_or(0)) // 0 is refused with the words for it
}

pub fn shard_count(text: &str) -> Result<ShardCount, IdError> {
    ShardCount::new(text.parse().unwrap_or(0)) // 0 is refused with the words for it
}

/// Where a browser may be sent; whether its scheme is allowed depends on the mode of the installation.
pub fn url(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let sound = rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
        && text.len() <= URL_BYTES_MAX
        && text.bytes().all(|byte| byte.is_ascii_graphic());
    if sound { Ok(text.to_owned()) } else { Err("a URL starts with https:// or http://".to_owned()) }
}

/// An id of Stripe's (`evt_…`), or a type (`invoice.paid`).
pub fn stripe_word(text: &str) -> Result<String, String> {
    let sound = (1..=STRIPE_WORD_BYTES_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if sound { Ok(text.to_owned()) } else { Err(format!("1 to {STRIPE_WORD_BYTES_MAX} printable letters")) }
}

pub fn delivery_state(text: &str) -> Result<DeliveryState, String> {
    DeliveryState::from_word(text).ok_or_else(|| {
        let words: Vec<&str> = DeliveryState::ALL.iter().map(|state| state.as_str()).collect();
        format!("a delivery is {}", words.join(", "))
    })
}

pub fn mail_state(text: &str) -> Result<MailState, String> {
    MailState::from_word(text).ok_or_else(|| {
        let words: Vec<&str> = MailState::ALL.iter().map(|state| state.as_str()).collect();
        format!("a mail is {}", words.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_a_scheme_and_a_host() {
        for good in ["https://a.example/ok?s={CHECKOUT_SESSION_ID}", "http://127.0.0.1:8080/"] {
            assert_eq!(url(good).as_deref(), Ok(good));
        }
        let long = format!("https://{}", "a".repeat(URL_BYTES_MAX));
        for wrong in ["", "a.example", "ftp://a", "https://", "https:///a", "https://a b", "https://ü", &long] {
            assert!(url(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn words_of_stripe_are_printable_and_states_are_known() {
        assert!(stripe_word("evt_1").is_ok() && stripe_word(&"e".repeat(255)).is_ok());
        for wrong in ["", "evt 1", "evt\n", &"e".repeat(256)] {
            assert!(stripe_word(wrong).is_err(), "{wrong:?}");
        }
        assert_eq!(mail_state("held_back"), Ok(MailState::HeldBack));
        assert!(mail_state("lost").is_err_and(|why| why.starts_with("a mail is queued, sending, sent")));
        assert_eq!(delivery_state("parked"), Ok(DeliveryState::Parked));
        assert_eq!(delivery_state("gone"), Err("a delivery is waiting, applied, ignored, parked, resolved".to_owned()));
    }

    #[test]
    fn a_span_is_a_count_and_a_unit() {
        assert_eq!(span("30d"), Ok(Span { ms: 2_592_000_000 }));
        assert_eq!(span("90s"), Ok(Span { ms: 90_000 }));
        for wrong in ["", "d", "30", "0d", "-1d", "+1d", "1.5d", "1w", "1 d", "1ü", "99999999999999999999d"] {
            assert!(span(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_rate_has_a_name_a_count_a_span_and_perhaps_a_burst() {
        assert_eq!(rate("minute=60/1m"), Ok(Rate::new("minute", 60, 60_000, None).unwrap()));
        assert_eq!(rate("second=5/1s:2"), Ok(Rate::new("second", 5, 1_000, Some(2)).unwrap()));
        for wrong in [
            "",
            "60/1m",
            "minute=60",
            "minute=0/1m",
            "minute=60/1m:0",
            "Minute=60/1m",
            "minute=-1/1m",
            "minute=60/1m:x",
        ] {
            assert!(rate(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_instant_has_an_offset() {
        assert_eq!(instant("1970-01-01T00:00:01Z"), Ok(TimeMs::new(1_000)));
        assert_eq!(instant("1970-01-01T02:00:00+02:00"), Ok(TimeMs::EPOCH));
        for wrong in ["", "2026-12-31", "2026-12-31T00:00:00", "1969-12-31T00:00:00Z", "tomorrow"] {
            assert!(instant(wrong).is_err(), "{wrong}");
        }
    }
}
