//! How pages write numbers, times and words: one way everywhere, and the filters of the templates.

use metering::{Credits, Status, TimeMs};

/// Why the controls of the budget are off; the API refuses by the same words.
pub const BUDGET_NOTE: &str = "Budget controls appear after the account is approved.";

/// Thousands apart by a thin space that does not break: 1 234 567.
pub fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut shown = String::with_capacity(digits.len() + digits.len() / 3 * 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            shown.push('\u{202f}');
        }
        shown.push(digit);
    }
    shown
}

/// Credits, without the word.
pub fn credits(credits: Credits) -> String {
    number(credits.get())
}

/// `12 credits`, `1 credit`.
pub fn credits_in_words(credits: Credits) -> String {
    format!("{} {}", number(credits.get()), if credits.get() == 1 { "credit" } else { "credits" })
}

/// What of a whole is a hundred, rounded down; 100 where there is no whole.
pub fn percent(part: Credits, whole: Credits) -> u64 {
    if whole.is_zero() {
        return 100;
    }
    let percent = u128::from(part.get()) * 100 / u128::from(whole.get());
    u64::try_from(percent).map_or(100, |percent| percent.min(100))
}

/// `2026-11-26 03:59 UTC`.
pub fn instant(at: TimeMs) -> String {
    written(at, "%Y-%m-%d %H:%M UTC")
}

/// `2026-11-26 03:59:07 UTC`, for what happens several times a minute.
pub fn second(at: TimeMs) -> String {
    written(at, "%Y-%m-%d %H:%M:%S UTC")
}

/// `2026-11-26`.
pub fn day(at: TimeMs) -> String {
    written(at, "%Y-%m-%d")
}

/// As machines read it: RFC 3339, for `<time datetime>`.
pub fn machine(at: TimeMs) -> String {
    written(at, "%Y-%m-%dT%H:%M:%SZ")
}

fn written(at: TimeMs, format: &str) -> String {
    let millis = i64::try_from(at.as_u64()).unwrap_or(i64::MAX);
    let instant = jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX);
    instant.strftime(format).to_string()
}

/// How long ago, or how far ahead, roughly: `12 s`, `5 min`, `3 h`, `9 days`.
pub fn span(ms: u64) -> String {
    let seconds = ms / 1_000;
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", number(seconds / 86_400)),
    }
}

/// An account's status for people.
pub fn status(status: Status) -> &'static str {
    match status {
        Status::Trial => "Trial",
        Status::Active => "Active",
        Status::Approved => "Operator-approved",
        Status::Pending => "Pending",
        Status::PaymentFailed => "Payment failed",
        Status::Suspended => "Suspended",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        let shown =
            [0, 999, 1_000, 1_234_567, 9_007_199_254_740_991].map(|value| number(value).replace('\u{202f}', " "));
        assert_eq!(shown, ["0", "999", "1 000", "1 234 567", "9 007 199 254 740 991"]);
    }

    #[test]
    fn a_part_is_never_rounded_up_to_the_whole() {
        let of = |part, whole| percent(Credits::new(part).unwrap(), Credits::new(whole).unwrap());
        assert_eq!([of(0, 40), of(399, 400), of(400, 400), of(500, 400), of(0, 0)], [0, 99, 100, 100, 100]);
        assert_eq!(of(Credits::MAX.get(), Credits::MAX.get()), 100);
    }

    #[test]
    fn times_say_their_zone() {
        let at = TimeMs::new(1_795_665_600_000);
        assert_eq!(
            (instant(at), day(at), machine(at)),
            ("2026-11-26 04:00 UTC".to_owned(), "2026-11-26".to_owned(), "2026-11-26T04:00:00Z".to_owned())
        );
        assert_eq!(
            [span(0), span(119_999), span(120_000), span(8_000_000), span(172_800_000)],
            ["0 s", "119 s", "2 min", "2 h", "2 days"]
        );
    }
}
