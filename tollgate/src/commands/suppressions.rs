//! `tollgate suppressions`: addresses that nothing is sent to.

use ledger::mails::{Suppression, SuppressionReason, fold_address};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::cli::SuppressionsCommand;
use crate::columns::{aligned, is_cut, plain};
use crate::desk::Desk;
use crate::failure::Failure;
use crate::instant::rfc3339;

const WHY: &str = "it is what whoever gets no mails, or gets them again, is told";

pub async fn run(desk: &Desk, command: SuppressionsCommand) -> Result<Answer, Failure> {
    match command {
        SuppressionsCommand::List { after, limit } => list(desk, after.as_deref(), limit).await,
        SuppressionsCommand::Add { address } => {
            desk.insist_on_reason(WHY)?;
            let is_new = desk.book.suppress(&address, SuppressionReason::Operator, &desk.by).await?;
            let text =
                if is_new { "nothing is sent to it from now on" } else { "nothing was sent to it before, either" };
            Ok(told(&address, true, text))
        }
        SuppressionsCommand::Release { address } => {
            desk.insist_on_reason(WHY)?;
            desk.book.unsuppress(&address, &desk.by).await?;
            Ok(told(&address, false, "mails are sent to it again"))
        }
    }
}

fn told(address: &str, suppressed: bool, text: &str) -> Answer {
    let address = fold_address(address);
    let text = format!("{}: {text}", plain(&address));
    Answer::new(json!({ "address": address, "suppressed": suppressed }), text)
}

async fn list(desk: &Desk, after: Option<&str>, limit: u32) -> Result<Answer, Failure> {
    let after = after.map(fold_address);
    let found = desk.book.suppressions(after.as_deref(), limit).await?;
    let cut = is_cut(found.len(), limit);
    let mut lines = aligned(&found.iter().map(row).collect::<Vec<_>>());
    match found.last() {
        None => lines.push("no such addresses".to_owned()),
        Some(last) if cut => {
            lines.push(format!("the first {limit}; there may be more: --after {}", plain(&last.address)));
        }
        Some(_) => {}
    }
    let suppressions: Vec<Value> = found.iter().map(to_json).collect();
    Ok(Answer::new(json!({ "suppressions": suppressions, "cut": cut }), lines.join("\n")))
}

fn row(found: &Suppression) -> [String; 5] {
    let said = found.detail.clone().unwrap_or_default();
    [found.address.clone(), found.reason.to_string(), rfc3339(found.at), found.actor.clone(), said]
}

/// With the names that `/api/operator/suppressions` has.
fn to_json(found: &Suppression) -> Value {
    json!({
        "address": found.address, "reason": found.reason, "detail": found.detail, "mail": found.mail,
        "actor": found.actor, "at": rfc3339(found.at),
    })
}
