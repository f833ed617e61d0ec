//! What goes wrong in a run, and when: decided by the seed before anything starts.

use std::fmt;
use std::time::Duration;

use clap::ValueEnum;

use super::chance::Chance;

/// What can be asked for with `--faults`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Choice {
    /// Everything below.
    All,
    /// Every kill: what was answered stays, exactly.
    Kills,
    /// Every stop: what was answered stays, exactly.
    Stops,
    /// Every fault that loses the last of what Redis was told.
    Tails,
    KillGateway,
    KillSync,
    KillRedis,
    KillPostgres,
    StopGateway,
    StopSync,
    StopRedis,
    StopPostgres,
    /// Redis killed, and the last bytes of its append-only file gone.
    CutAof,
    /// Every key gone, the process the same.
    Flushall,
    /// Redis started again without its files.
    Empty,
    /// A replica that was told to lead while the old primary still served takes its place.
    StalePromotion,
}

/// Who is hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Victim {
    Gateway(usize),
    Sync(usize),
    Redis,
    Postgres,
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Harm {
    /// SIGKILL; started again after this long.
    Kill {
        down: Duration,
    },
    /// SIGSTOP; SIGCONT after this long.
    Stop {
        still: Duration,
    },
    /// The append-only file is cut back to what it was so long before the kill, and some bytes more or less.
    CutAof {
        back: Duration,
        bytes: u64,
    },
    Flush,
    Empty,
    /// The old primary goes on for so long after the replica was told to lead.
    StalePromotion {
        apart: Duration,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// After the fault before has been recovered from.
    pub after: Duration,
    pub victim: Victim,
    pub harm: Harm,
}

impl Choice {
    /// The single faults it stands for.
    fn singles(self) -> Vec<Choice> {
        use Choice::{
            All, CutAof, Empty, Flushall, KillGateway, KillPostgres, KillRedis, KillSync, Kills, StalePromotion,
            StopGateway, StopPostgres, StopRedis, StopSync, Stops, Tails,
        };
        match self {
            All => [Kills, Stops, Tails].into_iter().flat_map(Choice::singles).collect(),
            Kills => vec![KillGateway, KillSync, KillRedis, KillPostgres],
            Stops => vec![StopGateway, StopSync, StopRedis, StopPostgres],
            Tails => vec![CutAof, Flushall, Empty, StalePromotion],
            single => vec![single],
        }
    }

    fn fault(self, after: Duration, chance: &mut Chance) -> Fault {
        let which = chance.one_of(&[0, 1]);
        let down = Harm::Kill { down: ms(chance.between(0, 2_000)) };
        let still = Harm::Stop { still: ms(chance.between(500, 6_000)) };
        let back = ms(chance.between(0, 2_000));
        let (victim, harm) = match self {
            Choice::KillGateway => (Victim::Gateway(which), down),
            Choice::KillSync => (Victim::Sync(which), down),
            Choice::KillPostgres => (Victim::Postgres, down),
            Choice::StopGateway => (Victim::Gateway(which), still),
            Choice::StopSync => (Victim::Sync(which), still),
            Choice::StopRedis => (Victim::Redis, still),
            Choice::StopPostgres => (Victim::Postgres, still),
            Choice::CutAof => (Victim::Redis, Harm::CutAof { back, bytes: chance.between(0, 400) }),
            Choice::Flushall => (Victim::Redis, Harm::Flush),
            Choice::Empty => (Victim::Redis, Harm::Empty),
            Choice::StalePromotion => (Victim::Redis, Harm::StalePromotion { apart: back }),
            Choice::KillRedis | Choice::All | Choice::Kills | Choice::Stops | Choice::Tails => (Victim::Redis, down),
        };
        Fault { after, victim, harm }
    }
}

/// As many faults as can fit into the time, one about every `every`; each kind comes before one comes again.
pub fn plan(seed: u64, time: Duration, every: Duration, choices: &[Choice]) -> Vec<Fault> {
    let mut chance = Chance::new(seed);
    let mut kinds: Vec<Choice> = Vec::new();
    for single in choices.iter().flat_map(|choice| choice.singles()) {
        if !kinds.contains(&single) {
            kinds.push(single);
        }
    }
    let every_ms = u64::try_from(every.as_millis()).unwrap_or(u64::MAX).max(2);
    let (mut faults, mut planned, mut left) = (Vec::new(), Duration::ZERO, Vec::new());
    while !kinds.is_empty() {
        let after = ms(chance.between(every_ms / 2, every_ms + every_ms / 2));
        planned += after;
        if planned >= time {
            break;
        }
        if left.is_empty() {
            left.clone_from(&kinds);
        }
        let kind = chance.one_of(&left);
        left.retain(|other| *other != kind);
        faults.push(kind.fault(after, &mut chance));
    }
    faults
}

fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

impl Fault {
    /// Whether the last of what Redis was told may be gone: what of it was not in the book yet is lost.
    pub fn loses_tail(&self) -> bool {
        matches!(self.harm, Harm::CutAof { .. } | Harm::Flush | Harm::Empty | Harm::StalePromotion { .. })
    }
}

impl Victim {
    pub fn name(self) -> &'static str {
        match self {
            Victim::Gateway(0) => "gateway-1",
            Victim::Gateway(_) => "gateway-2",
            Victim::Sync(0) => "ledger-sync-1",
            Victim::Sync(_) => "ledger-sync-2",
            Victim::Redis => "redis",
            Victim::Postgres => "postgres",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, s) = (self.victim.name(), |time: Duration| time.as_secs_f64());
        match self.harm {
            Harm::Kill { down } => write!(formatter, "SIGKILL {name}, started again after {:.1} s", s(down)),
            Harm::Stop { still } => write!(formatter, "SIGSTOP {name}, SIGCONT after {:.1} s", s(still)),
            Harm::CutAof { back, bytes } => {
                write!(formatter, "SIGKILL {name}, the last {:.1} s (and {bytes} bytes) of its file cut off", s(back))
            }
            Harm::Flush => write!(formatter, "FLUSHALL"),
            Harm::Empty => write!(formatter, "SIGKILL {name}, started again without its files"),
            Harm::StalePromotion { apart } => {
                write!(formatter, "a replica that is {:.1} s behind takes the place of {name}", s(apart))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTES: Duration = Duration::from_mins(2);
    const EVERY: Duration = Duration::from_secs(6);

    #[test]
    fn the_seed_decides_everything() {
        assert_eq!(plan(1, MINUTES, EVERY, &[Choice::All]), plan(1, MINUTES, EVERY, &[Choice::All]));
        assert_ne!(plan(1, MINUTES, EVERY, &[Choice::All]), plan(2, MINUTES, EVERY, &[Choice::All]));
    }

    #[test]
    fn every_kind_comes_before_one_comes_again() {
        for seed in 0..20 {
            let faults = plan(seed, MINUTES, EVERY, &[Choice::All, Choice::KillRedis]);
            assert!(faults.len() >= 13, "{}", faults.len());
            let tails = faults[..12].iter().filter(|fault| fault.loses_tail()).count();
            assert_eq!(tails, 4, "seed {seed}");
        }
    }

    #[test]
    fn kills_and_stops_lose_no_tail() {
        let faults = plan(7, MINUTES, EVERY, &[Choice::Kills, Choice::Stops]);
        assert!(!faults.is_empty() && faults.iter().all(|fault| !fault.loses_tail()));
    }

    #[test]
    fn a_time_too_short_for_a_fault_has_none() {
        assert!(plan(1, Duration::from_millis(100), EVERY, &[Choice::All]).is_empty());
    }
}
