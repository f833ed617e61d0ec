//! The scripts: their texts, one operation a file, and their digests in a Redis process.
//!
//! A script's text holds the `run_id` of the process that it is loaded into, so each process has digests of its own and one that no owner has
//! looked at has none of them. What names the process to gateways is the head of a shard that was certified in it; which certification that was
//! is told to the script, which compares. Only the owner loads scripts; everybody runs them by digest. It loads those of the release before, too,
//! so that gateways go on while owners are replaced, and are replaced one after the other then.

use redis::Script as ScriptText;

const PRELUDE: &str = include_str!("scripts/prelude.lua");
const ACCOUNT: &str = include_str!("scripts/account.lua");
const DETAIL: &str = include_str!("scripts/detail.lua");
const LOTS: &str = include_str!("scripts/lots.lua");
const CAPS: &str = include_str!("scripts/caps.lua");
const MARKS: &str = include_str!("scripts/marks.lua");
const TERMS: &str = include_str!("scripts/terms.lua");
const CLOSING: &str = include_str!("scripts/closing.lua");
const BURNING: &str = include_str!("scripts/burning.lua");
const UNDOING: &str = include_str!("scripts/undoing.lua");
const RETURNING: &str = include_str!("scripts/returning.lua");
const SESSIONS: &str = include_str!("scripts/sessions.lua");
const RATES: &str = include_str!("scripts/rates.lua");
const ASIDE: &str = include_str!("scripts/aside.lua");
const RARELY: &str = include_str!("scripts/rarely.lua");

/// Closes a shard before certification; run by text, by its owner only.
pub(super) const SEAL: &str = include_str!("scripts/seal.lua");
/// Gives a shard its certification; run by text, by its owner only.
pub(super) const CERTIFY: &str = include_str!("scripts/certify.lua");

/// The gateways' scripts as the release before had them (`CONTRIBUTING.md`, "Cutting a release"); none before the first release.
pub(super) const PREVIOUS: &str = include_str!("scripts/previous.lua");
/// Begins each of them, with its name behind.
const KEPT: &str = "-- @script@ ";

macro_rules! scripts {
    ($($(#[$doc:meta])* $name:ident = $text:literal after [$($part:ident),*]),+ $(,)?) => {
        /// An operation on live state.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Script {
            $($(#[$doc])* $name),+
        }

        impl Script {
            /// Every script that a shard's owner loads.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            fn parts(self) -> &'static [&'static str] {
                match self { $(Self::$name => &[PRELUDE, $($part,)* include_str!(concat!("scripts/", $text))]),+ }
            }
        }
    };
}

scripts! {
    /// `debit.lua`
    Debit = "debit.lua" after [ACCOUNT, ASIDE, DETAIL, LOTS, BURNING, CAPS, RATES, MARKS, TERMS, RARELY],
    /// `pass_rates.lua`
    PassRates = "pass_rates.lua" after [RATES],
    /// `give_back.lua`
    GiveBack = "give_back.lua" after [ACCOUNT, DETAIL, LOTS, CAPS, RETURNING, MARKS, UNDOING, CLOSING],
    /// `settle.lua`
    Settle = "settle.lua" after [ACCOUNT, DETAIL, LOTS, CAPS, RETURNING, MARKS, UNDOING, CLOSING],
    /// `confirm.lua`
    Confirm = "confirm.lua" after [],
    /// `answered.lua`
    Answered = "answered.lua" after [],
    /// `undo.lua`
    Undo = "undo.lua" after [ACCOUNT, DETAIL, MARKS, UNDOING],
    /// `credits.lua`
    Credits = "credits.lua" after [ACCOUNT, DETAIL, LOTS],
    /// `standing.lua`
    Standing = "standing.lua" after [ACCOUNT],
    /// `snapshot.lua`
    Snapshot = "snapshot.lua" after [ACCOUNT, DETAIL, LOTS, CAPS],
    /// `find_key.lua`
    FindKey = "find_key.lua" after [],
    /// `control.lua`
    Control = "control.lua" after [ACCOUNT, DETAIL, LOTS, CAPS, RETURNING, SESSIONS],
    /// `install.lua`
    Install = "install.lua" after [ACCOUNT, DETAIL, LOTS],
    /// `written.lua`
    Written = "written.lua" after [],
    /// `wanted.lua`
    Wanted = "wanted.lua" after [],
    /// `freeze.lua`
    Freeze = "freeze.lua" after [ACCOUNT, DETAIL],
    /// `put_marks.lua`
    PutMarks = "put_marks.lua" after [],
    /// `put_key.lua`
    PutKey = "put_key.lua" after [],
    /// `drained.lua`
    Drained = "drained.lua" after [MARKS],
    /// `open.lua`
    Open = "open.lua" after [],
}

impl Script {
    /// Those that gateways run.
    pub const OF_GATEWAYS: &[Self] = &[
        Self::Debit,
        Self::PassRates,
        Self::GiveBack,
        Self::Settle,
        Self::Confirm,
        Self::Answered,
        Self::Undo,
        Self::Credits,
        Self::Standing,
        Self::FindKey,
        Self::Written,
    ];

    /// The text that is loaded into the process with this `run_id`.
    #[must_use]
    pub fn text(self, process: &str) -> String {
        of(&self.parts().concat(), process)
    }

    /// What a release keeps for the next one: the gateways' scripts, whole, one after the other.
    #[must_use]
    pub fn kept() -> String {
        let one = |script: &Self| format!("{KEPT}{script:?}\n{}", script.parts().concat());
        Self::OF_GATEWAYS.iter().map(one).collect()
    }
}

fn of(text: &str, process: &str) -> String {
    text.replace("@process@", process)
}

/// Scripts that were kept, as they are loaded into a process.
pub(super) fn previous(kept: &str, process: &str) -> impl Iterator<Item = String> {
    let scripts = kept.split(KEPT).skip(1).filter_map(|script| script.split_once('\n'));
    scripts.map(|(_name, text)| of(text, process))
}

/// The digests of all scripts in one process.
#[derive(Debug)]
pub(super) struct Digests {
    /// Its `run_id`.
    pub(super) process: String,
    digests: Vec<String>,
}

impl Digests {
    /// Computes them; about as long as hashing 200 kB, once a process.
    pub(super) fn of_process(process: &str) -> Self {
        // `redis::Script` is used for its SHA-1 only: its `invoke` loads a missing script and would break the fence.
        let digest = |script: &Script| ScriptText::new(&script.text(process)).get_hash().to_owned();
        Self { process: process.to_owned(), digests: Script::ALL.iter().map(digest).collect() }
    }

    /// The digest of one script.
    pub(super) fn of(&self, script: Script) -> &str {
        let place = Script::ALL.iter().position(|other| *other == script);
        place.and_then(|place| self.digests.get(place)).map_or("", String::as_str) // always there: one for each of ALL
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_process_has_digests_of_its_own() {
        let (one, other) = (Digests::of_process("0a"), Digests::of_process("0b"));
        for script in Script::ALL {
            assert!(!script.text("0a").contains('@'), "{script:?}");
            assert_ne!(one.of(*script), other.of(*script), "{script:?}");
        }
    }

    #[test]
    fn what_a_release_keeps_is_read_back_script_by_script() {
        let now: Vec<String> = Script::OF_GATEWAYS.iter().map(|script| script.text("0a")).collect();
        assert_eq!(previous(&Script::kept(), "0a").collect::<Vec<_>>(), now);
        assert_eq!(previous("-- nothing is kept yet\n", "0a").count(), 0);
    }
}
