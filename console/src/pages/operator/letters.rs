//! Dead letters: events that could not be applied, with their bytes, and what was decided about them.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use ledger::{DeadLetter, LETTERS_A_LIST, PendingDecision};
use serde::Deserialize;

use super::account::path;
use super::pager::Pager;
use super::rows::{LetterRow, account};
use super::tabs::Tab;
use crate::api::list::List;
use crate::caller::Operator;
use crate::input::{self, ITEMS, Path, Query};
use crate::operator::letters::{fields, named, page};
use crate::operator::plain;
use crate::pages::notice::NoticeQuery;
use crate::pages::shell::{self, Section, Shell};
use crate::pages::when::When;
use crate::refusal::Refusal;
use crate::service::Service;
use crate::show;

/// Longer values are cut on the page; the API has them whole.
const VALUE_LETTERS: usize = 2_000;

/// Which letters.
#[derive(Deserialize)]
pub struct Asked {
    account: Option<String>,
    #[serde(default)]
    state: String,
    after: Option<String>,
}

#[derive(Template)]
#[template(path = "operator/letters.html")]
struct ListPage {
    shell: Shell,
    tab: Tab,
    account: String,
    all: bool,
    letters: Vec<LetterRow>,
    pager: Pager,
    most: String,
    decisions: Vec<DecisionRow>,
}

/// A decision that its shard's owner has not carried out.
pub struct DecisionRow {
    decision: u64,
    account: Option<(String, String)>,
    shard: String,
    what: String,
    state: &'static str,
    asked: When,
}

#[derive(Template)]
#[template(path = "operator/letter.html")]
struct LetterPage {
    shell: Shell,
    tab: Tab,
    letter: LetterRow,
    is_open: bool,
    seq: String,
    op: String,
    occurred: Option<When>,
    resolved: Option<When>,
    /// Names and values as they stood; `None` where they are longer than what is kept.
    fields: Option<Vec<(String, String, bool)>>,
    decisions: Vec<DecisionRow>,
}

pub async fn list(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let after = input::place(asked.after.as_deref())?;
    let (of, all) = (account(asked.account.as_deref())?, asked.state == "all");
    let letters = page(&service.book, of, all, after, ITEMS).await?;
    let list = List::of(letters, ITEMS, |letter: &DeadLetter| letter.letter.to_string(), LetterRow::from);
    let decisions = service.book.pending_decisions().await?;
    let of_text = of.map(|of| of.to_string()).unwrap_or_default();
    let narrowed = [("account", of_text.as_str()), ("state", if all { "all" } else { "" })];
    shell::page(&ListPage {
        shell: Shell::new(&service, Some(&caller), Section::Operator),
        tab: Tab::Letters,
        pager: Pager::of(Tab::Letters.path(), &narrowed, list.next.as_deref(), after.is_none()),
        account: of_text,
        all,
        letters: list.items,
        most: show::number(u64::from(LETTERS_A_LIST)),
        decisions: decisions.iter().map(DecisionRow::from).collect(),
    })
}

pub async fn show(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    Path((shard, event)): Path<(String, String)>,
    Query(query): Query<NoticeQuery>,
) -> Result<Response, Refusal> {
    let (letter, entry) = service.book.dead_letter(named(&shard, &event)?).await?;
    let decisions = service.book.pending_decisions().await?;
    let cut = |(name, value): (String, String)| {
        let (shown, more) = plain::cut(&value, VALUE_LETTERS);
        (plain::cut(&name, VALUE_LETTERS).0, shown, more)
    };
    let waits =
        decisions.iter().filter(|decision| decision.account == letter.account && decision.shard == letter.letter.shard);
    shell::page(&LetterPage {
        shell: Shell::new(&service, Some(&caller), Section::Operator).with_notice(query.notice()),
        tab: Tab::Letters,
        is_open: letter.state == "open",
        seq: letter.seq.map(show::number).unwrap_or_default(),
        op: letter.op.map(|op| op.to_string()).unwrap_or_default(),
        occurred: letter.occurred_at.map(When::instant),
        resolved: letter.resolved_at.map(When::instant),
        fields: entry.map(|entry| fields(&entry).into_iter().map(cut).collect()),
        decisions: waits.map(DecisionRow::from).collect(),
        letter: LetterRow::from(letter),
    })
}

impl From<&PendingDecision> for DecisionRow {
    fn from(pending: &PendingDecision) -> Self {
        let what = match (pending.discarded, pending.skips_missing) {
            (0, false) => "letters are applied".to_owned(),
            (0, true) => "letters are applied, missing numbers given up".to_owned(),
            (count, _) => format!("{} given up, the others applied", show::number(count)),
        };
        Self {
            decision: pending.decision,
            account: pending.account.map(|account| (account.to_string(), path(account))),
            shard: format!("s{:03}", pending.shard),
            what,
            state: if pending.applied {
                "in the book; live state is being written anew"
            } else {
                "waits for the shard's owner"
            },
            asked: When::instant(pending.asked_at),
        }
    }
}
