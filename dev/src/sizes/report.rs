//! The figures: each divided by what it is of, as a table or as JSON.

use std::io::Write;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::book::Rows;
use super::live::AccountBytes;

pub struct Figures {
    pub accounts: u64,
    /// What all planted accounts, lots and keys take up, Redis' own tables included.
    pub whole: u64,
    pub lots: Vec<AccountBytes>,
    pub key: u64,
    pub calls: Vec<Call>,
    pub rows: Vec<Rows>,
    pub small: Vec<(&'static str, u64)>,
}

/// What calls of a kind left behind, all together.
pub struct Call {
    pub kind: &'static str,
    pub calls: u64,
    pub events: u64,
    pub event_bytes: u64,
    pub marks: u64,
    pub mark_bytes: u64,
    pub aof_bytes: u64,
    pub journal_bytes: u64,
    pub entries: u64,
    pub heap_bytes: u64,
    pub index_bytes: u64,
    pub wal_bytes: u64,
}

impl Figures {
    pub fn print(&self, as_json: bool) -> Result<()> {
        let text = if as_json { self.json().to_string() } else { self.table() };
        writeln!(std::io::stdout().lock(), "{text}").context("printing the figures")
    }

    fn json(&self) -> Value {
        let lots: Vec<Value> = self.lots.iter().map(|of| json!({"lots": of.lots, "bytes": of.bytes})).collect();
        let rows: Vec<Value> = self
            .rows
            .iter()
            .map(|of| json!({"table": of.table, "row_bytes": of.heap, "index_bytes": of.indexes}))
            .collect();
        let small: Vec<Value> =
            self.small.iter().map(|(table, bytes)| json!({"table": table, "row_bytes": bytes})).collect();
        let calls: Vec<Value> = self.calls.iter().map(Call::json).collect();
        json!({
            "redis": {"accounts": lots, "api_key": self.key, "planted_accounts": self.accounts, "planted_bytes": self.whole},
            "calls": calls,
            "postgres": {"rows": rows, "small": small},
        })
    }

    fn table(&self) -> String {
        let mut lines = vec!["Redis, bytes".to_owned()];
        for of in &self.lots {
            lines.push(format!("  an account with {:3} lots             {:6}", of.lots, of.bytes));
        }
        lines.push(format!("  an API key                            {:6}", self.key));
        lines.push(format!(
            "  all {} accounts, lots and keys     {:10}, Redis' own tables included",
            self.accounts, self.whole
        ));
        for call in &self.calls {
            lines.extend(call.lines());
        }
        lines.push("\nthe book, bytes a row (indexes beside)".to_owned());
        for of in &self.rows {
            lines.push(format!("  {:24} {:6} {:6}", of.table, of.heap, of.indexes));
        }
        for (table, bytes) in &self.small {
            lines.push(format!("  {table:24} {bytes:6}      -"));
        }
        lines.join("\n")
    }
}

impl Call {
    fn json(&self) -> Value {
        json!({
            "kind": self.kind,
            "calls": self.calls,
            "events": self.events,
            "event_bytes": each(self.event_bytes, self.events),
            "marks": self.marks,
            "mark_bytes": each(self.mark_bytes, self.marks),
            "aof_bytes_a_call": each(self.aof_bytes, self.calls),
            "journal_bytes_a_call": each(self.journal_bytes, self.calls),
            "entries": self.entries,
            "entry_bytes": each(self.heap_bytes, self.entries),
            "entry_index_bytes": each(self.index_bytes, self.entries),
            "wal_bytes_a_call": each(self.wal_bytes, self.calls),
        })
    }

    fn lines(&self) -> Vec<String> {
        let mut lines = vec![
            format!("\n{} calls {}, bytes", self.calls, self.kind),
            format!(
                "  an event in its stream               {:6}, {} of them",
                each(self.event_bytes, self.events),
                self.events
            ),
        ];
        if self.marks > 0 {
            lines.push(format!(
                "  a mark                               {:6}, {} of them",
                each(self.mark_bytes, self.marks),
                self.marks
            ));
        }
        lines.extend([
            format!("  append-only file, a call             {:6}", each(self.aof_bytes, self.calls)),
            format!("  the gateway's journal, a call        {:6}", each(self.journal_bytes, self.calls)),
            format!(
                "  an entry of the book                 {:6}, {} of them",
                each(self.heap_bytes, self.entries),
                self.entries
            ),
            format!("  its indexes                          {:6}", each(self.index_bytes, self.entries)),
            format!("  Postgres' log, a call                {:6}", each(self.wal_bytes, self.calls)),
        ]);
        lines
    }
}

fn each(bytes: u64, of: u64) -> u64 {
    bytes.checked_div(of).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_told_by_what_they_are_of() {
        let call = Call {
            kind: "served",
            calls: 10,
            events: 20,
            event_bytes: 2000,
            marks: 0,
            mark_bytes: 0,
            aof_bytes: 5000,
            journal_bytes: 990,
            entries: 20,
            heap_bytes: 4000,
            index_bytes: 3000,
            wal_bytes: 9000,
        };
        let told = call.json();
        assert_eq!((&told["event_bytes"], &told["entry_bytes"]), (&json!(100), &json!(200)));
        assert_eq!((&told["mark_bytes"], &told["wal_bytes_a_call"]), (&json!(0), &json!(900)));
        assert!(!call.lines().concat().contains("a mark"));
    }
}
