//! The journal of gateways, as it arrives: `POST /journal` on the admin listener. Any ledger-sync takes it, whoever owns the shards.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use frame::chain;
use ledger::{DAY_MS, JournalPost};
use metering::journal::{Head, JournalError, read_frame};
use secrecy::ExposeSecret;
use serde_json::json;
use sha2::{Digest, Sha256};
use tracing::{debug, warn};

use crate::service::Service;

/// How long a batch may take to arrive.
const ARRIVE_MAX: Duration = Duration::from_secs(10);
/// How often old refusals are looked for, and how many go at once.
const FORGET_EVERY: Duration = Duration::from_mins(10);
const FORGET_PAGE: u32 = 5_000;

/// Why a batch is not taken.
enum Refused {
    /// This process takes none.
    Off,
    /// Not from a gateway of ours.
    Unauthorized,
    TooLarge,
    TooSlow,
    Malformed(JournalError),
    /// The gateway shall come again.
    BookAway,
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (status, code, detail) = match self {
            Self::Off => (StatusCode::NOT_FOUND, "journal_off", "This ledger-sync has no journal.secret.".to_owned()),
            Self::Unauthorized => {
                (StatusCode::UNAUTHORIZED, "unauthorized", "The secret is not journal.secret.".to_owned())
            }
            Self::TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "too_large",
                "The batch is larger than journal.body_bytes_max.".to_owned(),
            ),
            Self::TooSlow => (StatusCode::REQUEST_TIMEOUT, "too_slow", "The batch took too long to arrive.".to_owned()),
            Self::Malformed(why) => (StatusCode::BAD_REQUEST, "malformed", format!("The batch can't be read: {why}.")),
            Self::BookAway => {
                (StatusCode::SERVICE_UNAVAILABLE, "book_away", "The book can't be reached. Come again.".to_owned())
            }
        };
        (status, Json(json!({ "code": code, "detail": detail }))).into_response()
    }
}

/// Takes one batch: answers 200 once it is in the book. In a task of its own, because a gateway that hangs up must not cut off what
/// speaks with the book: a connection whose transaction was just beginning would go back to the others with it open.
pub async fn take(State(service): State<Arc<Service>>, headers: HeaderMap, body: Body) -> Response {
    let inside = Arc::clone(&service);
    let taken = service.tasks.spawn(async move { receive(&inside, &headers, body).await }).await;
    match taken.unwrap_or(Err(Refused::BookAway)) {
        Ok(records) => Json(json!({ "records": records })).into_response(),
        Err(refused) => {
            service.metrics.journal.refused.inc();
            refused.into_response()
        }
    }
}

async fn receive(service: &Service, headers: &HeaderMap, body: Body) -> Result<u64, Refused> {
    authorize(service, headers)?;
    let bytes = tokio::time::timeout(ARRIVE_MAX, to_bytes(body, service.settings.journal.body_bytes_max));
    let bytes = bytes.await.map_err(|_| Refused::TooSlow)?.map_err(|_| Refused::TooLarge)?;
    let post = read(&bytes).map_err(Refused::Malformed)?;
    let _turn = service.journal_turns.acquire().await.map_err(|_| Refused::BookAway)?;
    let taken = service.book.take_journal(&post).await.map_err(|error| {
        warn!(error = chain(&error), "a gateway's journal could not be taken: {}", chain(&error));
        Refused::BookAway
    })?;
    config::failpoint("journal.taken");
    let metrics = &service.metrics.journal;
    metrics.records.inc_by(taken.records);
    metrics.debits_waiting.inc_by(taken.debits);
    debug!(run = %post.head.run, ?taken, "a batch of {}'s journal", post.head.name);
    Ok(taken.records)
}

/// Compared by digest, each byte of it whatever the others say: how long it takes tells nothing.
fn authorize(service: &Service, headers: &HeaderMap) -> Result<(), Refused> {
    let Ok(Some(secret)) = service.settings.journal.secret() else { return Err(Refused::Off) };
    let said = headers.get(header::AUTHORIZATION).map(header::HeaderValue::as_bytes);
    let said = Sha256::digest(said.and_then(|said| said.strip_prefix(b"Bearer ")).unwrap_or_default());
    let right = Sha256::digest(secret.expose_secret().as_bytes());
    let differs = said.iter().zip(right.iter()).fold(0, |differs, (said, right)| differs | (said ^ right));
    if differs == 0 { Ok(()) } else { Err(Refused::Unauthorized) }
}

fn read(bytes: &[u8]) -> Result<JournalPost, JournalError> {
    let (head, mut rest): (Head, &[u8]) = read_frame(bytes)?.ok_or(JournalError::Torn)?;
    let (mut records, length) = (Vec::new(), rest.len());
    while let Some((record, after)) = read_frame(rest)? {
        records.push(record);
        rest = after;
    }
    Ok(JournalPost { head, records, bytes: u64::try_from(length).unwrap_or(u64::MAX) })
}

/// Forgets refused requests that are old, at once and then from time to time, until the service stops.
pub async fn forget_old(service: Arc<Service>) {
    loop {
        let kept_ms = u64::from(service.settings.journal.refusals_days).saturating_mul(DAY_MS);
        let before = service.clock.now().minus_ms(kept_ms);
        // While the book is away there is nothing to forget; the next look finds it all.
        while matches!(service.book.forget_refusals(before, FORGET_PAGE).await, Ok(count) if count == u64::from(FORGET_PAGE))
        {
        }
        tokio::select! {
            () = service.stop.cancelled() => return,
            () = tokio::time::sleep(FORGET_EVERY) => {}
        }
    }
}
