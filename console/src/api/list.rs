//! Lists by cursor: a page, and where the next one begins.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which page of a list.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// `next` of the page before; without, the first page.
    pub after: Option<String>,
    /// How many at most: 1 to 200, 50 where it is not said.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
}

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct List<T> {
    /// What it holds, in the order of the list.
    pub items: Vec<T>,
    /// Where the next page begins, as `after`; `null` after the last.
    pub next: Option<String>,
}

impl<T> List<T> {
    /// A page of what was read with one more than `limit`: whether there is a next one, and where it begins, the last item kept says.
    pub fn of<R>(mut read: Vec<R>, limit: u32, cursor: impl FnOnce(&R) -> String, shown: impl FnMut(R) -> T) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = read.len() > limit;
        read.truncate(limit);
        let next = read.last().filter(|_| more).map(cursor);
        Self { items: read.into_iter().map(shown).collect(), next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_begins_after_the_last_item_shown() {
        let of = |read: &[u32]| List::of(read.to_vec(), 2, ToString::to_string, |item| item);
        assert_eq!((of(&[5, 4, 3]).items, of(&[5, 4, 3]).next), (vec![5, 4], Some("4".to_owned())));
        assert_eq!((of(&[5, 4]).items, of(&[5, 4]).next), (vec![5, 4], None));
        assert_eq!((of(&[]).items, of(&[]).next), (Vec::<u32>::new(), None));
    }
}
