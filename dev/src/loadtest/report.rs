//! What a scenario ends with: Redis' side, the audit, and whether all of it holds.

use anyhow::{Context, Result};
use serde::Serialize;

use super::audit::Book;
use super::commands::Counts;
use super::found::Found;

#[derive(Serialize)]
pub struct Outcome {
    pub scenario: &'static str,
    pub found: Option<Found>,
    /// What Redis was asked meanwhile.
    #[serde(rename = "redis")]
    pub commands: Vec<(String, Counts)>,
    pub book: Option<Book>,
    /// Figures that are the scenario's own, in words.
    pub notes: Vec<String>,
    /// What does not hold.
    pub wrong: Vec<String>,
}

/// Commands that took less time than these are left out for people.
const COMMANDS_SHOWN: usize = 6;

impl Outcome {
    /// Of a scenario that says itself what it has measured.
    pub fn of_figures(scenario: &'static str, notes: Vec<String>, wrong: Vec<String>) -> Outcome {
        Outcome { scenario, found: None, commands: Vec::new(), book: None, notes, wrong }
    }

    /// Prints it; whether all of it holds.
    pub fn print(self, json: bool) -> Result<bool> {
        let holds = self.wrong.is_empty();
        if json {
            println!("{}", serde_json::to_string(&self).context("writing JSON")?);
            return Ok(holds);
        }
        if let Some(found) = &self.found {
            self.print_commands(found);
        }
        if let Some(book) = &self.book {
            let receipts = &book.receipts;
            println!(
                "\nthe book  {} calls paid {} credits, {} cost nothing; {} debits stand, {} were given back; drift {}",
                receipts.paid.answers,
                receipts.paid.credits,
                receipts.free.answers,
                book.standing.debits,
                book.give_backs,
                book.drift
            );
        }
        for note in &self.notes {
            println!("{note}");
        }
        for wrong in &self.wrong {
            println!("WRONG  {wrong}");
        }
        println!("{}: {}", self.scenario, if holds { "everything holds" } else { "not everything holds" });
        Ok(holds)
    }

    #[expect(clippy::cast_precision_loss, reason = "nobody makes 2^52 calls")]
    fn print_commands(&self, found: &Found) {
        println!("\n{:<20}{:>14}{:>14}", "Redis", "calls/call", "µs each");
        for (name, counts) in self.commands.iter().take(COMMANDS_SHOWN) {
            println!(
                "{name:<20}{:>14.3}{:>14.1}",
                counts.calls / found.all.calls.max(1) as f64,
                counts.us / counts.calls
            );
        }
    }
}
