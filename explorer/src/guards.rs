//! The guards of the protocol, each with a switch.

use std::fmt;

/// What keeps the protocol's promises. The order is that of the table that is printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Guard {
    ScriptFence,
    MetaNumber,
    Seal,
    OneConnection,
    CommitFence,
    CursorCompare,
    EntriesUnique,
    SeqFollows,
    GrantsAsEvents,
    Freeze,
    InstallAtSeq,
    NewPrefix,
    NoResend,
    NotAfter,
    ClosedMarks,
    UndoPending,
    MarksKept,
    OneMark,
    DuplicateGivenBack,
    TrimBehindCursor,
    ExposureCap,
    ExpiryInDebit,
    PeriodFromTime,
    HighestTime,
    HoldGrace,
    RowAfterFence,
    DrainBeforeRebuild,
    ClosingsKept,
}

/// A guard, in words.
pub struct Words {
    pub guard: Guard,
    /// As it is named on the command line.
    pub name: &'static str,
    pub what: &'static str,
    /// Where the code keeps it; none where it does not yet.
    pub code: Option<&'static str>,
}

macro_rules! guards {
    ($($guard:ident $name:literal $what:literal $code:expr;)*) => {
        /// Every guard.
        pub const GUARDS: &[Words] = &[$(Words { guard: Guard::$guard, name: $name, what: $what, code: $code }),*];
    };
}

guards! {
    ScriptFence "script-fence" "only the owner loads scripts, into the process that it certifies, and they are of that process alone" Some("live/meter.rs, deploy/redis/users.acl");
    MetaNumber "meta-number" "every script asserts that `meta` holds its certification" Some("prelude.lua");
    Seal "seal" "a shard is closed before it is compared" Some("seal.lua");
    OneConnection "one-connection" "a certification is one connection; a break starts over" Some("ledger-sync/src/certify.rs");
    CommitFence "commit-fence" "every commit names epoch, certification and incarnation" Some("hold_fence.sql, advance_cursor.sql");
    CursorCompare "cursor-compare" "the cursor moves only from where the batch begins" Some("advance_cursor.sql");
    EntriesUnique "entries-unique" "an event's place is in the entries once" Some("0005_entries.sql");
    SeqFollows "seq-follows" "an event's number in its account is the next" Some("record/plan.rs");
    GrantsAsEvents "grants-as-events" "a control change is an event, and delivered only when that is drained" Some("control.lua, deliver_rows.sql");
    Freeze "freeze" "an account that is installed anew draws nothing meanwhile" Some("freeze.lua");
    InstallAtSeq "install-at-seq" "an install writes only at the seq at which the book was read" Some("install.lua");
    NewPrefix "new-prefix" "an incarnation has keys of its own" Some("live/keys.rs");
    NoResend "no-resend" "a debit whose outcome is unknown is never sent again" Some("live/meter.rs");
    NotAfter "not-after" "a debit draws only before its `not_after`" Some("debit.lua");
    ClosedMarks "closed-marks" "what closes a debit leaves a mark, and looks for one first" Some("closing.lua, undoing.lua");
    UndoPending "undo-pending" "while undos are pending a debit looks for its mark" Some("debit.lua");
    MarksKept "marks-kept" "an undo's mark stays while its debit may still arrive" Some("ledger-sync/src/retention.rs");
    OneMark "one-mark" "settling, giving back and releasing leave the same mark" Some("closing.lua");
    DuplicateGivenBack "duplicate-given-back" "a second debit of an op is given back" Some("record/plan/decide.rs");
    TrimBehindCursor "trim-behind-cursor" "only what is in the book leaves the stream" Some("drained.lua");
    ExposureCap "exposure-cap" "debits stop when too much is not in the book" Some("debit.lua");
    ExpiryInDebit "expiry-in-debit" "a lot past its expiry is not drawn, swept or not" Some("lots.lua");
    PeriodFromTime "period-from-time" "the budget period is computed from the time" Some("account.lua");
    HighestTime "highest-time" "a shard's time never goes back" Some("prelude.lua");
    HoldGrace "hold-grace" "holds are released only after gateways had time to settle" Some("ledger-sync/src/accounts.rs");
    RowAfterFence "row-after-fence" "the book's row is compared as it is once the fence is raised" Some("ledger-sync/src/certify.rs");
    DrainBeforeRebuild "drain-before-rebuild" "an interrupted install is drained before it is built anew" Some("ledger-sync/src/certify.rs");
    ClosingsKept "closings-kept" "a give-back or undo that was promised is kept until it is in the book" Some("gateway/src/journal.rs, ledger-sync/src/journal_rounds.rs");
}

impl Guard {
    #[must_use]
    pub fn words(self) -> &'static Words {
        &GUARDS[self as usize]
    }

    /// By its name on the command line.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        GUARDS.iter().find(|words| words.name == name).map(|words| words.guard)
    }
}

impl fmt::Display for Guard {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(self.words().name)
    }
}

/// Which guards are on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Guards {
    off: u32,
}

impl Guards {
    pub const ALL: Self = Self { off: 0 };

    #[must_use]
    pub const fn has(self, guard: Guard) -> bool {
        self.off >> guard as u32 & 1 == 0
    }

    #[must_use]
    pub const fn without(self, guard: Guard) -> Self {
        Self { off: self.off | 1 << guard as u32 }
    }

    /// All but these.
    #[must_use]
    pub fn all_but(guards: &[Guard]) -> Self {
        guards.iter().fold(Self::ALL, |left, &guard| left.without(guard))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_guard_stands_at_its_place_and_has_a_name_of_its_own() {
        for (place, words) in GUARDS.iter().enumerate() {
            assert_eq!(words.guard as usize, place);
            assert_eq!(Guard::named(words.name), Some(words.guard));
            assert!(!Guards::ALL.without(words.guard).has(words.guard));
        }
    }
}
