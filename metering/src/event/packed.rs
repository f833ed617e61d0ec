//! A debit stands in its stream as one line, and the debits that a call writes together as one entry of one field, `debit`, with the id of the last of
//! them: written alone a debit costs Redis a fifth more, and is read back at a quarter of the speed.

/// The name of that field.
pub(crate) const DEBIT: &str = "debit";

/// Its parts in their order, by the names that fields of other events have. The last two may be missing, the first of them may be empty.
const PARTS: [&str; 8] = ["op", "a", "s", "i", "p", "b", "h", "y"];
const ALWAYS: usize = 6;
const ACCOUNT: usize = 1;
const SPLIT: usize = 2;
const NUMBERS: usize = 5;
const BETWEEN: char = ';';

/// Between the debits of an entry.
pub(crate) const BETWEEN_DEBITS: u8 = b'\n';

/// The fields that a packed debit stands for; `None` where it has too few parts, too many, or ends in one that is empty.
#[must_use]
pub fn unpack(packed: &str) -> Option<Vec<(&'static str, &str)>> {
    let parts: Vec<&str> = packed.split(BETWEEN).collect();
    let (always, more) = parts.split_at_checked(ALWAYS)?;
    if parts.len() > PARTS.len() || more.last().is_some_and(|last| last.is_empty()) {
        return None;
    }
    let mut fields = vec![("v", super::SCHEMA_VERSION), ("k", DEBIT)];
    fields.extend(PARTS.into_iter().zip(always.iter().copied()));
    fields.extend(PARTS.into_iter().zip(parts.iter().copied()).skip(ALWAYS).filter(|(_, part)| !part.is_empty()));
    Some(fields)
}

/// The account that a packed debit names, whatever else is wrong with it.
pub(crate) fn account(packed: &str) -> Option<&str> {
    packed.split(BETWEEN).nth(ACCOUNT)
}

/// What a packed debit drew from which lots, and its numbers.
pub(crate) fn split_and_numbers(packed: &str) -> Option<(&str, &str)> {
    let mut parts = packed.split(BETWEEN);
    Some((parts.nth(SPLIT)?, parts.nth(NUMBERS - SPLIT - 1)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packed_debit_stands_for_the_fields_it_has_parts_for() {
        let always =
            [("v", "1"), ("k", "debit"), ("op", "o"), ("a", "b"), ("s", "7:3"), ("i", ""), ("p", "chat"), ("b", "1 2")];
        let with = |more: &[(&'static str, &'static str)]| Some([&always[..], more].concat());
        assert_eq!(unpack("o;b;7:3;;chat;1 2"), with(&[]));
        assert_eq!(unpack("o;b;7:3;;chat;1 2;9"), with(&[("h", "9")]));
        assert_eq!(unpack("o;b;7:3;;chat;1 2;;k f 3"), with(&[("y", "k f 3")]));
        assert_eq!(unpack("o;b;7:3;;chat;1 2;9;k f 3"), with(&[("h", "9"), ("y", "k f 3")]));
        for wrong in ["", "o;b;7:3;;chat", "o;b;7:3;;chat;1 2;", "o;b;7:3;;chat;1 2;9;", "o;b;7:3;;chat;1 2;9;k f 3;"] {
            assert_eq!(unpack(wrong), None, "{wrong}");
        }
        assert_eq!((account("o;b"), account("o")), (Some("b"), None));
        assert_eq!(split_and_numbers("o;b;7:3;;chat;1 2;9"), Some(("7:3", "1 2")));
        assert_eq!(split_and_numbers("o;b;7:3;;chat"), None);
    }
}
