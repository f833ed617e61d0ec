//! What Redis was asked meanwhile: its own count of commands and of the time each took.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;

use crate::bench::RedisSide;

/// Calls and µs by command.
pub struct Commands(BTreeMap<String, Counts>);

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Counts {
    pub calls: f64,
    pub us: f64,
}

impl Commands {
    pub fn now(redis: &RedisSide) -> Result<Commands> {
        Ok(Commands::read(&redis.cli(&["INFO", "commandstats"])?))
    }

    fn read(text: &str) -> Commands {
        let line = |line: &str| {
            let (name, rest) = line.trim().strip_prefix("cmdstat_")?.split_once(':')?;
            let field = |wanted: &str| {
                rest.split(',').find_map(|part| part.strip_prefix(wanted)?.strip_prefix('=')?.parse::<f64>().ok())
            };
            Some((name.to_owned(), Counts { calls: field("calls")?, us: field("usec")? }))
        };
        Commands(text.lines().filter_map(line).collect())
    }

    /// What was asked since `before`, most time first.
    pub fn since(&self, before: &Commands) -> Vec<(String, Counts)> {
        let grown = |(name, now): (&String, &Counts)| {
            let was = before.0.get(name).copied().unwrap_or_default();
            (name.clone(), Counts { calls: now.calls - was.calls, us: now.us - was.us })
        };
        let mut all: Vec<_> = self.0.iter().map(grown).filter(|(_, counts)| counts.calls > 0.0).collect();
        all.sort_by(|one, other| other.1.us.total_cmp(&one.1.us));
        all
    }
}

/// The scripts among them: what debits, and all that services do by script.
pub fn scripts(commands: &[(String, Counts)]) -> Counts {
    commands.iter().find(|(name, _)| name == "evalsha").map(|(_, counts)| *counts).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_those_since_the_look_before() {
        let before = Commands::read("# Commandstats\r\ncmdstat_evalsha:calls=10,usec=100,usec_per_call=10.00\r\n");
        let after = "cmdstat_evalsha:calls=30,usec=400,usec_per_call=13.33\r\ncmdstat_ping:calls=1,usec=1\r\n";
        let since = Commands::read(after).since(&before);
        assert_eq!(since[0], ("evalsha".to_owned(), Counts { calls: 20.0, us: 300.0 }));
        assert_eq!(scripts(&since), Counts { calls: 20.0, us: 300.0 });
        assert_eq!(since.len(), 2);
        assert_eq!(Commands::read(after).since(&Commands::read(after)), []);
    }
}
