//! An account's live state written anew from the book by the owner of its shard, and what that changed.

mod changes;

use std::time::Duration;

use axum::http::StatusCode;
use ledger::{By, Comparison, Drift, FieldChange, Rebuildable, Seen, look};
use metering::AccountId;

use changes::changes;

use crate::refusal::Refusal;
use crate::service::Service;
use crate::show;

/// How long the owner of the shard is waited for.
pub const WAIT: Duration = Duration::from_secs(10);
/// How long one look at both stores may take; it repeats itself while they can't be compared.
const LOOK_WAIT: Duration = Duration::from_secs(2);

/// How an account stands before it is rebuilt.
#[derive(Debug)]
pub struct Before {
    seen: Seen,
    /// What of live state differs.
    pub drifts: Vec<Drift>,
}

/// How it ended.
#[derive(Debug)]
pub struct Rebuilt {
    /// The account's control version that it made.
    pub version: u64,
    /// Whether the owner has done it; else it will, once it runs.
    pub is_done: bool,
    /// What of live state differed before.
    pub differed: Vec<Drift>,
    /// What is another since. Traffic changes some of it, too.
    pub changed: Vec<FieldChange>,
    /// What still differs.
    pub left: Vec<Drift>,
    /// Why the two could not be compared afterwards.
    pub unsure: Option<String>,
}

/// Looks whether a rebuild makes sense, and what differs.
pub async fn before(service: &Service, account: AccountId) -> Result<Before, Refusal> {
    let seen = see(service, account).await?;
    let drifts = match seen.rebuildable() {
        Rebuildable::Yes(drifts) => drifts,
        Rebuildable::Unsure(why) => {
            let detail =
                format!("The account can't be compared with the book just now: {why}. Nothing was changed; try again.");
            return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "not_comparable", detail));
        }
        Rebuildable::Parked(parked) => {
            let detail = format!(
                "{} events of this account are parked as dead letters. Decide about them first.",
                parked.events
            );
            return Err(Refusal::new(StatusCode::CONFLICT, "dead_letters_open", detail));
        }
        Rebuildable::Behind(behind) => {
            let detail = format!(
                "{behind}. Live state has lost events that the book has; writing one account anew can't mend that. Nothing was changed."
            );
            return Err(Refusal::new(StatusCode::CONFLICT, "live_behind", show::first_large(&detail)));
        }
    };
    Ok(Before { seen, drifts })
}

/// Asks for it, and waits a bounded time.
pub async fn rebuild(service: &Service, account: AccountId, before: Before, by: &By) -> Result<Rebuilt, Refusal> {
    let asked = service.book.ask_rebuild(account, &before.drifts, by).await?;
    let is_done = service.book.wait_rebuilt(asked, WAIT).await?;
    let mut rebuilt = Rebuilt {
        version: asked.version,
        is_done,
        differed: before.drifts,
        changed: Vec::new(),
        left: Vec::new(),
        unsure: None,
    };
    if !is_done {
        return Ok(rebuilt);
    }
    match see(service, account).await {
        Ok(after) => {
            rebuilt.changed = changes(before.seen.snapshot.as_ref(), after.snapshot.as_ref());
            match after.comparison {
                Comparison::Agrees { .. } => {}
                Comparison::Differs(left) => rebuilt.left = left,
                Comparison::Unsure(why) => rebuilt.unsure = Some(why.to_owned()),
                Comparison::Parked(_) => rebuilt.unsure = Some("an event of it was parked meanwhile".to_owned()),
            }
        }
        Err(refusal) => rebuilt.unsure = Some(refusal.detail),
    }
    Ok(rebuilt)
}

async fn see(service: &Service, account: AccountId) -> Result<Seen, Refusal> {
    let looked = tokio::time::timeout(LOOK_WAIT, look(&service.book, &service.meter, &[account])).await;
    let Ok(seen) = looked else {
        let detail = "Book and live state can't be compared just now. Nothing was changed; try again in a moment.";
        return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "not_comparable", detail));
    };
    seen?.pop().ok_or_else(|| Refusal::not_found("account"))
}
