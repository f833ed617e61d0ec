//! What must come of a set of facts, in plain Rust: no order, no database, no partial states.

use std::collections::BTreeSet;

use metering::Status;

/// One delivery of a small world: a subscription with two periods, a change of plan in the second, and a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Told {
    Incomplete,
    Active,
    /// The first invoice, 100 credits.
    FirstPaid,
    FirstLinked,
    SecondFailed,
    PastDue,
    /// 100 credits.
    SecondPaid,
    ActiveAgain,
    /// To a plan of 300 credits, in the second period.
    Changed,
    Canceled,
    /// 50 credits.
    Pack,
    PackLinked,
    /// A quarter of the first invoice.
    FirstRefunded,
    /// The half of it.
    FirstRefundedMore,
    FirstDisputed,
    PackRefunded,
}

pub const ALL: [Told; 16] = [
    Told::Incomplete,
    Told::Active,
    Told::FirstPaid,
    Told::FirstLinked,
    Told::SecondFailed,
    Told::PastDue,
    Told::SecondPaid,
    Told::ActiveAgain,
    Told::Changed,
    Told::Canceled,
    Told::Pack,
    Told::PackLinked,
    Told::FirstRefunded,
    Told::FirstRefundedMore,
    Told::FirstDisputed,
    Told::PackRefunded,
];

/// What the book must say.
#[derive(Debug, PartialEq, Eq)]
pub struct Expected {
    pub status: Status,
    pub first: Option<u64>,
    pub second_period: u64,
    pub pack: Option<u64>,
    pub first_asked: u64,
    pub pack_asked: u64,
    /// Reversals whose payment is not known stay parked.
    pub parked: usize,
}

pub fn expected(told: &BTreeSet<Told>) -> Expected {
    let has = |one| told.contains(&one);
    let first_settles = has(Told::FirstPaid) && has(Told::FirstLinked);
    let pack_settles = has(Told::Pack) && has(Told::PackLinked);
    let first_asked = if !first_settles {
        0
    } else if has(Told::FirstDisputed) {
        100
    } else if has(Told::FirstRefundedMore) {
        50
    } else if has(Told::FirstRefunded) {
        25
    } else {
        0
    };
    let pack_is_reversed = pack_settles && has(Told::PackRefunded);
    let of_first = [Told::FirstRefunded, Told::FirstRefundedMore, Told::FirstDisputed];
    let parked_first = if first_settles { 0 } else { of_first.iter().filter(|one| has(**one)).count() };
    let parked_pack = usize::from(has(Told::PackRefunded) && !pack_settles);
    Expected {
        status: status(told, pack_is_reversed),
        first: has(Told::FirstPaid).then_some(100),
        second_period: match (has(Told::SecondPaid), has(Told::Changed)) {
            (_, true) => 300,
            (true, false) => 100,
            (false, false) => 0,
        },
        pack: has(Told::Pack).then_some(50),
        first_asked,
        pack_asked: if pack_is_reversed { 50 } else { 0 },
        parked: parked_first + parked_pack,
    }
}

/// The world's true story, latest first: what is known of it last decides.
fn status(told: &BTreeSet<Told>, pack_is_reversed: bool) -> Status {
    let has = |one| told.contains(&one);
    let ran = [
        Told::Active,
        Told::FirstPaid,
        Told::SecondFailed,
        Told::PastDue,
        Told::SecondPaid,
        Told::ActiveAgain,
        Told::Changed,
    ];
    let runs = ran.iter().any(|one| has(*one));
    let pack = if has(Told::Pack) && !pack_is_reversed { Status::Active } else { Status::Pending };
    if has(Told::Canceled) || !runs {
        return pack;
    }
    let paid_since = has(Told::SecondPaid) || has(Told::ActiveAgain) || has(Told::Changed);
    let failed = has(Told::SecondFailed) || has(Told::PastDue);
    if failed && !paid_since { Status::PaymentFailed } else { Status::Active }
}
