//! What is another in live state than before: field by field, lot by lot.

use std::collections::BTreeMap;

use ledger::FieldChange;
use metering::LotImage;
use metering::live::Snapshot;

use crate::show;

pub fn changes(before: Option<&Snapshot>, after: Option<&Snapshot>) -> Vec<FieldChange> {
    ledger::changes(before, after, fields)
}

/// Everything of a snapshot but the times at which it was taken and will be counted anew.
fn fields(snapshot: &Snapshot) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::from([
        ("event".to_owned(), format!("#{}", snapshot.seq)),
        ("control version".to_owned(), snapshot.control_version.to_string()),
        ("status".to_owned(), snapshot.status.to_string()),
        ("budget limit".to_owned(), show::credits(snapshot.budget_limit)),
        ("budget used".to_owned(), show::credits(snapshot.budget_used)),
        ("budget period ends".to_owned(), show::instant(snapshot.budget_period_end)),
        ("frozen".to_owned(), if snapshot.frozen { "yes" } else { "no" }.to_owned()),
        ("undos that wait".to_owned(), snapshot.undos.to_string()),
        ("remaining".to_owned(), show::credits(snapshot.cached_total)),
        ("sessions of everybody".to_owned(), format!("from version {}", snapshot.sessions.everybody)),
    ]);
    for (subject, version) in &snapshot.sessions.subjects {
        fields.insert(format!("sessions of {subject}"), format!("from version {version}"));
    }
    for count in &snapshot.key_counts {
        let used = format!("{} on day {}, {} in the period", count.day_used, count.day, count.period_used);
        fields.insert(format!("{} has drawn", count.of), used);
    }
    // A lot of no credits says nothing: live state forgets it when it likes.
    for lot in snapshot.lots.iter().filter(|lot| !lot.remaining.is_zero()) {
        fields.insert(lot.lot.to_string(), shown(lot));
    }
    fields
}

fn shown(lot: &LotImage) -> String {
    let (from, until) = (show::instant(lot.granted_at), show::instant(lot.expires_at));
    format!("{} from {from} to {until}", show::credits_in_words(lot.remaining))
}
