//! One receipt: what was drawn from which lots, for whom, how it ended, and whether it stands.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use ledger::{AccountReceipt, Entry, EntryKind, Outcome, ReceiptState};
use metering::{Credits, Ended, OpId};

use super::receipts::{state, who};
use crate::billing::receipt::{self, budget_used_after, remaining_around};
use crate::caller::Caller;
use crate::input::Path;
use crate::pages::shell::{self, Section, Shell};
use crate::pages::when::When;
use crate::refusal::Refusal;
use crate::service::Service;
use crate::show;

#[derive(Template)]
#[template(path = "billing/receipt.html")]
struct Page {
    shell: Shell,
    receipt: ReceiptView,
}

/// A receipt in words.
struct ReceiptView {
    op: String,
    at: When,
    recorded: When,
    state: &'static str,
    tone: &'static str,
    /// What the state means, in a sentence.
    stands: String,
    held_until: Option<When>,
    drawn: String,
    kept: String,
    who: String,
    key: Option<String>,
    route: String,
    outcome: String,
    lots: Vec<LotLine>,
    budget_limit: String,
    budget_before: String,
    budget_after: String,
    resets: Option<When>,
    remaining_before: String,
    remaining_after: String,
    after: Vec<AfterLine>,
}

struct LotLine {
    lot: String,
    product: String,
    before: String,
    drawn: String,
    after: String,
}

struct AfterLine {
    at: When,
    what: &'static str,
    credits: String,
}

pub async fn show(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(op): Path<OpId>,
) -> Result<Response, Refusal> {
    let receipt = receipt::of(&service, &caller, op).await?;
    let shell = Shell::new(&service, Some(&caller), Section::Billing);
    shell::page(&Page { shell, receipt: ReceiptView::from(&receipt) })
}

impl From<&AccountReceipt> for ReceiptView {
    fn from(receipt: &AccountReceipt) -> Self {
        let debit = &receipt.debit;
        let key = debit.key.map(|key| key.to_string());
        let (state, tone) = state(receipt.state);
        let lots = receipt.lots.iter().map(|(lot, product)| LotLine {
            lot: lot.lot.to_string(),
            product: product.clone(),
            before: show::credits(lot.before),
            drawn: show::credits(lot.drawn),
            after: show::credits(lot.after),
        });
        let limit = receipt.budget_limit;
        let around = remaining_around(receipt);
        let told = |credits: Option<Credits>| credits.map_or_else(|| "not told".to_owned(), show::credits);
        Self {
            op: debit.op.map(|op| op.to_string()).unwrap_or_default(),
            at: When::second(debit.at),
            recorded: When::second(receipt.recorded_at),
            state,
            tone,
            stands: stands(receipt),
            held_until: match receipt.state {
                ReceiptState::Held { until } => Some(When::instant(until)),
                _ => None,
            },
            drawn: show::credits_in_words(receipt.drawn),
            kept: show::credits_in_words(receipt.kept),
            who: who(key.clone(), receipt.key_name.clone()),
            key,
            route: debit.route.clone().unwrap_or_else(|| "not told".to_owned()),
            outcome: receipt.outcome.as_ref().map_or_else(|| NOT_TOLD.to_owned(), outcome),
            lots: lots.collect(),
            budget_limit: show::cap(limit),
            budget_before: show::credits(receipt.budget_used_before),
            budget_after: show::credits(budget_used_after(receipt)),
            resets: debit.budget_period_end.map(When::day),
            remaining_before: told(around.map(|(before, _)| before)),
            remaining_after: told(around.map(|(_, after)| after)),
            after: receipt.after.iter().map(AfterLine::from).collect(),
        }
    }
}

const NOT_TOLD: &str = "This route does not report how requests end, or the request still goes on.";

fn stands(receipt: &AccountReceipt) -> String {
    match receipt.state {
        ReceiptState::Drawn => "It stands: everything that was drawn stays drawn.".to_owned(),
        ReceiptState::Held { .. } => "It is a hold: it is settled at the price when the request ends.".to_owned(),
        ReceiptState::Settled { kept } => {
            let back = receipt.drawn.saturating_sub(kept);
            format!("It was settled: {} stay drawn, {} came back.", show::credits_in_words(kept), show::credits(back))
        }
        ReceiptState::GivenBack => "It was given back: nothing of it stays drawn.".to_owned(),
        ReceiptState::UndoAsked => "Nobody knew whether it succeeded, so it is being undone.".to_owned(),
    }
}

fn outcome(outcome: &Outcome) -> String {
    let Some(how) = outcome.confirmed else {
        return "Nobody said in time how the request ended, so it was given back.".to_owned();
    };
    let ended = match how.ended {
        Ended::Complete => "The answer went to its end",
        Ended::CallerLeft => "The caller hung up",
        Ended::UpstreamFailed => "The upstream broke off",
        Ended::GatewayFailed => "The gateway could not go on",
        Ended::Cut => "The gateway was stopped",
    };
    let status = how.upstream_status.map(|status| format!(", status {status}")).unwrap_or_default();
    let (bytes, ms) = (show::number(how.answer_bytes), show::number(how.duration_ms));
    format!("{ended}{status}; {bytes} bytes in {ms} ms.")
}

impl From<&Entry> for AfterLine {
    fn from(entry: &Entry) -> Self {
        let what = match entry.kind {
            EntryKind::GiveBack => "Given back",
            EntryKind::Settle => "Settled: what was held above the price came back",
            EntryKind::Undo => "Somebody asked to undo it",
            EntryKind::DebitDuplicate => "Drawn a second time by mistake",
            EntryKind::DuplicateReturn => "The second drawing came back",
            EntryKind::Grant | EntryKind::Debit | EntryKind::Expire | EntryKind::ClawBack => "Changed",
        };
        let lapsed = if entry.lapsed.is_zero() {
            String::new()
        } else {
            format!(", and {} to a lot that had expired", show::credits(entry.lapsed))
        };
        Self { at: When::second(entry.at), what, credits: format!("{}{lapsed}", signed(entry.credits)) }
    }
}

/// With a sign, as what comes and goes is written.
fn signed(credits: i64) -> String {
    let number = show::credits(Credits::new(credits.unsigned_abs()).unwrap_or(Credits::MAX));
    match credits {
        0 => number,
        1.. => format!("+{number}"),
        _ => format!("\u{2212}{number}"),
    }
}

#[cfg(test)]
mod tests {
    use metering::RequestOutcome;

    use super::*;
    use crate::billing::lots::tests::NOW;

    #[test]
    fn credits_that_move_have_a_sign() {
        assert_eq!([signed(0), signed(5), signed(-5)], ["0", "+5", "\u{2212}5"]);
        assert_eq!(signed(i64::MIN).replace('\u{202f}', ""), "\u{2212}9007199254740991");
    }

    #[test]
    fn how_a_request_ended_is_told_in_words() {
        let of = |ended, upstream_status| {
            let how = RequestOutcome { upstream_status, answer_bytes: 5_213, duration_ms: 1_834, ended };
            outcome(&Outcome { confirmed: Some(how), at: NOW }).replace('\u{202f}', " ")
        };
        assert_eq!(of(Ended::Complete, Some(200)), "The answer went to its end, status 200; 5 213 bytes in 1 834 ms.");
        assert_eq!(of(Ended::CallerLeft, None), "The caller hung up; 5 213 bytes in 1 834 ms.");
        assert!(outcome(&Outcome { confirmed: None, at: NOW }).contains("given back"));
    }
}
