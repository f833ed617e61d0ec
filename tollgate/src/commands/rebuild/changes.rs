//! What is another in live state than before: field by field, lot by lot.

use std::collections::BTreeMap;

use ledger::FieldChange;
use metering::LotImage;
use metering::live::Snapshot;

use crate::instant::rfc3339;

/// A change in one line.
pub fn line(change: &FieldChange) -> String {
    let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
    format!("{}: {} -> {}", change.field, shown(&change.before), shown(&change.after))
}

pub fn changes(before: Option<&Snapshot>, after: Option<&Snapshot>) -> Vec<FieldChange> {
    ledger::changes(before, after, fields)
}

/// Everything of a snapshot but the times at which it was taken and will be counted anew.
fn fields(snapshot: &Snapshot) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::from([
        ("seq".to_owned(), snapshot.seq.to_string()),
        ("control_version".to_owned(), snapshot.control_version.to_string()),
        ("control_row".to_owned(), snapshot.control_row.to_string()),
        ("status".to_owned(), snapshot.status.to_string()),
        ("budget_limit".to_owned(), snapshot.budget_limit.to_string()),
        ("budget_used".to_owned(), snapshot.budget_used.to_string()),
        ("budget_period_end".to_owned(), rfc3339(snapshot.budget_period_end)),
        ("frozen".to_owned(), snapshot.frozen.to_string()),
        ("undos".to_owned(), snapshot.undos.to_string()),
        ("remaining".to_owned(), snapshot.cached_total.to_string()),
        ("sessions".to_owned(), format!("from version {}", snapshot.sessions.everybody)),
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
    format!("{} credits from {} to {}", lot.remaining, rfc3339(lot.granted_at), rfc3339(lot.expires_at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use metering::{AccountId, Credits, LotId, SessionVersions, Status, TimeMs};
    use uuid::Uuid;

    fn snapshot(remaining: u64) -> Snapshot {
        let credits = Credits::new(remaining).unwrap();
        let lot = LotImage {
            lot: LotId::new(3).unwrap(),
            remaining: credits,
            granted_at: TimeMs::EPOCH,
            expires_at: TimeMs::new(1_000),
        };
        Snapshot {
            account: AccountId::from_uuid(Uuid::nil()),
            at: TimeMs::EPOCH,
            seq: 1,
            control_version: 1,
            control_row: 1,
            status: Status::Active,
            budget_limit: Credits::ZERO,
            budget_used: Credits::ZERO,
            budget_period_end: TimeMs::EPOCH,
            frozen: false,
            undos: 0,
            cached_total: credits,
            next_change: TimeMs::EPOCH,
            key_counts: vec![],
            sessions: SessionVersions::default(),
            lots: vec![lot],
        }
    }

    #[test]
    fn only_what_changed_is_told_and_what_was_not_there_is_nothing() {
        let told = changes(Some(&snapshot(5)), Some(&snapshot(7)));
        let told: Vec<String> = told.iter().map(line).collect();
        let lot = |credits| format!("{credits} credits from 1970-01-01T00:00:00Z to 1970-01-01T00:00:01Z");
        assert_eq!(told, [format!("lot_3: {} -> {}", lot(5), lot(7)), "remaining: 5 -> 7".to_owned()]);
        assert_eq!(changes(Some(&snapshot(5)), Some(&snapshot(5))), []);
        let new = changes(None, Some(&snapshot(0)));
        assert!(new.iter().all(|change| change.before.is_none()), "{new:?}");
        assert!(!new.iter().any(|change| change.field == "lot_3"), "an empty lot says nothing");
    }
}
