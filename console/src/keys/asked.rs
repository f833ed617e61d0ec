//! What a key shall be called and be held to, as people and programs write it; each part is refused in words that say how it is written.

use metering::{AddressRange, Credits, KeyCaps, KeyMode, KeyPolicy, Rate, Scope, TimeMs};

/// As the book takes it.
const NAME_LETTERS_MAX: usize = 200;

/// A key that is asked for, every part of it checked.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Asked {
    /// For people.
    pub name: String,
    /// Whether it is for real work.
    pub mode: KeyMode,
    /// First instant at which it is refused.
    pub expires_at: Option<TimeMs>,
    /// What it is held to.
    pub policy: KeyPolicy,
}

/// A name: what people read, in one line.
pub fn name(text: &str) -> Result<String, String> {
    let name = text.trim();
    if name.is_empty() || name.chars().count() > NAME_LETTERS_MAX || name.chars().any(char::is_control) {
        return Err(format!("A name has 1 to {NAME_LETTERS_MAX} letters, in one line."));
    }
    Ok(name.to_owned())
}

/// `live` or `test`.
pub fn mode(text: &str) -> Result<KeyMode, String> {
    [KeyMode::Live, KeyMode::Test]
        .into_iter()
        .find(|mode| mode.as_str() == text)
        .ok_or_else(|| "A key is for live or for test use.".to_owned())
}

/// Scopes, each once, in the order they were written.
pub fn scopes<'a>(words: impl Iterator<Item = &'a str>) -> Result<Vec<Scope>, String> {
    each(words, |word| format!("“{word}” is no scope: one has 1 to 64 of a-z, 0-9, _ . : and -."))
}

/// Address ranges, each once, in the order they were written.
pub fn addresses<'a>(words: impl Iterator<Item = &'a str>) -> Result<Vec<AddressRange>, String> {
    each(words, |word| {
        format!("“{word}” is no address range: write it like 203.0.113.0/24, 2001:db8::/32 or 203.0.113.7.")
    })
}

fn each<'a, T>(words: impl Iterator<Item = &'a str>, wrong: impl Fn(&str) -> String) -> Result<Vec<T>, String>
where
    T: std::str::FromStr + PartialEq,
{
    let mut found: Vec<T> = Vec::new();
    for word in words {
        let one = word.parse().map_err(|_| wrong(&word.chars().take(80).collect::<String>()))?;
        if !found.contains(&one) {
            found.push(one);
        }
    }
    Ok(found)
}

/// Words of a field: between spaces, commas and line breaks.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| letter.is_whitespace() || letter == ',').filter(|word| !word.is_empty())
}

/// A cap; nothing or 0 is none.
pub fn cap(text: &str) -> Result<Option<Credits>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let credits: Credits = text.parse().map_err(|_| {
        let most = crate::show::credits(Credits::MAX);
        format!("A cap is a whole number of credits up to {most}; empty or 0 means no cap.")
    })?;
    Ok(Some(credits).filter(|credits| !credits.is_zero()))
}

/// The day from whose midnight on a key is refused; nothing is never.
pub fn expires_on(text: &str, now: TimeMs) -> Result<Option<TimeMs>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let day: ledger::Day = text.parse().map_err(|error| format!("This is no day: {error}."))?;
    later(day.starts_at(), now).map(Some)
}

/// An instant as programs write it, RFC 3339.
pub fn expires_at(text: &str, now: TimeMs) -> Result<TimeMs, String> {
    let instant: Option<jiff::Timestamp> = text.parse().ok();
    let at = instant.and_then(|instant| u64::try_from(instant.as_millisecond()).ok());
    later(TimeMs::new(at.ok_or("This is no instant: write it like 2026-11-26T04:00:00Z.")?), now)
}

fn later(at: TimeMs, now: TimeMs) -> Result<TimeMs, String> {
    if at > now { Ok(at) } else { Err("A key expires in the future.".to_owned()) }
}

/// A policy of these parts; how often a key may be used is set by operators and stays as it is.
pub fn policy(
    scopes: Vec<Scope>,
    addresses: Vec<AddressRange>,
    caps: KeyCaps,
    rates: &[Rate],
) -> Result<KeyPolicy, String> {
    let policy = KeyPolicy::new(scopes, addresses, rates.to_vec()).and_then(|policy| policy.with_caps(caps));
    policy.map_err(|error| format!("This can't be: {error}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: TimeMs = TimeMs::new(1_795_665_600_000);

    #[test]
    fn a_name_is_one_line_of_letters() {
        assert_eq!(name("  build server "), Ok("build server".to_owned()));
        assert!(name(&"ä".repeat(200)).is_ok());
        for wrong in ["", "  ", "a\nb", "a\0b", &"ä".repeat(201)] {
            assert!(name(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn words_stand_between_spaces_commas_and_lines_and_count_once() {
        let found = scopes(words("messages, batch\nmessages\t")).unwrap();
        assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), ["messages", "batch"]);
        assert!(scopes(words("messages Batch")).unwrap_err().starts_with("“Batch”"));
        assert_eq!(addresses(words("10.0.0.0/8, ::1")).unwrap().len(), 2);
        assert!(addresses(words("10.0.0.0/33")).unwrap_err().contains("10.0.0.0/33"));
        assert!(scopes(words(&"x".repeat(5_000))).unwrap_err().chars().count() < 200, "it is quoted in part");
    }

    #[test]
    fn a_cap_of_nothing_is_no_cap() {
        assert_eq!([cap(""), cap(" 0 ")], [Ok(None), Ok(None)]);
        assert_eq!(cap("40"), Ok(Credits::new(40).ok()));
        for wrong in ["-1", "1.5", "many", "9007199254740992"] {
            assert!(cap(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_key_expires_in_the_future_or_never() {
        assert_eq!(expires_on("", NOW), Ok(None));
        assert_eq!(expires_on("2026-11-27", NOW), Ok(Some(NOW.plus_ms(20 * 3_600_000))));
        assert!(expires_on("2026-11-26", NOW).is_err(), "its midnight is past");
        assert!(expires_on("27.11.2026", NOW).is_err());
        assert_eq!(expires_at("2026-11-26T04:00:00.001Z", NOW), Ok(NOW.plus_ms(1)));
        assert_eq!(expires_at("2026-11-26T05:00:01+01:00", NOW), Ok(NOW.plus_ms(1_000)));
        for wrong in ["2026-11-26T04:00:00Z", "2026-11-26", "-000001-01-01T00:00:00Z", ""] {
            assert!(expires_at(wrong, NOW).is_err(), "{wrong}");
        }
    }
}
