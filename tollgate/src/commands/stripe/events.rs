//! `tollgate stripe events …`: deliveries as they came, and what became of each.

use ledger::stripe::{DeliveryFilter, DeliveryState, StoredDelivery};
use ledger::{LedgerError, Subject};
use serde_json::{Value, json};

use super::shown;
use crate::answer::Answer;
use crate::cli::{EventsAsked, EventsCommand};
use crate::columns::is_cut;
use crate::desk::Desk;
use crate::failure::Failure;

/// More than one delivery ever changes.
const CHANGES_MAX: u32 = 1_000;

pub async fn run(desk: &Desk, command: EventsCommand) -> Result<Answer, Failure> {
    match command {
        EventsCommand::List(asked) => list(desk, asked).await,
        EventsCommand::Show { event } => {
            let found = one(desk, &event).await?;
            let changes = desk.book.delivery_changes(&found, CHANGES_MAX).await?;
            Ok(Answer::new(shown::whole_json(&found, &changes), shown::whole_text(&found, &changes)))
        }
        EventsCommand::Replay { event } => {
            desk.insist_on_reason("somebody will ask why it was applied again")?;
            desk.book.replay_delivery(&event, &desk.by).await?;
            let text = format!("{event} waits to be applied again; a running webhook does so within a second");
            Ok(Answer::new(json!({ "event": event, "state": DeliveryState::Waiting }), text))
        }
    }
}

async fn list(desk: &Desk, asked: EventsAsked) -> Result<Answer, Failure> {
    if let Some(account) = asked.account {
        desk.refuse_unknown(&[account]).await?;
    }
    let EventsAsked { state, kind, account, limit } = asked;
    let filter = DeliveryFilter { state, kind, account, before: None, limit };
    let found = desk.book.deliveries(&filter).await?;
    let cut = is_cut(found.len(), limit);
    let mut lines = shown::lines(&found);
    if found.is_empty() {
        lines.push("no such deliveries".to_owned());
    } else if cut {
        lines.push(format!("the latest {limit}; there may be more"));
    }
    let events: Vec<Value> = found.iter().map(shown::json).collect();
    Ok(Answer::new(json!({ "events": events, "cut": cut }), lines.join("\n")))
}

async fn one(desk: &Desk, event: &str) -> Result<StoredDelivery, Failure> {
    let unknown = || LedgerError::NotFound { subject: Subject::Delivery, id: event.to_owned() };
    Ok(desk.book.delivery(event).await?.ok_or_else(unknown)?)
}
