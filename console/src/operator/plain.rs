//! Bytes and texts of others, shown so that they can't pass for something else: what is no plain text is written out.

use std::fmt::Write;

/// Whether a letter stands where it is written and is what it looks like: no control, and none that turns a line around.
pub fn is_plain(letter: char) -> bool {
    let turns =
        matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{061c}');
    let hides = matches!(letter, '\u{200b}' | '\u{feff}' | '\u{2028}' | '\u{2029}');
    !letter.is_control() && !turns && !hides
}

/// Bytes as text where they are plain text, else as hex digits.
pub fn bytes(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.chars().all(is_plain) => text.to_owned(),
        _ => format!("0x{}", metering::hex(bytes)),
    }
}

/// A text with its lines, in which everything else that is not plain is written out: `\u{202e}`.
pub fn lines(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter == '\n' || is_plain(letter) {
            shown.push(letter);
        } else {
            shown.extend(letter.escape_unicode());
        }
    }
    shown
}

/// The same in one line.
pub fn line(text: &str) -> String {
    lines(&text.split_ascii_whitespace().collect::<Vec<_>>().join(" "))
}

/// As one part of an address.
pub fn in_path(part: &str) -> String {
    let mut path = String::with_capacity(part.len());
    for byte in part.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~@".contains(&byte) {
            path.push(char::from(byte));
        } else {
            let _ = write!(path, "%{byte:02X}"); // writing to a String never fails
        }
    }
    path
}

/// A text that names something in the book: what can't stand there names nothing.
pub fn name(text: String) -> Option<String> {
    Some(text).filter(|text| text.len() <= 400 && !text.contains('\0'))
}

/// The first letters of a text, and whether there are more.
pub fn cut(text: &str, letters_max: usize) -> (String, bool) {
    let mut letters = text.chars();
    let first: String = letters.by_ref().take(letters_max).collect();
    (first, letters.next().is_some())
}

/// A body as it came: JSON in its lines, else the text, else hex digits.
pub fn body(body: &[u8]) -> String {
    match serde_json::from_slice::<serde_json::Value>(body) {
        Ok(value) => lines(&format!("{value:#}")),
        Err(_) => std::str::from_utf8(body).map_or_else(|_| bytes(body), lines),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_plain_text_is_written_out() {
        assert_eq!(bytes(b"7:3,9:1"), "7:3,9:1");
        assert_eq!(bytes(b"\x1b[2J"), "0x1b5b324a");
        assert_eq!(bytes(&[0xff, 0]), "0xff00");
        assert_eq!(bytes("a\u{202e}b".as_bytes()), "0x61e280ae62");
        assert_eq!(lines("a\nb\u{202e}c\u{7f}"), "a\nb\\u{202e}c\\u{7f}");
    }

    #[test]
    fn a_body_is_json_in_its_lines_or_what_it_is() {
        assert_eq!(body(br#"{"a":"<b>\u202e"}"#), "{\n  \"a\": \"<b>\\u{202e}\"\n}");
        assert_eq!(body(b"not json <script>"), "not json <script>");
        assert_eq!(body(&[0xff]), "0xff");
    }

    #[test]
    fn a_part_of_an_address_ends_where_it_ends() {
        assert_eq!(in_path("evt_1"), "evt_1");
        assert_eq!(in_path("a/../b?c#d é"), "a%2F..%2Fb%3Fc%23d%20%C3%A9");
    }

    #[test]
    fn a_cut_is_told() {
        assert_eq!(cut("abc", 3), ("abc".to_owned(), false));
        assert_eq!(cut("äbc", 2), ("äb".to_owned(), true));
    }
}
