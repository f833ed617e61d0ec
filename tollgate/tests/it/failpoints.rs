//! A gateway or a ledger-sync dies at a named place, is started again, and goes on: the book has what callers were served, once.

pub mod places;

use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::stack::{Answer, Call, Customer, Dice, Load, Plan, Stack, Tally, by, is_full, wait_until};
use places::{GATEWAY, LEDGER_SYNC, Place, Stir, Who};

const CALLERS: usize = 6;
const MOMENT: usize = 12;
/// A tenth of the kills of the full run.
const KILLS: usize = 20;
/// How often each place is died at in the full run.
const TIMES_FULL: usize = 5;
/// Longer than a debit may wait to be confirmed or settled, and the grace after it.
const DEATH_MAX: Duration = Duration::from_secs(30);
/// Longer than a gateway waits for Redis.
const HANG: Duration = Duration::from_millis(1_400);

struct Scene {
    stack: Stack,
    dice: Dice,
    ada: Customer,
    tally: Tally,
    keys: u32,
}

impl Scene {
    async fn begin() -> Self {
        let plan = Plan {
            appendfsync: "always",
            gateway_settings: "meter.wait_ms_max = 1000",
            sync_settings: "lease.duration_ms = 1000\nsweep.hold_grace_ms = 1500\njournal.return_grace_ms = 500",
            ..Plan::default()
        };
        let stack = Stack::with(plan).await;
        let ada = stack.customer(1_000_000_000).await;
        Self { stack, dice: Dice::thrown(), ada, tally: Tally::default(), keys: 0 }
    }

    /// All kinds of ends: kept, confirmed, given back, settled. What nobody hears the end of is given back only where debits are confirmed.
    fn load(&self, stir: Stir) -> Load {
        let sure = Call::chat().on("sure");
        let calls = match stir {
            Stir::Hang => vec![sure],
            _ => vec![Call::chat(), sure, Call::chat().on("hasty").fault("status=500"), Call::chat().on("held")],
        };
        self.stack.load_of(&self.ada, CALLERS, calls)
    }

    /// One kill: under load, or at rest where what Redis holds is to be lost.
    async fn die_at(&mut self, place: &Place) {
        let passes = self.dice.within(1..=place.passes_max);
        let began = Instant::now();
        let load = match place.stir {
            Stir::Flush => None,
            stir => Some(self.load(stir)),
        };
        if let Some(load) = &load {
            load.wait_served(MOMENT).await;
        }
        self.arm(place, passes).await;
        if let (Stir::Hang, Some(load)) = (place.stir, &load) {
            load.wait_served(MOMENT).await; // else no call may be under way when Redis falls silent, and none is owed anything
        }
        let calls = self.stir(place.stir).await;
        let program = match place.who {
            Who::Gateway => &mut self.stack.gateways[0].program,
            Who::LedgerSync => &mut self.stack.syncs[0].program,
        };
        assert!(program.died(DEATH_MAX).await, "{} was not passed {passes} times", place.name);
        let died = began.elapsed();
        program.start_again();
        let load = load.unwrap_or_else(|| self.load(place.stir));
        load.wait_served(MOMENT).await;
        drop(calls);
        self.tally.replies.extend(load.stop().await.replies);
        self.stack.audit().await;
        eprintln!(
            "{} died at {}, passed {passes} times, after {died:?}; {:?} with all",
            place.who.name(),
            place.name,
            began.elapsed()
        );
    }

    async fn arm(&mut self, place: &Place, passes: u64) {
        match place.who {
            Who::Gateway => {
                let program = &mut self.stack.gateways[0].program;
                program.start_to_die_at(place.name, passes);
                if place.stir != Stir::Load {
                    program.wait_ready().await;
                }
            }
            Who::LedgerSync => {
                if place.stir == Stir::Flush {
                    self.wait_decided().await; // nothing is to be lost
                }
                let sync = &mut self.stack.syncs[0];
                sync.program.stop(); // its shards are free at once
                sync.program.start_to_die_at(place.name, passes);
                if place.stir != Stir::Load {
                    sync.wait_certified(8).await;
                }
            }
        }
    }

    /// What makes the program pass the place. Answers calls that nobody waits for.
    async fn stir(&mut self, stir: Stir) -> JoinSet<()> {
        let mut calls = JoinSet::new();
        let (book, now) = (&self.stack.book, self.stack.now().await);
        match stir {
            Stir::Load => {}
            Stir::Budget => {
                self.keys += 1;
                self.stack.set_budget(self.ada.account, 1_000_000_000 + u64::from(self.keys)).await;
            }
            Stir::Rebuild => drop(book.ledger.ask_rebuild(self.ada.account, &[], &by(now)).await.unwrap()),
            Stir::Key => drop(self.stack.issue_key(self.ada.account).await),
            Stir::Flush => drop(self.stack.redis.command(&["FLUSHALL"])),
            Stir::Orphan => {
                let (http, urls, key) = (self.stack.http.clone(), self.stack.urls(), self.ada.key.clone());
                calls.spawn(async move {
                    let call = Call::chat().on("sure").fault("delay=3000");
                    if let Ok(answer) = call.request(&http, &urls, Some(&key)).send().await {
                        Answer::read(answer).await;
                    }
                });
                wait_until("it is under way", async || book.number("SELECT count(*) FROM holds").await > 0).await;
                self.stack.gateways[0].program.start_again();
            }
            Stir::Hang => {
                self.stack.signal_redis("STOP");
                tokio::time::sleep(HANG).await;
                self.stack.signal_redis("CONT");
            }
            Stir::Stop => self.stack.gateways[0].program.signal("TERM"),
        }
        calls
    }

    /// Nothing waits to be settled or confirmed any more.
    async fn wait_decided(&self) {
        wait_until("the book holds no debit open", async || {
            self.stack.book.number("SELECT count(*) FROM holds").await == 0
        })
        .await;
    }

    /// Each served call has its one debit; it came back only where nobody was left to confirm or settle it. No refused call has paid.
    async fn end(self) {
        self.wait_decided().await;
        let totals = self.stack.audit().await;
        self.tally.assert_only(&["200", "500", "503 meter_unavailable", "broken"]);
        self.stack.assert_nobody_else_paid(&self.tally, totals).await;
        let back = self.stack.served_without_debit(&self.tally).await;
        let ops: Vec<&str> = back.iter().filter_map(|reply| reply.op.as_deref()).collect();
        let sql = format!(
            "SELECT count(*) FROM entries WHERE kind = 'debit' AND route IN ('sure', 'held') AND op = ANY ('{{{}}}'::uuid[])",
            ops.join(",")
        );
        let given_back = usize::try_from(self.stack.book.number(&sql).await).unwrap();
        assert_eq!(given_back, back.len(), "of {back:?} some have no debit, or one that was to stay");
        eprintln!("{:?}, {totals:?}, {} of them given back unheard", self.tally.by_answer(), back.len());
    }
}

/// Each place so often, in an order of chance; a tenth of it in a usual run.
async fn die_everywhere(mut places: Vec<&'static Place>, kills: usize) {
    let mut scene = Scene::begin().await;
    let all: Vec<&Place> = places.clone();
    for _ in 1..if is_full() { TIMES_FULL } else { 1 } {
        places.extend(&all);
    }
    let kills = if is_full() { places.len() } else { kills.min(places.len()) };
    for _ in 0..kills {
        let place = scene.dice.take(&mut places);
        scene.die_at(place).await;
    }
    scene.end().await;
}

#[tokio::test]
async fn a_gateway_that_dies_at_any_place_leaves_the_book_as_callers_saw_it() {
    die_everywhere(GATEWAY.iter().collect(), KILLS / 2).await;
}

#[tokio::test]
async fn an_owner_that_dies_at_any_place_leaves_the_book_as_callers_saw_it() {
    die_everywhere(LEDGER_SYNC.iter().collect(), KILLS / 2).await;
}
