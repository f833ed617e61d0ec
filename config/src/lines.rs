//! Finds the line of a TOML file on which a key stands, so that an error can name it.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

/// The line (from 1) of a byte offset.
pub(crate) fn line_at(text: &str, offset: usize) -> usize {
    text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count() + 1
}

/// The line of the deepest part of `path` that the text holds; `None` where the text holds none of it.
pub(crate) fn line_of(text: &str, path: &[String]) -> Option<usize> {
    let root = DeTable::parse(text).ok()?;
    deepest(root.get_ref(), path).map(|span| line_at(text, span.start))
}

fn deepest(table: &DeTable<'_>, path: &[String]) -> Option<Range<usize>> {
    let (first, rest) = path.split_first()?;
    let (key, value) = table.iter().find(|(key, _)| key.get_ref().as_ref() == first)?;
    let inside = match value.get_ref() {
        DeValue::Table(inner) => deepest(inner, rest),
        _ => None,
    };
    inside.or_else(|| Some(key.span()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_on_its_line() {
        let text = "a = 1\n\n[redis]\nurl = \"x\"\nwait = 3\n";
        let line = |path: &str| line_of(text, &path.split('.').map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(line("a"), Some(1));
        assert_eq!(line("redis.wait"), Some(5));
        assert_eq!(line("redis.absent"), Some(3));
        assert_eq!(line("absent"), None);
    }
}
