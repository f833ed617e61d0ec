//! Which guards are taken out, in which scope, and what must break then.

use crate::guards::GUARDS;
use crate::invariants::Invariant;
use crate::scope::{NAMES, Scope, Size};
use crate::search::{Found, Search};
use crate::{Guard, Guards};

/// Guards taken out together, and the promise that breaks.
pub struct Experiment {
    pub off: &'static [Guard],
    pub scope: &'static str,
    pub breaks: Invariant,
}

/// How much a guard carries.
pub enum Line {
    /// Without it a promise breaks.
    First(Experiment),
    /// Without it alone nothing breaks in any scope; with others out, too, a promise does.
    Second(Experiment),
}

/// What is expected of a guard.
#[must_use]
pub fn line(guard: Guard) -> Line {
    use Guard as G;
    use Invariant as I;
    let first = |off, scope, breaks| Line::First(Experiment { off, scope, breaks });
    let second = |off, scope, breaks| Line::Second(Experiment { off, scope, breaks });
    match guard {
        G::ScriptFence => first(&[G::ScriptFence], "crash", I::Drift),
        G::MetaNumber => first(&[G::MetaNumber], "owners", I::Broken),
        G::Seal => first(&[G::Seal], "commits", I::Drift),
        G::OneConnection => first(&[G::OneConnection], "commits", I::Broken),
        G::CommitFence => first(&[G::CommitFence], "commits", I::Drift),
        G::CursorCompare => first(&[G::CursorCompare], "commits", I::Broken),
        G::EntriesUnique => second(&[G::EntriesUnique, G::CursorCompare, G::SeqFollows], "commits", I::RecordedTwice),
        G::SeqFollows => second(&[G::SeqFollows, G::CursorCompare, G::EntriesUnique], "commits", I::RecordedTwice),
        G::GrantsAsEvents => first(&[G::GrantsAsEvents], "control", I::GrantLost),
        G::Freeze => first(&[G::Freeze], "control", I::Drift),
        G::InstallAtSeq => second(&[G::InstallAtSeq, G::MetaNumber], "owners", I::Drift),
        G::NewPrefix => first(&[G::NewPrefix], "crash", I::Drift),
        G::NoResend => first(&[G::NoResend], "unknown", I::DrawnTwice),
        G::NotAfter => first(&[G::NotAfter], "unknown", I::LateDebit),
        G::ClosedMarks => first(&[G::ClosedMarks], "late", I::LateDebit),
        G::UndoPending => first(&[G::UndoPending], "late", I::LateDebit),
        G::MarksKept => first(&[G::MarksKept], "late", I::LateDebit),
        G::OneMark => first(&[G::OneMark], "holds", I::GivenBackTwice),
        G::DuplicateGivenBack => second(&[G::DuplicateGivenBack, G::NoResend], "unknown", I::ChargedTwice),
        G::TrimBehindCursor => first(&[G::TrimBehindCursor], "late", I::EventLost),
        G::ExposureCap => first(&[G::ExposureCap], "crash", I::Exposure),
        G::ExpiryInDebit => first(&[G::ExpiryInDebit], "time", I::DrawnExpired),
        G::PeriodFromTime => first(&[G::PeriodFromTime], "time", I::OverBudget),
        G::HighestTime => first(&[G::HighestTime], "time", I::DrawnExpired),
        G::HoldGrace => first(&[G::HoldGrace], "holds", I::SettlementLost),
        G::RowAfterFence => first(&[G::RowAfterFence], "commits", I::Drift),
        G::DrainBeforeRebuild => first(&[G::DrainBeforeRebuild], "handover", I::EventLost),
        G::ClosingsKept => first(&[G::ClosingsKept], "crash", I::Unreturned),
    }
}

impl Line {
    /// The experiment that shows it.
    #[must_use]
    pub const fn experiment(&self) -> &Experiment {
        match self {
            Self::First(experiment) | Self::Second(experiment) => experiment,
        }
    }
}

impl Experiment {
    /// Looks for the promise that must break; other promises are not watched, so that a second line is seen where it stands alone.
    #[must_use]
    pub fn run(&self) -> Option<Found> {
        let scope = Scope::named(self.scope, Size::Ci)?;
        Some(Search { only: Some(self.breaks), ..Search::of(scope, Guards::all_but(self.off)) }.run())
    }
}

/// What was found of one guard.
pub struct Outcome {
    pub guard: Guard,
    pub line: Line,
    /// Whether all is as it is expected to be.
    pub holds: bool,
    /// The run in which the promise broke.
    pub broken: Option<Found>,
    /// For a second line: scopes in which something broke without it alone.
    pub breaks_alone: Vec<&'static str>,
}

/// Takes a guard out, alone and, where it is a second line, with others.
#[must_use]
pub fn run(guard: Guard) -> Outcome {
    let line = line(guard);
    let broken = line.experiment().run();
    let mut breaks_alone = Vec::new();
    if !matches!(line, Line::First(_)) {
        for name in NAMES {
            let found = Scope::named(name, Size::Ci).map(|scope| Search::of(scope, Guards::ALL.without(guard)).run());
            if !found.is_some_and(|found| found.is_exhausted) {
                breaks_alone.push(name);
            }
        }
    }
    let is_broken = broken.as_ref().is_some_and(|found| found.violation.is_some());
    let holds = breaks_alone.is_empty() && is_broken;
    Outcome { guard, line, holds, broken, breaks_alone }
}

/// Every guard, in the order of the table.
pub fn guards() -> impl Iterator<Item = Guard> {
    GUARDS.iter().map(|words| words.guard)
}
