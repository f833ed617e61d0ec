//! `tollgate account show`: an account as the book has it, beside its live balance.

use std::fmt::Write;

use ledger::{AccountView, Comparison, Drift, LotView, Seen, look};
use metering::{AccountId, Credits};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::desk::Desk;
use crate::failure::Failure;
use crate::instant::rfc3339;

/// What live state says, and whether the book agrees.
struct Live {
    /// Credits that can be drawn now; `None` when live state is away.
    remaining: Option<Credits>,
    /// The same by the book and the events that are not in it yet.
    book_remaining: Credits,
    /// Credits by which the two differ; `None` when they can't be compared.
    drift: Option<u64>,
    differences: Vec<Drift>,
    used: Option<Credits>,
    /// Why something is missing.
    reason: Option<String>,
}

pub async fn run(desk: &Desk, account: AccountId) -> Result<Answer, Failure> {
    let view = desk.book.account_view(account, desk.now()).await?;
    let verified = desk.book.verified(account).await?;
    let live = match seen(desk, account).await {
        Ok(Some(seen)) => Live::of(&view, seen),
        Ok(None) => Live::away(&view, "the account went away".to_owned()),
        Err(failure) => Live::away(&view, failure.message),
    };
    let mut json = to_json(&view, &live);
    json["verified"] = json!(verified.map(|verified| json!({ "seq": verified.seq, "at": rfc3339(verified.at) })));
    Ok(Answer::new(json, to_text(&view, &live)))
}

async fn seen(desk: &Desk, account: AccountId) -> Result<Option<Seen>, Failure> {
    let meter = desk.meter().await?;
    Ok(look(&desk.book, &meter, &[account]).await?.pop())
}

impl Live {
    fn of(view: &AccountView, seen: Seen) -> Self {
        let absent = seen.snapshot.is_none().then(|| "live state does not have the account yet".to_owned());
        let remaining = seen.snapshot.as_ref().and_then(|snapshot| snapshot.drawable_at(snapshot.at));
        let in_period = seen.snapshot.filter(|snapshot| snapshot.budget_period_end == view.budget.resets_at);
        let used = in_period.map(|snapshot| snapshot.budget_used);
        let (book_remaining, drift, differences, unsure) = match seen.comparison {
            Comparison::Agrees { .. } if absent.is_some() => (view.remaining, Some(0), Vec::new(), None),
            Comparison::Agrees { drawable, .. } => (drawable, Some(0), Vec::new(), None),
            Comparison::Differs(differences) => {
                let drift = differences.iter().map(Drift::credits).sum();
                (view.remaining, Some(drift), differences, None)
            }
            Comparison::Unsure(why) => (view.remaining, None, Vec::new(), Some(why.to_owned())),
            Comparison::Parked(parked) => {
                let why = format!(
                    "{} events are parked as dead letters, debits of {} credits",
                    parked.events, parked.credits
                );
                (view.remaining, None, Vec::new(), Some(why))
            }
        };
        Self { remaining, book_remaining, drift, differences, used, reason: absent.or(unsure) }
    }

    fn away(view: &AccountView, reason: String) -> Self {
        let (book_remaining, reason) = (view.remaining, Some(reason));
        Self { remaining: None, book_remaining, drift: None, differences: Vec::new(), used: None, reason }
    }
}

fn to_json(view: &AccountView, live: &Live) -> Value {
    json!({
        "account": view.account,
        "name": view.name,
        "email": view.email,
        "status": view.status,
        "created_at": rfc3339(view.created_at),
        "lots": view.lots.iter().map(lot_json).collect::<Vec<_>>(),
        "remaining": live.remaining,
        "book_remaining": live.book_remaining,
        "drift": live.drift,
        "differences": live.differences,
        "reason": live.reason,
        "undelivered": view.undelivered,
        "overdraft": view.overdraft,
        "budget": {
            "limit": view.budget.limit,
            "used": live.used.unwrap_or(view.budget.used),
            "resets_at": rfc3339(view.budget.resets_at),
        },
    })
}

fn lot_json(lot: &LotView) -> Value {
    json!({
        "lot": lot.lot,
        "product": lot.product,
        "granted_at": rfc3339(lot.granted_at),
        "expires_at": rfc3339(lot.expires_at),
        "original": lot.original,
        "remaining": lot.remaining,
        "state": lot.state,
    })
}

fn to_text(view: &AccountView, live: &Live) -> String {
    let mut text = format!("{} {} ({})\n", view.account, view.name, view.status);
    let remaining = live.remaining.map_or_else(|| "unknown".to_owned(), |remaining| remaining.to_string());
    let drift = live.drift.map_or_else(|| "unknown".to_owned(), |drift| drift.to_string());
    // Writing to a String never fails.
    let _ = writeln!(text, "remaining {remaining}, in the book {}, drift {drift}", live.book_remaining);
    if let Some(reason) = &live.reason {
        let _ = writeln!(text, "  {reason}");
    }
    for difference in &live.differences {
        let _ = writeln!(text, "  {difference}");
    }
    let used = live.used.unwrap_or(view.budget.used);
    let limit = if view.budget.limit.is_zero() { "no cap".to_owned() } else { view.budget.limit.to_string() };
    let _ = writeln!(text, "budget {used} used of {limit}, until {}", rfc3339(view.budget.resets_at));
    for lot in &view.lots {
        let (state, end) = (format!("{:?}", lot.state).to_lowercase(), rfc3339(lot.expires_at));
        let _ =
            writeln!(text, "{} {} of {} {state}, until {end}, {}", lot.lot, lot.remaining, lot.original, lot.product);
    }
    if view.undelivered > 0 {
        let _ = writeln!(text, "{} changes on their way to live state", view.undelivered);
    }
    text.trim_end().to_owned()
}
