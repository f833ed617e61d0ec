//! `tollgate stripe reconcile`: Stripe held against the book, payment by payment; with `--repair` what differs is mended.

use ledger::stripe::ReconcileTurn;
use metering::TimeMs;
use payments::{Difference, Reconciliation, look_due};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::columns::aligned;
use crate::desk::Desk;
use crate::failure::{DRIFT, Failure};
use crate::instant::rfc3339;

const DAY_MS: u64 = 86_400_000;
/// What Stripe shows late is seen all the same.
const OVERLAP_MS: u64 = DAY_MS;

pub async fn run(desk: &Desk, since: Option<TimeMs>, repair: bool) -> Result<Answer, Failure> {
    let (stripe, plans) = (desk.stripe()?, desk.plans()?);
    let _turn = turn(desk).await?;
    let due = due(desk.book.reconcile_mark().await?, desk.now());
    let since = since.unwrap_or(due);
    let found = payments::reconcile(&desk.book, &stripe, &plans, since, repair, &desk.by).await?;
    // A look that left nothing lets the next one begin where it began, if it left out nothing that was due.
    if since <= due && found.open().next().is_none() {
        desk.book.set_reconcile_mark(desk.now()).await?;
    }
    Ok(answer(since, &found))
}

/// Two that mend at once would report each other's work as differences.
async fn turn(desk: &Desk) -> Result<ReconcileTurn, Failure> {
    let busy = || {
        let message = "a webhook, or somebody else, holds Stripe against the book just now; try again when it is done";
        Failure::unavailable("reconcile_under_way", message)
    };
    desk.book.reconcile_turn().await?.ok_or_else(busy)
}

/// From when on nobody has looked yet.
fn due(mark: Option<TimeMs>, now: TimeMs) -> TimeMs {
    look_due(mark, now, OVERLAP_MS)
}

fn answer(since: TimeMs, found: &Reconciliation) -> Answer {
    let rows: Vec<[String; 5]> = found.differences.iter().map(row).collect();
    let (all, open) = (found.differences.len(), found.open().count());
    let mut lines = aligned(&rows);
    lines.push(format!(
        "{} compared since {}: {all} differences, {} mended, {open} left",
        found.compared,
        rfc3339(since),
        all.saturating_sub(open)
    ));
    let differences: Vec<Value> = found.differences.iter().map(|difference| json!(difference)).collect();
    let json = json!({
        "since": rfc3339(since), "compared": found.compared, "differences": differences, "left": open,
    });
    let exit = if open == 0 { 0 } else { DRIFT };
    Answer { exit, ..Answer::new(json, lines.join("\n")) }
}

fn row(difference: &Difference) -> [String; 5] {
    let account = difference.account.map_or_else(|| "-".to_owned(), |account| account.to_string());
    let state = if difference.mended { "mended" } else { "open" };
    [state.to_owned(), difference.kind().to_owned(), difference.id.clone(), account, difference.detail.clone()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_begins_before_the_last_good_one_and_the_first_goes_a_month_back() {
        let now = TimeMs::new(100 * DAY_MS);
        assert_eq!(due(None, now), TimeMs::new(70 * DAY_MS));
        assert_eq!(due(Some(TimeMs::new(3 * DAY_MS)), now), TimeMs::new(2 * DAY_MS));
        assert_eq!(due(Some(TimeMs::new(1)), now), TimeMs::EPOCH);
    }

    #[test]
    fn what_is_left_is_counted_and_makes_the_command_fail() {
        let difference = |mended| Difference {
            kind: payments::DifferenceKind::PaidNotGranted,
            id: "in_1".to_owned(),
            account: None,
            detail: "1900 usd were paid for team".to_owned(),
            mended,
        };
        let both = Reconciliation { compared: 3, differences: vec![difference(true), difference(false)] };
        let said = answer(TimeMs::EPOCH, &both);
        assert_eq!((said.exit, &said.json["left"], &said.json["compared"]), (DRIFT, &json!(1), &json!(3)));
        let lines: Vec<&str> = said.text.lines().collect();
        assert_eq!(lines[0], "mended  paid_not_granted  in_1  -  1900 usd were paid for team");
        assert_eq!(lines[2], "3 compared since 1970-01-01T00:00:00Z: 2 differences, 1 mended, 1 left");
        let mended = Reconciliation { compared: 1, differences: vec![difference(true)] };
        assert_eq!(answer(TimeMs::EPOCH, &mended).exit, 0);
    }
}
