//! Random histories: the real scripts in a real Redis do what the model says, and the book in a real Postgres ends up the same,
//! lot by lot and account by account.

mod seen;
mod story;
mod world;

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicUsize, Ordering};

use metering::Status;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, FileFailurePersistence, TestRunner};

use seen::Seen;
use story::Story;
use world::{Unused, World};

/// Each of them has a Redis and a shard of its own; all share the database.
const THREADS: u16 = 4;
/// Each takes a month by its clock: so no clock gets far.
const HISTORIES_A_WORLD: u32 = 250;
const CASES: u32 = 2_000;
const CASES_FULL: u32 = 20_000;
const REGRESSIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/histories.regressions");

/// What can happen. An [`Index`] picks a lot, a debit or a key among those there are.
#[derive(Debug, Clone)]
pub enum Step {
    Debit {
        who: usize,
        price: u64,
        key: Option<Index>,
        life_ms: u64,
        terms: Terms,
    },
    /// Debits in one call: who, price, key, and how many alike one behind the other.
    Batch(Vec<(usize, u64, Option<Index>, usize)>),
    /// The same op draws again; the gateway knows of the first debit only.
    Repeat {
        debit: Index,
    },
    GiveBack {
        debit: Index,
    },
    /// Names an event that is not the debit's.
    GiveBackOther {
        debit: Index,
        event: Index,
    },
    /// `event` names another debit's event.
    Settle {
        debit: Index,
        event: Option<Index>,
        price: u64,
    },
    Answered {
        debit: Index,
    },
    /// Debits, of any account, each over or going on for so long; all in one call.
    Confirm(Vec<(Index, Option<u64>)>),
    Undo {
        debit: Index,
    },
    /// An op that has not drawn, and may try later.
    UndoEarly {
        who: usize,
    },
    DrawUndone {
        undone: Index,
        price: u64,
    },
    Grant {
        who: usize,
        credits: u64,
        from_hours: i64,
        hours: u64,
    },
    MoveExpiry {
        lot: Index,
        hours: i64,
    },
    Reduce {
        lot: Index,
        credits: u64,
    },
    Sweep,
    Budget {
        who: usize,
        limit: u64,
    },
    Status {
        who: usize,
        status: Status,
    },
    Revoke {
        key: Index,
    },
    /// 0 = no cap.
    Cap {
        who: usize,
        day: u64,
        month: u64,
    },
    Rotate,
    /// Sessions end, of a person or of everybody.
    EndSessions {
        who: usize,
        subject: Option<u8>,
    },
    /// Changes go to Redis, all but the first few; what is missing makes a gap.
    Deliver {
        skip: usize,
    },
    DeliverAgain,
    Drain {
        trim: bool,
    },
    SettleUndos,
    ReleaseHolds,
    /// At once, or when the first mark is a day old.
    ForgetMarks {
        wait: bool,
    },
    Freeze {
        who: usize,
    },
    /// Freeze, drain, read the book, write.
    Install {
        who: usize,
    },
    InstallStale {
        who: usize,
    },
    Wait {
        ms: u64,
    },
    /// To an instant at which a lot begins or ends, or a budget period does; or to the millisecond before.
    WaitForEdge {
        edge: Index,
        just_before: bool,
    },
    /// Redis forgets its scripts, as after a restart.
    Forget {
        wait: bool,
    },
    Rebuild {
        lost: bool,
    },
    /// This change is carried to Redis as soon as the book has it.
    AtOnce(Box<Step>),
    /// This happens while Redis has no memory.
    WithoutMemory(Box<Step>),
}

/// What few debits ask beside: to be a hold for so long, to draw once under a key.
#[derive(Debug, Clone)]
pub struct Terms {
    pub hold_ms: Option<u64>,
    pub under: Option<(u8, u8)>,
}

fn terms() -> impl Strategy<Value = Terms> + Clone {
    let hold_ms = prop::option::weighted(0.3, prop_oneof![1 => 0..3_u64, 3 => 0..10_000_000_u64]);
    let under = prop::option::weighted(0.25, (0..3_u8, prop_oneof![5 => Just(0_u8), 1 => Just(1_u8)]));
    (hold_ms, under).prop_map(|(hold_ms, under)| Terms { hold_ms, under })
}

fn index() -> impl Strategy<Value = Index> + Clone {
    any::<Index>()
}

fn gateway_step() -> impl Strategy<Value = Step> + Clone {
    let who = 0..2_usize;
    let price = prop_oneof![9 => 1..9_u64, 1 => 9..70_u64];
    let alike = prop_oneof![3 => Just(1_usize), 1 => 2..7_usize];
    let life_ms = prop_oneof![6 => Just(2_000_u64), 1 => 0..3_u64, 1 => Just(3_600_000)];
    prop_oneof![
        16 => (who.clone(), price.clone(), prop::option::weighted(0.4, index()), life_ms, terms())
            .prop_map(|(who, price, key, life_ms, terms)| Step::Debit { who, price, key, life_ms, terms }),
        5 => (index(), prop::option::weighted(0.1, index()), 0..10_u64)
            .prop_map(|(debit, event, price)| Step::Settle { debit, event, price }),
        1 => index().prop_map(|debit| Step::Answered { debit }),
        4 => prop::collection::vec((who.clone(), price.clone(), prop::option::weighted(0.3, index()), alike), 1..6)
            .prop_map(Step::Batch),
        1 => index().prop_map(|debit| Step::Repeat { debit }),
        5 => index().prop_map(|debit| Step::GiveBack { debit }),
        1 => (index(), index()).prop_map(|(debit, event)| Step::GiveBackOther { debit, event }),
        6 => prop::collection::vec((index(), prop::option::weighted(0.4, 0..10_000_000_u64)), 1..4).prop_map(Step::Confirm),
        2 => index().prop_map(|debit| Step::Undo { debit }),
        1 => who.prop_map(|who| Step::UndoEarly { who }),
        1 => (index(), price).prop_map(|(undone, price)| Step::DrawUndone { undone, price }),
    ]
}

fn grant() -> impl Strategy<Value = Step> {
    let from_hours = prop_oneof![3 => -20..1_i64, 1 => 1..20_i64];
    (0..2_usize, 1..90_u64, from_hours, 3..70_u64).prop_map(|(who, credits, from_hours, hours)| Step::Grant {
        who,
        credits,
        from_hours,
        hours,
    })
}

fn operator_step() -> impl Strategy<Value = Step> {
    let who = 0..2_usize;
    let limit = prop_oneof![1 => Just(0_u64), 3 => 1..150_u64];
    let step = prop_oneof![
        6 => grant(),
        2 => (index(), -10..60_i64).prop_map(|(lot, hours)| Step::MoveExpiry { lot, hours }),
        2 => (index(), 1..40_u64).prop_map(|(lot, credits)| Step::Reduce { lot, credits }),
        2 => Just(Step::Sweep),
        2 => (who.clone(), limit).prop_map(|(who, limit)| Step::Budget { who, limit }),
        1 => (who.clone(), status()).prop_map(|(who, status)| Step::Status { who, status }),
        2 => (who.clone(), prop::option::weighted(0.8, 0..4_u8)).prop_map(|(who, subject)| Step::EndSessions { who, subject }),
        3 => index().prop_map(|key| Step::Revoke { key }),
        4 => (who, 0..12_u64, 0..40_u64).prop_map(|(who, day, month)| Step::Cap { who, day, month }),
        1 => Just(Step::Rotate),
    ];
    (step, prop::bool::weighted(0.5))
        .prop_map(|(step, at_once)| if at_once { Step::AtOnce(Box::new(step)) } else { step })
}

fn status() -> impl Strategy<Value = Status> {
    prop_oneof![5 => Just(Status::Active), 1 => Just(Status::Trial), 3 => prop::sample::select(Status::ALL.to_vec())]
}

fn owner_step() -> impl Strategy<Value = Step> {
    let who = 0..2_usize;
    prop_oneof![
        9 => Just(Step::Deliver { skip: 0 }),
        1 => (1..3_usize).prop_map(|skip| Step::Deliver { skip }),
        1 => Just(Step::DeliverAgain),
        4 => any::<bool>().prop_map(|trim| Step::Drain { trim }),
        1 => Just(Step::SettleUndos),
        2 => Just(Step::ReleaseHolds),
        1 => any::<bool>().prop_map(|wait| Step::ForgetMarks { wait }),
        1 => who.clone().prop_map(|who| Step::Freeze { who }),
        2 => who.clone().prop_map(|who| Step::Install { who }),
        1 => who.prop_map(|who| Step::InstallStale { who }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let while_full = prop_oneof![6 => gateway_step(), 1 => Just(Step::Deliver { skip: 0 })];
    prop_oneof![
        80 => gateway_step(),
        15 => operator_step(),
        13 => owner_step(),
        8 => (0..5_000_000_u64).prop_map(|ms| Step::Wait { ms }),
        10 => (index(), any::<bool>()).prop_map(|(edge, just_before)| Step::WaitForEdge { edge, just_before }),
        2 => while_full.prop_map(|step| Step::WithoutMemory(Box::new(step))),
        1 => prop::bool::weighted(0.03).prop_map(|wait| Step::Forget { wait }),
        1 => any::<bool>().prop_map(|lost| Step::Rebuild { lost }),
    ]
}

#[test]
fn live_state_does_what_the_rules_say_and_the_book_ends_up_the_same() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let maker = runtime();
    let db = maker.block_on(ledger::testing::database());
    let (unused, seen) = (Unused::default(), Seen::default());
    let histories_told = AtomicUsize::new(0);
    let steps_taken = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for number in 0..THREADS {
            let (db, unused, seen) = (&db, &unused, &seen);
            let (histories_told, steps_taken) = (&histories_told, &steps_taken);
            scope.spawn(move || {
                let (runtime, owner) = (runtime(), world::owner());
                let persistence = FileFailurePersistence::Direct(REGRESSIONS);
                let config = Config {
                    cases: ledger::testing::cases(CASES, CASES_FULL) / u32::from(THREADS),
                    max_shrink_iters: 2_000,
                    failure_persistence: Some(Box::new(persistence)),
                    ..Config::default()
                };
                // A history that failed takes its world with it, and a world gets old; the next history begins with another.
                let (world, age) = (RefCell::new(None), Cell::new(0));
                let first_grants = prop::collection::vec(grant(), 1..=3);
                let histories = (1..100_u64, first_grants, prop::collection::vec(step(), 1..=56));
                let outcome =
                    TestRunner::new(config).run(&histories, |(hours_before_month_end, first_grants, history)| {
                        let left = world.take();
                        runtime.block_on(async {
                            let here = match left {
                                Some(world) if age.get() < HISTORIES_A_WORLD => world,
                                _ => {
                                    age.set(0);
                                    World::begin(db, number, owner).await
                                }
                            };
                            let mut story = Story::begin(here, unused, seen, hours_before_month_end).await;
                            for step in first_grants.iter().chain([&Step::Deliver { skip: 0 }]).chain(&history) {
                                story.go_on(step).await;
                            }
                            world.replace(Some(story.end_in_agreement().await));
                        });
                        age.set(age.get() + 1);
                        histories_told.fetch_add(1, Ordering::Relaxed);
                        steps_taken.fetch_add(first_grants.len() + 1 + history.len(), Ordering::Relaxed);
                        Ok(())
                    });
                outcome.unwrap_or_else(|failure| panic!("{failure}"));
                runtime.block_on(async { drop(world.take()) });
            });
        }
    });
    println!("{} histories, {} steps: {seen}", histories_told.into_inner(), steps_taken.into_inner());
    if ledger::testing::cases(CASES, CASES_FULL) >= CASES {
        seen.assert_all();
    }
}
