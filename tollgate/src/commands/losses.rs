//! `tollgate losses`: what went with live state, to the credit, by account, and who witnessed it.

use ledger::{AccountLoss, Incident, IncidentFilter, LossReport, LossTotals, LostDebit, Witness};
use metering::AccountId;
use serde_json::{Value, json};

use super::incidents;
use crate::answer::Answer;
use crate::desk::Desk;
use crate::failure::Failure;
use crate::instant::rfc3339;

/// Incidents, and debits of one account, that are shown; sums are of all there are.
const MOST: u32 = 1_000;

pub async fn run(desk: &Desk, incident: Option<u64>, account: Option<AccountId>) -> Result<Answer, Failure> {
    let filter = IncidentFilter { id: incident, account, with_losses: incident.is_none(), before: None, limit: MOST };
    if let Some(account) = account {
        return of_account(desk, account, filter).await;
    }
    let incidents = match incident {
        Some(incident) => vec![incidents::one(desk, incident).await?],
        None => desk.book.incidents(filter).await?,
    };
    let mut reports = Vec::new();
    for incident in incidents {
        let report = desk.book.loss_report(&incident).await?;
        reports.extend(report.map(|report| (incident, report)));
    }
    Ok(answer(&reports, desk.book.count_losses(filter).await?))
}

fn answer(reports: &[(Incident, LossReport)], totals: LossTotals) -> Answer {
    let value = |(incident, report): &(Incident, LossReport)| {
        let mut value = incidents::to_json(incident);
        value["losses"] = to_json(report);
        value
    };
    let values: Vec<Value> = reports.iter().map(value).collect();
    let mut lines: Vec<String> = reports
        .iter()
        .map(|(incident, report)| format!("{}\n{}", incidents::line(incident), to_text(report)))
        .collect();
    if reports.len() as u64 >= u64::from(MOST) {
        lines.push(format!("the latest {MOST} incidents are shown; the sums are of all"));
    }
    lines.push(format!("{} debits lost, {} credits", totals.debits, totals.lost));
    Answer::new(json!({ "debits": totals.debits, "lost": totals.lost, "incidents": values }), lines.join("\n"))
}

async fn of_account(desk: &Desk, account: AccountId, filter: IncidentFilter) -> Result<Answer, Failure> {
    let totals = desk.book.count_losses(filter).await?;
    let debits = desk.book.lost_debits(filter).await?;
    let mut lines: Vec<String> = debits.iter().map(debit_line).collect();
    if totals.debits > u64::from(MOST) {
        lines.push(format!("the latest {MOST} are shown; the sums are of all"));
    }
    lines.push(format!("{account}: {} debits lost, {} credits", totals.debits, totals.lost));
    let values: Vec<Value> = debits.iter().map(debit_json).collect();
    let value = json!({ "account": account, "count": totals.debits, "lost": totals.lost, "debits": values });
    Ok(Answer::new(value, lines.join("\n")))
}

fn debit_json(debit: &LostDebit) -> Value {
    json!({
        "op": debit.op, "incident": debit.incident, "at": rfc3339(debit.drawn_at), "drawn": debit.credits, "kept": debit.kept,
        "upstream_status": debit.upstream_status,
    })
}

fn debit_line(debit: &LostDebit) -> String {
    let end = match (debit.kept, debit.upstream_status) {
        (None, _) => "how it ended is not known".to_owned(),
        (Some(kept), None) => format!("{kept} were to be paid, the upstream did not answer"),
        (Some(kept), Some(status)) => format!("{kept} were to be paid, the upstream answered {status}"),
    };
    format!("{} {} drew {}, {end} (incident {})", rfc3339(debit.drawn_at), debit.op, debit.credits, debit.incident)
}

pub fn to_json(report: &LossReport) -> Value {
    let account = |loss: &AccountLoss| {
        json!({
            "account": loss.account, "debits": loss.debits, "drawn": loss.drawn, "lost": loss.lost,
            "open_ends": loss.open_ends,
        })
    };
    let witness = |witness: &Witness| {
        json!({
            "run": witness.run, "gateway": witness.name, "whole_until": witness.whole_until.map(rfc3339),
            "ended": witness.ended, "has_posted": witness.has_posted,
        })
    };
    json!({
        "debits": report.debits(), "lost": report.lost(), "final": report.is_final(), "complete": report.is_complete(),
        "why_incomplete": report.why_incomplete(), "waiting": report.waiting,
        "accounts": report.accounts.iter().map(account).collect::<Vec<_>>(),
        "witnesses": report.witnesses.iter().map(witness).collect::<Vec<_>>(),
    })
}

pub fn to_text(report: &LossReport) -> String {
    let mut lines: Vec<String> = report
        .accounts
        .iter()
        .map(|loss| {
            let (account, debits) = (loss.account, loss.debits);
            format!(
                "  {account}: {debits} debits lost that had drawn {}, {} credits to nobody's account",
                loss.drawn, loss.lost
            )
        })
        .collect();
    let witnessed: Vec<&str> =
        report.witnesses.iter().filter(|witness| witness.has_posted).map(|witness| witness.name.as_str()).collect();
    let standing = match (report.is_complete(), report.is_final()) {
        (true, _) => "exact".to_owned(),
        (false, true) => "final, not complete".to_owned(),
        (false, false) => "not final".to_owned(),
    };
    lines.push(format!("  {} debits, {} credits lost; {standing}", report.debits(), report.lost()));
    if !witnessed.is_empty() {
        lines.push(format!("  witnessed by {}", witnessed.join(", ")));
    }
    lines.extend(report.why_incomplete().into_iter().map(|why| format!("  {why}")));
    lines.join("\n")
}
