//! Reads one true or false out of a JSON body, where a pointer says, without building the rest.
//!
//! What servers read in different ways is refused: a name that stands twice, or once more in other case. Else a caller could
//! say one thing to us and another to the server behind.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Whether there is a `true`; missing and `null` count as `false`. `Err`: no JSON, ambiguous, or no truth value.
pub fn json_flag(body: &[u8], pointer: &[String]) -> Result<bool, serde_json::Error> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let flag = At(pointer).deserialize(&mut json)?;
    json.end()?;
    Ok(flag)
}

/// What is left of the pointer.
struct At<'a>(&'a [String]);

impl<'de> DeserializeSeed<'de> for At<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for At<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "true, false or null" } else { "an object" })
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<bool, E> {
        if self.0.is_empty() { Ok(flag) } else { Ok(false) }
    }

    fn visit_unit<E: Error>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_u64<E: Error>(self, _number: u64) -> Result<bool, E> {
        self.no_flag()
    }

    fn visit_i64<E: Error>(self, _number: i64) -> Result<bool, E> {
        self.no_flag()
    }

    fn visit_f64<E: Error>(self, _number: f64) -> Result<bool, E> {
        self.no_flag()
    }

    fn visit_str<E: Error>(self, _text: &str) -> Result<bool, E> {
        self.no_flag()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<bool, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        self.no_flag()
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<bool, A::Error> {
        let Some((wanted, rest)) = self.0.split_first() else { return self.no_flag() };
        let mut found = None;
        while let Some(name) = object.next_key::<String>()? {
            if !name.eq_ignore_ascii_case(wanted) {
                object.next_value::<IgnoredAny>()?;
            } else if name == *wanted && found.is_none() {
                found = Some(object.next_value_seed(At(rest))?);
            } else {
                return Err(A::Error::custom("a name stands twice"));
            }
        }
        Ok(found.unwrap_or(false))
    }
}

impl At<'_> {
    /// Something else is here: no truth value where one must be, or a place that the pointer does not lead through.
    fn no_flag<E: Error>(&self) -> Result<bool, E> {
        if self.0.is_empty() { Err(E::custom("no truth value")) } else { Ok(false) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flag(body: &str) -> Option<bool> {
        json_flag(body.as_bytes(), &["options".to_owned(), "respond".to_owned()]).ok()
    }

    #[test]
    fn the_flag_is_found_where_the_pointer_says() {
        for (body, found) in [
            (r#"{"options":{"respond":true}}"#, true),
            (r#" {"a":[{"respond":true}],"options":{"x":{"respond":true},"\u0072espond":true}} "#, true),
            (r#"{"options":{"respond":false},"respond":true}"#, false),
            (r#"{"options":{"respond":null}}"#, false),
            (r#"{"options":{}}"#, false),
            (r#"{"options":[true]}"#, false),
            (r#"{"options":"respond"}"#, false),
            (r#"{"options":true}"#, false),
            ("[]", false),
            ("7", false),
        ] {
            assert_eq!(flag(body), Some(found), "{body}");
        }
    }

    #[test]
    fn what_can_be_read_in_two_ways_or_not_at_all_is_refused() {
        for body in [
            "",
            "{",
            "{} {}",
            "\u{feff}{}",
            r#"{"options":{"respond":true}"#,
            r#"{"options":{"respond":true},}"#,
            r#"{"options":{"respond":"true"}}"#,
            r#"{"options":{"respond":1}}"#,
            r#"{"options":{"respond":[true]}}"#,
            r#"{"options":{"respond":{}}}"#,
            r#"{"options":{"respond":false,"respond":true}}"#,
            r#"{"options":{"respond":false,"Respond":true}}"#,
            r#"{"options":{"RESPOND":true}}"#,
            r#"{"options":{"respond":false},"options":{"respond":true}}"#,
            r#"{"options":{"respond":false},"Options":{"respond":true}}"#,
        ] {
            assert_eq!(flag(body), None, "{body}");
        }
        assert!(flag(&format!("{}{}", "[".repeat(200_000), "]".repeat(200_000))).is_some_and(|flag| !flag), "deep");
    }
}
