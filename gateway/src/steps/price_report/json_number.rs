//! Reads one whole number out of JSON, where a pointer says, without building the rest.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// `None`: no JSON, or no whole number there. A name that stands twice is read by nobody.
pub fn json_number(json: &[u8], pointer: &[String]) -> Option<u64> {
    let mut json = serde_json::Deserializer::from_slice(json);
    let number = At(pointer).deserialize(&mut json).ok()?;
    json.end().ok()?;
    number
}

/// What is left of the pointer.
struct At<'a>(&'a [String]);

impl<'de> DeserializeSeed<'de> for At<'_> {
    type Value = Option<u64>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<u64>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for At<'_> {
    type Value = Option<u64>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_u64<E>(self, number: u64) -> Result<Option<u64>, E> {
        Ok(self.0.is_empty().then_some(number))
    }

    fn visit_i64<E>(self, _number: i64) -> Result<Option<u64>, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _number: f64) -> Result<Option<u64>, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, _flag: bool) -> Result<Option<u64>, E> {
        Ok(None)
    }

    fn visit_str<E>(self, _text: &str) -> Result<Option<u64>, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Option<u64>, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Option<u64>, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Option<u64>, A::Error> {
        let wanted = self.0.split_first();
        let mut found = None;
        while let Some(name) = object.next_key::<String>()? {
            match wanted {
                Some((wanted, rest)) if name == *wanted => {
                    if found.replace(object.next_value_seed(At(rest))?).is_some() {
                        return Err(A::Error::custom("a name stands twice"));
                    }
                }
                _ => {
                    object.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(found.flatten())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_number_where_the_pointer_leads() {
        let pointer = ["usage".to_owned(), "credits".to_owned()];
        for (json, number) in [
            (r#"{"usage":{"credits":3}}"#, Some(3)),
            (r#" {"credits":9,"x":[{"usage":1}],"usage":{"tokens":7,"credits":0}} "#, Some(0)),
            (r#"{"usage":{"credits":18446744073709551615}}"#, Some(u64::MAX)),
            (r#"{"usage":{"credits":-3}}"#, None),
            (r#"{"usage":{"credits":3.0}}"#, None),
            (r#"{"usage":{"credits":"3"}}"#, None),
            (r#"{"usage":{"credits":null}}"#, None),
            (r#"{"usage":{"credits":{"credits":3}}}"#, None),
            (r#"{"usage":{"credits":[3]}}"#, None),
            (r#"{"usage":{"credits":3,"credits":4}}"#, None),
            (r#"{"usage":3}"#, None),
            (r#"{"usage":[{"credits":3}]}"#, None),
            (r#"{"usage":{"credits":3}"#, None),
            (r#"{"usage":{"credits":3}} x"#, None),
            ("3", None),
            ("", None),
        ] {
            assert_eq!(json_number(json.as_bytes(), &pointer), number, "{json}");
        }
    }
}
