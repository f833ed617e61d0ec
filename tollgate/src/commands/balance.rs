//! `tollgate balance`: what an account had at an earlier instant, recomputed from its entries.

use ledger::{Past, PastLot};
use metering::{AccountId, TimeMs};
use serde_json::{Value, json};

use super::entries;
use crate::answer::Answer;
use crate::desk::Desk;
use crate::failure::{Failure, REFUSED};
use crate::instant::rfc3339;

pub async fn run(desk: &Desk, account: AccountId, at: Option<TimeMs>, limit: u32) -> Result<Answer, Failure> {
    let at = at.unwrap_or(desk.now());
    if at > desk.now() {
        let message = "what an account will have is not known: the instant lies in the future".to_owned();
        return Err(Failure { code: "invalid", message, cause: None, exit: REFUSED });
    }
    let past = desk.book.past(account, at).await?;
    let made_by = desk.book.entries_until(account, at, limit).await?;
    let json = json!({
        "account": account, "at": rfc3339(at), "status": past.status, "remaining": past.remaining,
        "lots": past.lots.iter().map(lot).collect::<Vec<_>>(), "budget": budget(&past),
        "entries": made_by.iter().map(entries::entry).collect::<Vec<_>>(),
    });
    let status = past.status.map_or_else(|| "not there yet".to_owned(), |status| status.to_string());
    let mut lines =
        vec![format!("{account} at {}: {} credits, {status}", rfc3339(at), past.remaining), budget_line(&past)];
    lines.extend(past.lots.iter().map(lot_line));
    lines.extend(made_by.iter().map(entries::line));
    Ok(Answer::new(json, lines.join("\n")))
}

pub fn budget(past: &Past) -> Value {
    let limit = (!past.budget.limit.is_zero()).then_some(past.budget.limit);
    json!({ "limit": limit, "used": past.budget.used, "resets_at": rfc3339(past.budget.resets_at) })
}

fn budget_line(past: &Past) -> String {
    let limit = if past.budget.limit.is_zero() { "no cap".to_owned() } else { past.budget.limit.to_string() };
    format!("budget {} used of {limit}, until {}", past.budget.used, rfc3339(past.budget.resets_at))
}

pub fn lot(lot: &PastLot) -> Value {
    json!({
        "lot": lot.lot, "product": lot.product, "granted_at": rfc3339(lot.granted_at), "expires_at": rfc3339(lot.expires_at),
        "original": lot.original, "remaining": lot.remaining, "state": lot.state,
    })
}

pub fn lot_line(lot: &PastLot) -> String {
    let (state, end) = (format!("{:?}", lot.state).to_lowercase(), rfc3339(lot.expires_at));
    format!("{} {} of {} {state}, until {end}, {}", lot.lot, lot.remaining, lot.original, lot.product)
}
