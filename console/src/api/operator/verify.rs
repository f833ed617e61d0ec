//! Verifying an account now, and having its live state rebuilt.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use ledger::FieldChange;
use metering::{AccountId, Credits};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{Why, reason};
use crate::api::refused::WriteRefused;
use crate::caller::Operator;
use crate::input::{self, Path};
use crate::operator::rebuild;
use crate::operator::verify::{Beside, Found, verify};
use crate::refusal::Refusal;
use crate::service::Service;
use crate::show;

/// What was found.
#[derive(Debug, Serialize, ToSchema)]
pub struct Verification {
    /// The account.
    account: String,
    /// When.
    at: String,
    /// `agrees`, `differs`, `parked` (events of it are dead letters) or `not_compared`.
    says: &'static str,
    /// Number of its last event in the book.
    seq: u64,
    /// Credits that can be drawn by the book and the events between.
    book: u64,
    /// The same by live state; `null` where that is not known.
    live: Option<u64>,
    /// Events that are not in the book yet; `null` where that is not known.
    between: Option<u64>,
    /// Credits by which the two differ; `null` where that is not known.
    difference: Option<u64>,
    /// What of the book does not agree with its entries.
    #[schema(value_type = Vec<Object>)]
    in_book: Vec<Value>,
    /// What of live state does not agree with the book.
    #[schema(value_type = Vec<Object>)]
    in_live: Vec<Value>,
    /// Why the two could not be compared.
    not_compared: Option<String>,
}

/// What a rebuild came to.
#[derive(Debug, Serialize, ToSchema)]
pub struct Rebuild {
    /// The account's control version that it made.
    control_version: u64,
    /// Whether the owner of the shard has done it; else it is still under way.
    done: bool,
    /// What differed before, in words.
    differed: Vec<String>,
    /// What is another since; calls that went on meanwhile change some of it, too.
    changed: Vec<Changed>,
    /// What still differs, in words.
    left: Vec<String>,
    /// Why the two could not be compared afterwards.
    not_compared: Option<String>,
}

/// One field of live state.
#[derive(Debug, Serialize, ToSchema)]
pub struct Changed {
    /// Which.
    field: String,
    /// As it was; `null` where it was not there.
    before: Option<String>,
    /// As it is; `null` where it is gone.
    after: Option<String>,
}

/// Recomputes an account from its entries, and holds the book against live state. Changes nothing but when it was last verified.
#[utoipa::path(post, path = "/api/operator/accounts/{account}/verify", tag = "operator", operation_id = "operator_verify",
    params(("account" = String, Path)), responses(WriteRefused, (status = 200, body = Verification)))]
pub async fn run(
    State(service): State<Arc<Service>>,
    _operator: Operator,
    Path(account): Path<AccountId>,
) -> Result<Json<Verification>, Refusal> {
    Ok(Json(Verification::from(verify(&service, account).await?)))
}

/// Has an account's live state written anew from the book, and waits up to 10 s for it.
#[utoipa::path(post, path = "/api/operator/accounts/{account}/rebuild", tag = "operator", operation_id = "operator_rebuild",
    params(("account" = String, Path)), request_body = Why, responses(WriteRefused, (status = 200, body = Rebuild)))]
pub async fn rebuild(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    Path(account): Path<AccountId>,
    input::Json(asked): input::Json<Why>,
) -> Result<Json<Rebuild>, Refusal> {
    let by = reason(&asked.reason)?.by(&service, &caller);
    let before = rebuild::before(&service, account).await?;
    let rebuilt = rebuild::rebuild(&service, account, before, &by).await?;
    Ok(Json(Rebuild {
        control_version: rebuilt.version,
        done: rebuilt.is_done,
        differed: rebuilt.differed.iter().map(ToString::to_string).collect(),
        changed: rebuilt.changed.into_iter().map(Changed::from).collect(),
        left: rebuilt.left.iter().map(ToString::to_string).collect(),
        not_compared: rebuilt.unsure,
    }))
}

impl From<FieldChange> for Changed {
    fn from(FieldChange { field, before, after }: FieldChange) -> Self {
        Self { field, before, after }
    }
}

impl From<Found> for Verification {
    fn from(found: Found) -> Self {
        let difference = found.drift();
        let book = found.view.remaining.get();
        let plain = Self {
            account: found.view.account.to_string(),
            at: show::machine(found.at),
            says: "not_compared",
            seq: found.view.seq,
            book,
            live: None,
            between: None,
            difference,
            in_book: found.differences.iter().map(|difference| json!(difference)).collect(),
            in_live: Vec::new(),
            not_compared: None,
        };
        let number = |credits: Option<Credits>| credits.map(Credits::get);
        match found.beside {
            Beside::Agrees { live, book, between } => {
                Self { says: "agrees", live: number(live), book: book.get(), between: Some(between), ..plain }
            }
            Beside::Differs { live, drifts } => {
                let in_live = drifts.iter().map(|drift| json!(drift)).collect();
                Self { says: "differs", live: number(live), in_live, ..plain }
            }
            Beside::Parked { live, parked } => {
                Self { says: "parked", live: number(live), between: Some(parked.events), ..plain }
            }
            Beside::Unsure(why) => Self { not_compared: Some(why), ..plain },
        }
    }
}
