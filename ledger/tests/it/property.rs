//! Whatever happens, in whatever batches it is drained: the book ends up as live state is, lot by lot.

mod model;
mod story;

use proptest::prelude::*;

use crate::histories::tells;
use story::Story;

/// What can happen next. Numbers pick an account, a lot or a debit among those there are.
#[derive(Debug, Clone)]
pub enum Step {
    Grant {
        account: usize,
        credits: u64,
        days: u64,
    },
    Debit {
        account: usize,
        credits: u64,
    },
    /// The same op draws again.
    Repeat {
        account: usize,
        debit: usize,
    },
    GiveBack {
        account: usize,
        debit: usize,
    },
    Undo {
        account: usize,
        debit: usize,
    },
    /// An undo of an op that never drew.
    UndoUnknown {
        account: usize,
    },
    Reduce {
        account: usize,
        lot: usize,
        credits: u64,
    },
    MoveExpiry {
        account: usize,
        lot: usize,
        days: u64,
    },
    Sweep,
    Deliver,
    Drain {
        events: usize,
    },
    Wait {
        hours: u64,
    },
    /// How far lots have moved is noted at every so many-th event.
    Mark {
        every: u64,
    },
    /// Live state is built anew from the book, with or without what was not drained.
    Rebuild {
        lost: bool,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let account = 0..2_usize;
    let pick = any::<prop::sample::Index>().prop_map(|index| index.index(1_000));
    prop_oneof![
        3 => (account.clone(), 1..50_u64, 1..60_u64).prop_map(|(account, credits, days)| Step::Grant { account, credits, days }),
        8 => (account.clone(), 1..40_u64).prop_map(|(account, credits)| Step::Debit { account, credits }),
        1 => (account.clone(), pick.clone()).prop_map(|(account, debit)| Step::Repeat { account, debit }),
        3 => (account.clone(), pick.clone()).prop_map(|(account, debit)| Step::GiveBack { account, debit }),
        2 => (account.clone(), pick.clone()).prop_map(|(account, debit)| Step::Undo { account, debit }),
        1 => account.clone().prop_map(|account| Step::UndoUnknown { account }),
        1 => (account.clone(), pick.clone(), 1..30_u64).prop_map(|(account, lot, credits)| Step::Reduce { account, lot, credits }),
        1 => (account, pick, 0..40_u64).prop_map(|(account, lot, days)| Step::MoveExpiry { account, lot, days }),
        2 => Just(Step::Sweep),
        4 => Just(Step::Deliver),
        4 => (1..12_usize).prop_map(|events| Step::Drain { events }),
        3 => (1..240_u64).prop_map(|hours| Step::Wait { hours }),
        2 => (1..9_u64).prop_map(|every| Step::Mark { every }),
        1 => any::<bool>().prop_map(|lost| Step::Rebuild { lost }),
    ]
}

#[test]
fn the_book_follows_live_state_whatever_happens_and_however_it_is_drained() {
    tells(
        32,
        || prop::collection::vec(step(), 1..60),
        async |history| {
            let mut story = Story::begins().await;
            for step in &history {
                story.goes_on(step).await;
            }
            story.ends_in_agreement().await;
        },
    );
}
