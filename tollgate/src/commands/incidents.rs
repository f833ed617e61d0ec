//! `tollgate incidents`: rebuilds of live state and what else went wrong.

use ledger::{Incident, IncidentFilter, LedgerError, Subject};
use serde_json::{Value, json};

use super::losses;
use crate::answer::Answer;
use crate::cli::IncidentsCommand;
use crate::desk::Desk;
use crate::failure::Failure;
use crate::instant::rfc3339;

pub async fn run(desk: &Desk, command: IncidentsCommand) -> Result<Answer, Failure> {
    match command {
        IncidentsCommand::List { limit } => {
            let incidents = desk.book.incidents(IncidentFilter { limit, ..IncidentFilter::default() }).await?;
            let lines: Vec<String> = incidents.iter().map(line).collect();
            let text = if lines.is_empty() { "no incidents".to_owned() } else { lines.join("\n") };
            let incidents: Vec<Value> = incidents.iter().map(to_json).collect();
            Ok(Answer::new(json!({ "incidents": incidents }), text))
        }
        IncidentsCommand::Show { incident } => {
            let incident = one(desk, incident).await?;
            let report = desk.book.loss_report(&incident).await?;
            let mut json = to_json(&incident);
            json["losses"] = report.as_ref().map(losses::to_json).unwrap_or_default();
            let losses = report.as_ref().map_or_else(|| "nothing to lose".to_owned(), losses::to_text);
            Ok(Answer::new(json, format!("{}\n{}\n{losses}", line(&incident), incident.detail)))
        }
    }
}

pub async fn one(desk: &Desk, id: u64) -> Result<Incident, Failure> {
    let found =
        desk.book.incidents(IncidentFilter { id: Some(id), limit: 1, ..IncidentFilter::default() }).await?.pop();
    found.ok_or_else(|| LedgerError::NotFound { subject: Subject::Incident, id: id.to_string() }.into())
}

pub fn to_json(incident: &Incident) -> Value {
    json!({
        "incident": incident.id, "at": rfc3339(incident.at), "shard": incident.shard.to_string(), "kind": incident.kind,
        "detail": incident.detail,
    })
}

pub fn line(incident: &Incident) -> String {
    let why = incident.detail["why"].as_str().map(|why| format!(": {why}")).unwrap_or_default();
    format!("{} #{} {} of shard {}{why}", rfc3339(incident.at), incident.id, incident.kind, incident.shard)
}
