//! What was found, in plain words.

use crate::experiments::{Line, Outcome};
use crate::search::{Found, Violation};

/// One line about a scope.
#[must_use]
pub fn scope(name: &str, found: &Found) -> String {
    let what = match (&found.violation, found.is_exhausted) {
        (Some(_), _) => "BROKEN",
        (None, true) => "holds",
        (None, false) => "NOT EXHAUSTED",
    };
    let cut = if found.cut > 0 { format!(", {} cut off", found.cut) } else { String::new() };
    format!(
        "{name:<9} {what:<7} {:>10} states {:>11} transitions, {:>2} steps deep, {:.1} s{cut}",
        found.states,
        found.transitions,
        found.depth,
        found.took.as_secs_f64()
    )
}

/// The steps to a promise that does not hold, numbered.
#[must_use]
pub fn counterexample(violation: &Violation) -> String {
    let steps = (1..).zip(&violation.path).map(|(number, step)| format!("    {number:>2}. {step}\n"));
    format!("{}    => {}\n", steps.collect::<String>(), violation.invariant)
}

/// One line about a guard.
#[must_use]
pub fn guard(outcome: &Outcome) -> String {
    let words = outcome.guard.words();
    let verdict = match (&outcome.line, outcome.broken.as_ref().and_then(|found| found.violation.as_ref())) {
        (_, _) if !outcome.breaks_alone.is_empty() => {
            format!("NOT AS EXPECTED: breaks alone in {}", outcome.breaks_alone.join(", "))
        }
        (Line::First(_), Some(violation)) => format!("{} after {} steps", violation.invariant, violation.path.len()),
        (Line::Second(experiment), Some(violation)) => {
            let others: Vec<_> = experiment.off[1..].iter().map(|guard| guard.words().name).collect();
            let others = others.join(" and ");
            format!(
                "second line: only with {others} out, too: {} after {} steps",
                violation.invariant,
                violation.path.len()
            )
        }
        _ => "NOT AS EXPECTED: no counterexample".to_owned(),
    };
    format!("{:<21} {verdict}", words.name)
}

/// How likely it is that two different states were taken for one, with fingerprints of 64 bits.
#[must_use]
pub fn collision_chance(states: usize) -> String {
    let states = u128::try_from(states).unwrap_or(0);
    let pairs = (states * states / 2).max(1);
    format!("about 1 in {}", (u128::from(u64::MAX) / pairs).max(1))
}
