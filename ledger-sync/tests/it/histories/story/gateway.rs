//! What a gateway does: debits, and what ends them.

use std::fmt::Debug as Shown;

use metering::live::{Debit, DebitOutcome, GiveBack, GiveBackOutcome, MeterError, Settle, SettleOutcome, Undo};
use metering::{AccountId, EventId, KeyId, TimeMs};
use proptest::sample::Index;
use uuid::Uuid;

use super::{HOUR, Known, Story, credits, new_op, pick};
use crate::histories::{Step, Terms};
use crate::model::Model;

impl Story<'_> {
    pub(super) async fn gateway_acts(&mut self, step: &Step) {
        match step {
            Step::Debit { who, price, key, life_ms, terms } => {
                let ask = self.on_terms(self.ask_with(*who, *key, *price, *life_ms), terms);
                self.debit(vec![ask]).await;
            }
            Step::Batch(items) => {
                let one = |&(who, price, key, alike)| std::iter::repeat_with(move || (who, price, key)).take(alike);
                let asks = items.iter().flat_map(one).map(|(who, price, key)| self.ask_with(who, key, price, 2_000));
                self.debit(asks.collect()).await;
            }
            Step::Repeat { debit } => {
                if let Some(known) = pick(*debit, &self.debits) {
                    // No gateway asks twice; under a key the second would stand for the first.
                    self.debit(vec![Debit { idempotency: None, ..known.ask.clone() }]).await;
                }
            }
            Step::GiveBack { debit } => {
                if let Some(known) = pick(*debit, &self.debits) {
                    self.give_back(give_back(known, known.event)).await;
                }
            }
            Step::GiveBackOther { debit, event } => {
                if let Some((known, other)) = pick(*debit, &self.debits).zip(pick(*event, &self.debits)) {
                    self.give_back(give_back(known, other.event)).await;
                }
            }
            Step::Settle { .. } | Step::Answered { .. } | Step::Undo { .. } => self.closes(step).await,
            Step::Confirm(items) => self.confirm(items).await,
            Step::UndoEarly { who } => {
                let not_after = self.world.now.plus_ms(2_000);
                let undo = Undo {
                    op: new_op(),
                    account: self.accounts[*who],
                    debit_op: new_op(),
                    not_after,
                    idempotency: None,
                };
                self.undone_early.push(undo.clone());
                self.undo(undo).await;
            }
            Step::DrawUndone { undone, price } => {
                if let Some(undo) = pick(*undone, &self.undone_early) {
                    let ask =
                        Debit { op: undo.debit_op, not_after: undo.not_after, ..self.ask(undo.account, *price, 0) };
                    self.debit(vec![ask]).await;
                }
            }
            _ => unreachable!("not a gateway's"),
        }
    }

    async fn closes(&mut self, step: &Step) {
        match step {
            Step::Settle { debit, event, price } => {
                let event = event.and_then(|event| pick(event, &self.debits)).map(|known| known.event);
                if let Some(known) = pick(*debit, &self.debits) {
                    let Debit { op, account, not_after, .. } = known.ask;
                    let (debit_event, price) = (event.unwrap_or(known.event), credits(*price));
                    self.settle(Settle {
                        op: new_op(),
                        account,
                        debit_op: op,
                        debit_event,
                        debit_not_after: not_after,
                        price,
                    })
                    .await;
                }
            }
            Step::Answered { debit } => {
                if let Some(known) = pick(*debit, &self.debits) {
                    self.answered(known.ask.clone()).await;
                }
            }
            Step::Undo { debit } => {
                if let Some(Known { ask, .. }) = pick(*debit, &self.debits) {
                    let undo = Undo {
                        op: new_op(),
                        account: ask.account,
                        debit_op: ask.op,
                        not_after: ask.not_after,
                        idempotency: ask.idempotency.map(|under| under.key),
                    };
                    self.undo(undo).await;
                }
            }
            _ => unreachable!("closes nothing"),
        }
    }

    fn ask_with(&self, who: usize, key: Option<Index>, price: u64, life_ms: u64) -> Debit {
        let account = self.accounts[who];
        let issued: Vec<KeyId> = self.keys.iter().filter(|(of, _, _)| *of == account).map(|(_, key, _)| *key).collect();
        let key = key.map(|index| pick(index, &issued).copied().unwrap_or(KeyId::from_uuid(Uuid::nil())));
        Debit { key, ..self.ask(account, price, life_ms) }
    }

    pub(super) fn ask(&self, account: AccountId, price: u64, life_ms: u64) -> Debit {
        let not_after = self.world.now.plus_ms(life_ms);
        Debit {
            op: new_op(),
            account,
            key: None,
            rates: None,
            credits: credits(price),
            not_after,
            route: "v1.messages".parse().unwrap(),
            hold_until: None,
            idempotency: None,
        }
    }

    fn on_terms(&self, ask: Debit, terms: &Terms) -> Debit {
        let now = self.world.now;
        Debit {
            hold_until: terms.hold_ms.map(|ms| now.plus_ms(ms)),
            idempotency: terms.under.map(|(key, fingerprint)| metering::Idempotency {
                // Of this story alone: the world goes on with other stories.
                key: metering::IdempotencyKey::of(&[&self.after_row.to_be_bytes(), &[key]]),
                fingerprint: metering::Fingerprint::of(&[&[fingerprint]]),
                in_use_until: now.plus_ms(HOUR),
            }),
            ..ask
        }
    }

    async fn debit(&mut self, asks: Vec<Debit>) {
        let mut after = self.model.clone();
        let expected = after.debits(&asks);
        let answer = self.world.meter.debit_many(self.world.fence.shard, &asks).await;
        if !self.goes_through("debit", &after, &answer) {
            return;
        }
        assert_eq!(answer.unwrap(), expected, "debits {asks:?}");
        self.model = after;
        for (pair, outcomes) in asks.windows(2).zip(expected.windows(2)) {
            let alike = Debit { op: pair[1].op, ..pair[0].clone() } == pair[1];
            match outcomes {
                [DebitOutcome::Drawn(_), DebitOutcome::Drawn(_)] if alike => self.seen.met("debits alike"),
                [DebitOutcome::Drawn(_), DebitOutcome::Refused(_)] if alike => {
                    self.seen.met("debits alike, the last refused");
                }
                _ => {}
            }
        }
        for (ask, outcome) in asks.into_iter().zip(expected) {
            self.seen.note("debit", &outcome);
            if matches!(&outcome, DebitOutcome::Drawn(drawn) if drawn.split.len() > 1) {
                self.seen.met("debit over several lots");
            }
            if let DebitOutcome::Drawn(drawn) = outcome
                && self.debits.iter().all(|known| known.ask.op != ask.op)
            {
                self.debits.push(Known { ask, event: drawn.event });
            }
        }
    }

    async fn give_back(&mut self, ask: GiveBack) {
        let mut after = self.model.clone();
        let expected = after.give_back(&ask);
        let answer = self.world.meter.give_back(&ask).await;
        if self.goes_through("give-back", &after, &answer) {
            assert_eq!(answer.unwrap(), expected, "{ask:?}");
            match &expected {
                GiveBackOutcome::Returned { lapsed, .. } if lapsed.is_zero() => self.seen.met("give-back returned"),
                GiveBackOutcome::Returned { .. } => self.seen.met("give-back lapsed"),
                _ => self.seen.note("give-back", &expected),
            }
            self.model = after;
        }
    }

    async fn settle(&mut self, ask: Settle) {
        let mut after = self.model.clone();
        let expected = after.settle(&ask);
        let answer = self.world.meter.settle(&ask).await;
        if self.goes_through("settle", &after, &answer) {
            assert_eq!(answer.unwrap(), expected, "{ask:?}");
            match &expected {
                SettleOutcome::Settled { returned, .. } if returned.is_zero() => self.seen.met("settle of nothing"),
                _ => self.seen.note("settle", &expected),
            }
            self.model = after;
        }
    }

    async fn answered(&mut self, ask: Debit) {
        let Some(under) = ask.idempotency.filter(|_| !self.without_memory) else { return };
        self.world.meter.answered(ask.account, under.key, ask.op).await.unwrap();
        let marks = &mut self.model.accounts.get_mut(&ask.account).unwrap().marks;
        if let Some(mark) = marks.get_mut(&under.key).filter(|mark| mark.op == ask.op) {
            mark.under.in_use_until = TimeMs::EPOCH;
        }
    }

    async fn undo(&mut self, ask: Undo) {
        let mut after = self.model.clone();
        let expected = after.undo(&ask);
        let answer = self.world.meter.undo(&ask).await;
        if self.goes_through("undo", &after, &answer) {
            assert_eq!(answer.unwrap(), expected, "{ask:?}");
            self.seen.note("undo", &expected);
            self.model = after;
        }
    }

    /// Whatever would write is refused whole while there is no memory.
    pub(super) fn goes_through<T: Shown>(&self, what: &str, after: &Model, answer: &Result<T, MeterError>) -> bool {
        let refused = self.without_memory && after.sequence != self.model.sequence;
        if refused {
            assert!(matches!(answer, Err(MeterError::Unavailable(_))), "without memory: {answer:?}");
            self.seen.met(&format!("{what} without memory"));
        }
        !refused
    }
}

fn give_back(known: &Known, debit_event: EventId) -> GiveBack {
    let Debit { op, account, not_after, .. } = known.ask;
    let idempotency = known.ask.idempotency.map(|under| under.key);
    GiveBack { op: new_op(), account, debit_op: op, debit_event, debit_not_after: not_after, idempotency }
}
