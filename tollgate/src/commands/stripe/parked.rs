//! `tollgate stripe parked …`: deliveries that could not be applied. Nothing of them is granted until somebody has looked.

use ledger::stripe::{DeliveryFilter, DeliveryState};
use metering::AccountId;
use serde_json::{Value, json};

use super::shown;
use crate::answer::Answer;
use crate::cli::ParkedCommand;
use crate::desk::Desk;
use crate::failure::Failure;

pub async fn run(desk: &Desk, command: ParkedCommand) -> Result<Answer, Failure> {
    match command {
        ParkedCommand::List { account, limit } => list(desk, account, limit).await,
        ParkedCommand::Resolve { event } => {
            desk.insist_on_reason("what is resolved is never applied by itself")?;
            desk.book.resolve_delivery(&event, &desk.by).await?;
            let answer = json!({ "event": event, "state": DeliveryState::Resolved });
            Ok(Answer::new(answer, format!("{event} is resolved: nothing is done about it")))
        }
    }
}

async fn list(desk: &Desk, account: Option<AccountId>, limit: u32) -> Result<Answer, Failure> {
    if let Some(account) = account {
        desk.refuse_unknown(&[account]).await?;
    }
    let state = Some(DeliveryState::Parked);
    let found = desk.book.deliveries(&DeliveryFilter { state, account, limit, ..DeliveryFilter::default() }).await?;
    let (_, parked) = desk.book.delivery_backlog().await?;
    let mut lines = shown::lines(&found);
    lines.push(format!("{parked} parked"));
    let events: Vec<Value> = found.iter().map(shown::json).collect();
    Ok(Answer::new(json!({ "events": events, "parked": parked }), lines.join("\n")))
}
