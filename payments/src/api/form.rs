//! Forms and queries as Stripe takes them.

use std::fmt::Write;

/// `a[b]=c&d=e`, percent-encoded.
pub(super) fn encode(fields: &[(&str, &str)]) -> String {
    let mut form = String::new();
    for (name, value) in fields {
        if !form.is_empty() {
            form.push('&');
        }
        append(&mut form, name);
        form.push('=');
        append(&mut form, value);
    }
    form
}

/// One segment of a path, so that an id can lead nowhere else.
pub(super) fn segment(id: &str) -> String {
    let mut segment = String::new();
    append(&mut segment, id);
    segment
}

fn append(to: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'~' => to.push(char::from(byte)),
            // Writing to a text does not fail. A dot is encoded, too: `..` must not climb out of a path.
            _ => drop(write!(to, "%{byte:02X}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_meaning_in_a_form_is_encoded() {
        assert_eq!(encode(&[]), "");
        assert_eq!(encode(&[("a[0][b]", "c d&e=f+ü"), ("g", "")]), "a%5B0%5D%5Bb%5D=c%20d%26e%3Df%2B%C3%BC&g=");
        assert_eq!(encode(&[("k", "AZaz09-_~")]), "k=AZaz09-_~");
    }

    #[test]
    fn an_id_leads_nowhere_else() {
        assert_eq!(segment("in_1"), "in_1");
        assert_eq!(segment("../v1?x#y%"), "%2E%2E%2Fv1%3Fx%23y%25");
    }
}
