//! What each scope lets happen, and how often. Each is exhausted for itself: a scope that is never exhausted shows little.

/// How large a scope is gone through.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Size {
    /// In seconds, in every run of CI.
    Ci,
    /// In minutes.
    Full,
}

/// Bounds.
#[expect(clippy::struct_excessive_bools, reason = "each says whether one thing may happen")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope {
    pub name: &'static str,
    pub what: &'static str,
    /// Requests that ask, and what each draws.
    pub requests: u8,
    pub price: u8,
    /// Whether they are holds, and for how many ticks.
    pub holds: bool,
    pub hold_life: u8,
    /// Ticks after which a debit draws no more.
    pub life: u8,
    pub give_backs: bool,
    /// What a lot has.
    pub credits: u8,
    /// The tick at which the first lot expires; 0 = never.
    pub expiry: u8,
    /// The budget, and the ticks of its period; 0 = none.
    pub limit: u8,
    pub period: u8,
    pub cap_events: u8,
    pub cap_credits: u8,
    /// Ticks the clock goes on, and how often it jumps back.
    pub ticks: u8,
    pub clock_backs: u8,
    pub crashes: u8,
    pub empties: bool,
    pub takeovers: u8,
    pub deaths: u8,
    pub give_ups: u8,
    pub lost_answers: u8,
    pub lost_commits: u8,
    pub trims: u8,
    /// Rows that operators and payments append, and of which kinds.
    pub rows: u8,
    pub grants: bool,
    pub reductions: bool,
    pub caps: bool,
}

const NOTHING: Scope = Scope {
    name: "",
    what: "",
    requests: 1,
    price: 1,
    holds: false,
    hold_life: 1,
    life: 9,
    give_backs: false,
    credits: 2,
    expiry: 0,
    limit: 0,
    period: 0,
    cap_events: 9,
    cap_credits: 9,
    ticks: 0,
    clock_backs: 0,
    crashes: 0,
    empties: false,
    takeovers: 0,
    deaths: 0,
    give_ups: 0,
    lost_answers: 0,
    lost_commits: 0,
    trims: 0,
    rows: 0,
    grants: false,
    reductions: false,
    caps: false,
};

/// The names of all scopes.
pub const NAMES: [&str; 9] = ["crash", "unknown", "late", "control", "holds", "commits", "handover", "owners", "time"];

impl Scope {
    /// A scope by its name.
    #[must_use]
    pub fn named(name: &str, size: Size) -> Option<Self> {
        let full = size == Size::Full;
        let more = |small: u8, large: u8| if full { large } else { small };
        Some(match name {
            "crash" => crash(more),
            "unknown" => unknown(more),
            "late" => late(full, more),
            "control" => control(full, more),
            "holds" => holds(more),
            "commits" => commits(full, more),
            "handover" => handover(full, more),
            "owners" => owners(more),
            "time" => time(full, more),
            _ => return None,
        })
    }
}

fn crash(more: impl Fn(u8, u8) -> u8) -> Scope {
    Scope {
        name: "crash",
        what: "debits and give-backs; Redis dies and loses its tail or everything; certify, install; the exposure cap",
        requests: 2,
        give_backs: true,
        credits: 3,
        crashes: more(1, 2),
        empties: true,
        cap_events: 2,
        cap_credits: more(1, 2),
        trims: more(0, 1),
        ..NOTHING
    }
}

fn unknown(more: impl Fn(u8, u8) -> u8) -> Scope {
    Scope {
        name: "unknown",
        what: "debits whose answer is lost, while Redis dies and a new incarnation is built: undo, give-back, closed marks",
        life: 1,
        give_backs: true,
        ticks: 2,
        crashes: more(1, 2),
        empties: true,
        give_ups: 1,
        lost_answers: 1,
        trims: 1,
        ..NOTHING
    }
}

fn late(full: bool, more: impl Fn(u8, u8) -> u8) -> Scope {
    Scope {
        name: "late",
        what: "debits that arrive late: undo, closed marks, `not_after`, events that were let go of",
        requests: 2,
        life: 1,
        give_backs: full,
        ticks: more(1, 2),
        give_ups: more(1, 2),
        lost_answers: more(0, 1),
        trims: 1,
        ..NOTHING
    }
}

fn control(full: bool, more: impl Fn(u8, u8) -> u8) -> Scope {
    Scope {
        name: "control",
        what: "a grant, a reduction, a change that needs an install, an expiry; Redis dies and loses one of them",
        give_backs: full,
        expiry: 1,
        ticks: 1,
        crashes: 1,
        empties: full,
        rows: more(1, 2),
        grants: true,
        reductions: true,
        caps: true,
        ..NOTHING
    }
}

fn holds(more: impl Fn(u8, u8) -> u8) -> Scope {
    Scope {
        name: "holds",
        what: "holds: settle, release by deadline, gateways that die, a shard that is closed for a while",
        requests: more(1, 2),
        price: 2,
        holds: true,
        credits: 4,
        life: 2,
        ticks: 2,
        crashes: more(1, 0),
        deaths: 1,
        give_ups: more(0, 1),
        lost_answers: 1,
        ..NOTHING
    }
}

fn commits(full: bool, more: impl Fn(u8, u8) -> u8) -> Scope {
    Scope {
        name: "commits",
        what: "commits whose answer is lost and that may still happen, while Redis dies and the shard is certified anew",
        requests: more(1, 2),
        give_backs: full,
        crashes: 1,
        empties: true,
        lost_commits: 1,
        rows: more(0, 1),
        grants: true,
        ..NOTHING
    }
}

fn handover(full: bool, more: impl Fn(u8, u8) -> u8) -> Scope {
    Scope {
        name: "handover",
        what: "a shard that is being built anew gets another owner",
        requests: more(1, 2),
        give_backs: full,
        crashes: 1,
        empties: true,
        takeovers: 1,
        ..NOTHING
    }
}

fn owners(more: impl Fn(u8, u8) -> u8) -> Scope {
    Scope {
        name: "owners",
        what: "two owners: each may sleep at any point and wake with a stale view, while the other goes on",
        crashes: more(0, 1),
        empties: true,
        takeovers: more(2, 1),
        lost_commits: more(0, 1),
        rows: 1,
        caps: true,
        ..NOTHING
    }
}

fn time(full: bool, more: impl Fn(u8, u8) -> u8) -> Scope {
    Scope {
        name: "time",
        what: "a lot expires and a budget period turns while debits are on their way; the clock jumps back",
        requests: 2,
        life: more(1, 2),
        give_backs: full,
        expiry: 1,
        limit: 1,
        period: 1,
        ticks: more(1, 2),
        clock_backs: 1,
        rows: 1,
        grants: true,
        ..NOTHING
    }
}
