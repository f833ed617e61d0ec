//! The pages of API keys: the list.

pub mod create;
pub mod fields;
pub mod one;
pub mod revoke;
pub mod rotate;
pub mod row;
pub mod shown;

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use ledger::{KeyView, KeysWanted};
use serde::Deserialize;

use crate::api::list::List;
use crate::billing::balance::Source;
use crate::caller::Caller;
use crate::input::{self, Query};
use crate::keys::seen::{self, Seen};
use crate::pages::notice::NoticeQuery;
use crate::pages::shell::{self, Section, Shell};
use crate::refusal::Refusal;
use crate::service::Service;
use row::KeyRow;

/// Which keys, and what was done before.
#[derive(Deserialize)]
pub struct KeysPageQuery {
    done: Option<String>,
    after: Option<String>,
    /// `ended`: those that were revoked or have expired.
    show: Option<String>,
}

#[derive(Template)]
#[template(path = "keys/list.html")]
struct Page {
    shell: Shell,
    standing: Standing,
    keys: Vec<KeyRow>,
    /// Those that were revoked or have expired.
    ended: bool,
    is_first: bool,
    next: Option<String>,
}

/// What is to know of all of them.
pub struct Standing {
    /// Why every one of them is refused.
    pub why: Option<&'static str>,
    /// Whether what is drawn of caps is the book's, because live state does not answer.
    pub of_book: bool,
}

impl Standing {
    pub fn of(seen: &Seen) -> Self {
        let capped = seen.keys.iter().any(|key| key.day.or(key.month).is_some());
        Self { why: seen::why(seen.status), of_book: capped && seen.source == Source::Book }
    }
}

pub async fn list(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Query(asked): Query<KeysPageQuery>,
) -> Result<Response, Refusal> {
    let after = input::read("after", asked.after.as_deref())?;
    let ended = asked.show.as_deref() == Some("ended");
    let wanted = if ended { KeysWanted::Ended } else { KeysWanted::Good };
    let now = service.clock.now();
    let read = service.book.keys_page(caller.account, wanted, now, after, input::ITEMS + 1).await?;
    let page = List::of(read, input::ITEMS, |key: &KeyView| key.key.to_string(), |key| key);
    let seen = seen::look(&service, caller.account, page.items).await?;
    let notice = NoticeQuery { done: asked.done }.notice();
    shell::page(&Page {
        shell: Shell::new(&service, Some(&caller), Section::Keys).with_notice(notice),
        standing: Standing::of(&seen),
        keys: seen.keys.iter().map(|key| KeyRow::of(key, &seen)).collect(),
        ended,
        is_first: after.is_none(),
        next: page.next,
    })
}
