//! The way from one page of a list to the next, with what the list is narrowed to.

use crate::operator::plain::in_path;

/// Links below a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pager {
    /// The next page, if there is one.
    pub next: Option<String>,
    /// The first page, on those after it.
    pub first: Option<String>,
}

impl Pager {
    /// Of a list at `path`, narrowed to these; empty values narrow nothing.
    pub fn of(path: &str, narrowed: &[(&str, &str)], next: Option<&str>, is_first: bool) -> Self {
        let mut pairs: Vec<String> = narrowed
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}={}", in_path(value)))
            .collect();
        let at =
            |pairs: &[String]| if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) };
        let first = (!is_first).then(|| at(&pairs));
        let next = next.map(|next| {
            pairs.push(format!("after={}", in_path(next)));
            at(&pairs)
        });
        Self { next, first }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_keeps_what_the_list_is_narrowed_to() {
        let narrowed = [("state", "open"), ("account", ""), ("q", "a&b=c")];
        let pager = Pager::of("/x", &narrowed, Some("s003/7-1"), true);
        assert_eq!(pager.next.as_deref(), Some("/x?state=open&q=a%26b%3Dc&after=s003%2F7-1"));
        assert_eq!(pager.first, None);
        let last = Pager::of("/x", &[], None, false);
        assert_eq!(last, Pager { next: None, first: Some("/x".to_owned()) });
    }
}
