//! Whatever happens, and whenever it is counted: what accounts used is what their entries say, each day, key and route.

mod world;

use ledger::testing::cases;
use proptest::prelude::*;

use crate::histories::tells;
use world::World;

/// What can happen next. Numbers pick an account, a key, a route or a debit among those there are.
#[derive(Debug, Clone)]
pub enum Step {
    Debit {
        account: usize,
        key: usize,
        route: usize,
        credits: u64,
    },
    /// The same op draws again, perhaps on the next day.
    Repeat {
        account: usize,
        debit: usize,
    },
    GiveBack {
        account: usize,
        debit: usize,
        lapsed: bool,
    },
    Settle {
        account: usize,
        debit: usize,
    },
    /// Of a hold whose settlement nobody knows of, a part stays.
    Undo {
        account: usize,
        debit: usize,
        keeps: bool,
    },
    Deliver,
    Drain {
        events: usize,
    },
    /// A pass over so many entries.
    Count {
        entries: u32,
    },
    Wait {
        hours: u64,
    },
    /// From now on the book refuses debits of 13 credits: they are parked, and what follows them.
    Break,
    /// It takes them again, and what is parked is applied after all.
    Mend,
    /// Live state is built anew from the book, with or without what was not drained.
    Rebuild {
        lost: bool,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let account = 0..2_usize;
    let pick = any::<prop::sample::Index>().prop_map(|index| index.index(1_000));
    let credits = prop_oneof![4 => 1..40_u64, 1 => Just(13_u64)];
    prop_oneof![
        9 => (account.clone(), 0..3_usize, 0..2_usize, credits)
            .prop_map(|(account, key, route, credits)| Step::Debit { account, key, route, credits }),
        2 => (account.clone(), pick.clone()).prop_map(|(account, debit)| Step::Repeat { account, debit }),
        3 => (account.clone(), pick.clone(), any::<bool>())
            .prop_map(|(account, debit, lapsed)| Step::GiveBack { account, debit, lapsed }),
        3 => (account.clone(), pick.clone()).prop_map(|(account, debit)| Step::Settle { account, debit }),
        3 => (account, pick, any::<bool>()).prop_map(|(account, debit, keeps)| Step::Undo { account, debit, keeps }),
        3 => Just(Step::Deliver),
        6 => (1..12_usize).prop_map(|events| Step::Drain { events }),
        5 => (1..9_u32).prop_map(|entries| Step::Count { entries }),
        3 => (1..30_u64).prop_map(|hours| Step::Wait { hours }),
        1 => Just(Step::Break),
        2 => Just(Step::Mend),
        2 => any::<bool>().prop_map(|lost| Step::Rebuild { lost }),
    ]
}

#[test]
fn what_is_counted_is_what_the_entries_say_whatever_happens_and_whenever_it_is_counted() {
    tells(
        cases(32, 1_000),
        || prop::collection::vec(step(), 1..80),
        async |history| {
            let mut world = World::begins().await;
            for step in &history {
                world.goes_on(step).await;
            }
            world.ends_as_its_entries_say().await;
        },
    );
}
