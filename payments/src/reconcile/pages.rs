//! Lists of Stripe's, page by page, within what one look may ask for.

use std::collections::HashSet;

use serde_json::Value;

use super::{Look, ReconcileError};
use crate::api::{Fields, Stripe, last_id};

/// A hundred thousand requests are some hours; whoever has more than that to look at looks more often.
const REQUESTS_MAX: u32 = 100_000;

/// What a look may still ask Stripe for.
pub(super) struct Budget(u32);

impl Budget {
    pub const fn whole() -> Self {
        Self(REQUESTS_MAX)
    }

    pub fn take(&mut self) -> Result<(), ReconcileError> {
        self.0 = self.0.checked_sub(1).ok_or(ReconcileError::TooMuch)?;
        Ok(())
    }
}

/// A list that is being gone through.
pub(super) struct Pages<'a> {
    path: &'a str,
    query: Fields<'a>,
    after: Option<String>,
    ended: bool,
}

impl<'a> Pages<'a> {
    pub const fn of(path: &'a str, query: Fields<'a>) -> Self {
        Self { path, query, after: None, ended: false }
    }

    /// The next objects; `None` at the end.
    pub async fn next(&mut self, stripe: &Stripe, budget: &mut Budget) -> Result<Option<Vec<Value>>, ReconcileError> {
        if self.ended {
            return Ok(None);
        }
        budget.take()?;
        let page = stripe.page(self.path, self.query, self.after.as_deref()).await?;
        self.after = last_id(&page);
        self.ended = !page.has_more || self.after.is_none();
        Ok(Some(page.data))
    }
}

impl Look<'_> {
    /// Since when, as Stripe counts.
    pub(super) fn since_seconds(&self) -> String {
        (self.since.as_u64() / 1000).to_string()
    }

    /// What events of these types were about since then, each once. Stripe keeps events for a month; older objects are found
    /// by the day they were made.
    pub(super) async fn changed(&mut self, kinds: &[&str]) -> Result<Vec<String>, ReconcileError> {
        let since = self.since_seconds();
        let query: Vec<(&str, &str)> =
            kinds.iter().map(|kind| ("types[]", *kind)).chain([("created[gte]", since.as_str())]).collect();
        let (mut pages, mut ids, mut seen) = (Pages::of("/events", &query), Vec::new(), HashSet::new());
        while let Some(events) = pages.next(self.stripe, &mut self.budget).await? {
            let about = events.iter().filter_map(|event| event.pointer("/data/object/id")).filter_map(Value::as_str);
            ids.extend(about.filter(|id| seen.insert((*id).to_owned())).map(str::to_owned));
        }
        Ok(ids)
    }
}

/// The id of an object that was listed.
pub(super) fn id_of(object: &Value) -> &str {
    object.get("id").and_then(Value::as_str).unwrap_or_default()
}
