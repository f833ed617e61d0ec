//! How pages write numbers, times and words: one way everywhere, and the filters of the templates.

use metering::{Credits, Status};

pub use frame::show::{day, instant, machine, number, second};

/// Why the controls of the budget are off; the API refuses by the same words.
pub const BUDGET_NOTE: &str = "Budget controls appear after the account is approved.";

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

/// The same of a whole that may be none: then nothing of it is.
pub fn share(part: Credits, whole: Credits) -> u64 {
    if whole.is_zero() { 0 } else { percent(part, whole) }
}

/// A budget or a cap, in words.
pub fn cap(limit: Credits) -> String {
    if limit.is_zero() { "No cap".to_owned() } else { credits_in_words(limit) }
}

/// A text that begins large, as sentences do.
pub fn first_large(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
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
    use metering::TimeMs;

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
    fn nothing_of_no_whole_is_used_and_no_limit_is_no_cap() {
        let (none, some) = (Credits::ZERO, Credits::new(40).unwrap());
        assert_eq!([share(none, none), share(some, none), share(none, some), share(some, some)], [0, 0, 0, 100]);
        assert_eq!([cap(none), cap(some)], ["No cap", "40 credits"]);
        assert_eq!([first_large("élan of 2"), first_large("")], ["Élan of 2", ""]);
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
