//! One history: what each step does to Redis, to the book and to the model, and that they agree.

mod agreement;
mod deadlines;
mod due;
mod gateway;
mod keys;

use ledger::Grant;
use metering::live::owner::{ControlOutcome, ControlRow, InstallOutcome, OwnerError};
use metering::live::{Debit, MeterError, Undo};
use metering::{AccountId, AccountImage, Credits, EventId, KeyId, LotId, OpId, SessionVersions, TimeMs};
use proptest::sample::Index;
use uuid::Uuid;

use super::Step;
use super::seen::Seen;
use super::world::{Unused, World, by};
use crate::model::{DAY, Model};

const HOUR: u64 = 3_600_000;
/// How often live state is looked at in full, in steps.
const LOOK_EVERY: usize = 8;

/// A debit that a gateway knows of.
struct Known {
    ask: Debit,
    event: EventId,
}

pub struct Story<'a> {
    world: World,
    seen: &'a Seen,
    model: Model,
    /// As it was when everything was in the book: what is left when Redis is lost.
    drained: Option<Model>,
    accounts: [AccountId; 2],
    /// All rows of these accounts come after this one; unused accounts have older ones.
    after_row: u64,
    lots: Vec<LotId>,
    keys: Vec<(AccountId, KeyId, bool)>,
    debits: Vec<Known>,
    undone_early: Vec<Undo>,
    sent: Vec<ControlRow>,
    without_memory: bool,
    steps: usize,
}

fn credits(count: u64) -> Credits {
    Credits::new(count).unwrap()
}

fn new_op() -> OpId {
    OpId::from_uuid(Uuid::now_v7())
}

fn pick<T>(index: Index, among: &[T]) -> Option<&T> {
    (!among.is_empty()).then(|| index.get(among))
}

impl<'a> Story<'a> {
    pub async fn begin(mut world: World, unused: &Unused, seen: &'a Seen, hours_before_month_end: u64) -> Self {
        let sequence = world.sequence().await;
        world.turn_clock_before_month_end(hours_before_month_end, sequence);
        let accounts = [world.account(unused).await, world.account(unused).await];
        let first_row = world.pending(&accounts, 0).await.iter().map(|row| row.row).min().unwrap();
        let after_row = first_row - 1;
        let model = Model { incarnation: world.fence.incarnation, sequence, now: world.now, ..Model::default() };
        let (lots, keys, debits, undone_early, sent) = (vec![], vec![], vec![], vec![], vec![]);
        let drained = None;
        let (without_memory, steps) = (false, 0);
        let mut story = Self {
            world,
            seen,
            model,
            drained,
            accounts,
            after_row,
            lots,
            keys,
            debits,
            undone_early,
            sent,
            without_memory,
            steps,
        };
        story.deliver(0).await;
        story
    }

    pub async fn go_on(&mut self, step: &Step) {
        if let Step::WithoutMemory(step) = step {
            self.world.limit_memory("1");
            self.without_memory = true;
            self.take(step).await;
            self.without_memory = false;
            self.world.limit_memory("0");
        } else {
            self.take(step).await;
        }
        self.steps += 1;
        if self.steps.is_multiple_of(LOOK_EVERY) {
            self.live_state_agrees().await;
        }
    }

    async fn take(&mut self, step: &Step) {
        match step {
            Step::Debit { .. }
            | Step::Batch(_)
            | Step::Repeat { .. }
            | Step::GiveBack { .. }
            | Step::GiveBackOther { .. }
            | Step::Settle { .. }
            | Step::Answered { .. }
            | Step::Confirm(_)
            | Step::Undo { .. }
            | Step::UndoEarly { .. }
            | Step::DrawUndone { .. } => self.gateway_acts(step).await,
            Step::Grant { .. }
            | Step::MoveExpiry { .. }
            | Step::Reduce { .. }
            | Step::Sweep
            | Step::Budget { .. }
            | Step::Status { .. }
            | Step::Revoke { .. }
            | Step::Cap { .. }
            | Step::Rotate
            | Step::EndSessions { .. } => self.operator_acts(step).await,
            Step::Deliver { skip } => self.deliver(*skip).await,
            Step::DeliverAgain => self.send(self.sent.clone()).await,
            Step::Drain { trim } => {
                self.drain(*trim).await;
                self.the_book_follows().await;
            }
            Step::ReleaseHolds => self.release_holds().await,
            Step::ForgetMarks { wait } => self.forget_marks(*wait).await,
            Step::SettleUndos => {
                self.drain(false).await;
                self.world.book.settle_undos(self.world.fence, self.world.now).await.unwrap();
            }
            Step::Freeze { who } => self.freeze(self.accounts[*who]).await,
            Step::Install { who } => self.install(self.accounts[*who]).await,
            Step::InstallStale { who } => self.install_stale(self.accounts[*who]).await,
            Step::Wait { ms } => self.wait_until(self.world.now.plus_ms(*ms)),
            Step::WaitForEdge { edge, just_before } => self.wait_for_edge(*edge, *just_before),
            Step::Forget { wait } => self.forget(*wait).await,
            Step::Rebuild { lost } => self.rebuild(*lost).await,
            Step::AtOnce(change) => {
                self.operator_acts(change).await;
                self.deliver(0).await;
            }
            Step::WithoutMemory(_) => unreachable!("no step nests two of these"),
        }
    }

    async fn operator_acts(&mut self, step: &Step) {
        let (now, book) = (self.world.now, &self.world.book);
        let by = by(now);
        // What the book refuses (a lot that is being swept, a budget for who may have none) has not happened.
        match step {
            Step::Grant { who, credits: count, from_hours, hours } => {
                let hour = TimeMs::new(now.as_u64() / HOUR * HOUR); // on the hour, so that lots tie
                let ahead = from_hours.unsigned_abs() * HOUR;
                let granted_at = if *from_hours < 0 { hour.minus_ms(ahead) } else { hour.plus_ms(ahead) };
                let expires_at = granted_at.max(hour).plus_ms(hours.saturating_add(1) * HOUR);
                let product = "adjustment".to_owned();
                let grant = Grant { credits: credits(*count), product, granted_at, expires_at, source: None };
                self.lots.push(book.grant_lot(self.accounts[*who], &grant, &by).await.unwrap());
            }
            Step::MoveExpiry { lot, hours } => {
                let hour = TimeMs::new(now.as_u64() / HOUR * HOUR);
                let ahead = hours.unsigned_abs() * HOUR;
                let to = if *hours < 0 { hour.minus_ms(ahead) } else { hour.plus_ms(ahead) };
                if let Some(lot) = pick(*lot, &self.lots) {
                    let _ = book.move_lot_expiry(*lot, to, &by).await;
                }
            }
            Step::Reduce { lot, credits: most } => {
                if let Some(lot) = pick(*lot, &self.lots) {
                    let _ = book.reduce_lot(*lot, credits(*most), &by).await;
                }
            }
            Step::Sweep => {
                book.expire_due(self.world.fence, now, 0, 1_000).await.unwrap();
            }
            Step::Budget { who, limit } => {
                let _ = book.set_budget(self.accounts[*who], credits(*limit), &by).await;
            }
            Step::Status { who, status } => {
                book.set_status(self.accounts[*who], *status, &by).await.unwrap();
            }
            Step::Revoke { key } => self.revoke(key).await,
            Step::Cap { who, day, month } => self.cap(*who, *day, *month).await,
            Step::Rotate => self.rotate().await,
            Step::EndSessions { who, subject } => {
                let subject = subject.map(|number| format!("person {number}").parse().unwrap());
                book.end_sessions(self.accounts[*who], subject.as_ref(), None, &by).await.unwrap();
            }
            _ => unreachable!("not an operator's"),
        }
    }

    async fn deliver(&mut self, skip: usize) {
        let rows = self.pending(&self.accounts).await.into_iter();
        let fresh = rows.filter(|row| self.model.accounts.get(&row.account).is_none_or(|it| it.version < row.version));
        let fresh = fresh.skip(skip).collect();
        self.send(fresh).await;
    }

    pub(super) async fn pending(&self, accounts: &[AccountId]) -> Vec<ControlRow> {
        self.world.pending(accounts, self.after_row).await
    }

    async fn send(&mut self, rows: Vec<ControlRow>) {
        if rows.is_empty() {
            return;
        }
        let mut after = self.model.clone();
        let expected: Vec<ControlOutcome> = rows.iter().map(|row| after.control(row)).collect();
        let answer = self.world.link.control(&self.world.certified, &rows).await;
        if self.without_memory && after.sequence != self.model.sequence {
            assert!(matches!(answer, Err(OwnerError::Redis(_))), "without memory: {answer:?}");
            return;
        }
        assert_eq!(answer.unwrap(), expected, "{rows:?}");
        for outcome in &expected {
            self.seen.note("control", outcome);
        }
        self.model = after;
        self.sent = rows;
    }

    async fn drain(&mut self, trim: bool) {
        self.world.drain().await;
        let (mut keep_from, mut closed) = (0, vec![]);
        // As ledger-sync: a mark stays while the debit that it keeps out may still arrive.
        let awaited = self.undone_early.iter().any(|undo| self.world.now < undo.not_after);
        if trim && !awaited {
            keep_from = self.world.applied.unwrap_or(0);
            closed = self.model.trim(keep_from);
        }
        self.world.note(keep_from, closed, vec![]).await;
        if keep_from > 0 {
            let first = self.world.first_in_stream().await;
            assert!(first <= keep_from, "{first} is the first that was kept, not {keep_from}");
            self.model.stream.retain(|sequence, _| *sequence >= first);
        }
        self.drained = Some(self.model.clone());
    }

    async fn freeze(&mut self, account: AccountId) {
        let seq = self.world.link.freeze(&self.world.certified, &account, self.world.fence.epoch).await.unwrap();
        let model = self.model.accounts.get_mut(&account).unwrap();
        assert_eq!(seq, Some(model.seq));
        model.frozen = true;
    }

    async fn install(&mut self, account: AccountId) {
        self.freeze(account).await;
        self.drain(false).await;
        self.write_from_the_book(account).await;
    }

    async fn write_from_the_book(&mut self, account: AccountId) {
        let pending = self.pending(&[account]).await;
        let image = self.world.book.prepare_install_one(self.world.fence, account, self.world.now).await.unwrap();
        let image = image.expect("the account is of this shard");
        let expected = self.image_agrees(&image, &pending);
        if expected.holds != self.model.accounts[&account].holds {
            self.seen.met("an undo settled by an install");
        }
        // An undo that was settled on its way is settled by the image.
        let before = self.model.accounts.get_mut(&account).unwrap();
        (before.holds, before.days) = (expected.holds, expected.days);
        let images = std::slice::from_ref(&image);
        let outcomes = self.world.link.install(&self.world.certified, images).await.unwrap();
        assert_eq!(outcomes, [self.model.install(&image)]);
        assert_eq!(outcomes, [InstallOutcome::Installed]);
        // The book settled what was on its way when it made the image: that stays, whatever Redis loses afterwards.
        if let Some(drained) = &mut self.drained {
            drained.accounts.insert(account, self.model.accounts[&account].clone());
        }
    }

    /// A picture that was read before the last events.
    async fn install_stale(&mut self, account: AccountId) {
        let before = &self.model.accounts[&account];
        let image = AccountImage {
            account,
            seq: before.seq - 1,
            control_version: before.version,
            control_row: before.row,
            status: before.status,
            anchor: before.anchor,
            budget_limit: Credits::ZERO,
            budget_used: Credits::ZERO,
            budget_period_end: TimeMs::EPOCH,
            revoked_keys: vec![],
            key_caps: vec![],
            key_counts: vec![],
            lots: vec![],
            open_undos: vec![],
            idempotency: vec![],
            sessions: SessionVersions::default(),
        };
        let outcomes = self.world.link.install(&self.world.certified, &[image]).await.unwrap();
        assert_eq!(outcomes, [InstallOutcome::Moved]);
    }

    fn wait_until(&mut self, to: TimeMs) {
        self.world.turn_clock(to, self.model.sequence);
        self.model.now = to;
    }

    fn wait_for_edge(&mut self, index: Index, just_before: bool) {
        let now = self.world.now;
        let mut edges = Vec::new();
        for account in self.model.accounts.values() {
            edges.push(account.anchor.period_end(now));
            edges.extend(account.lots.values().flat_map(|lot| [lot.granted_at, lot.expires_at]));
            edges.extend(account.marks.values().flat_map(|mark| [mark.at.plus_ms(DAY), mark.under.in_use_until]));
            edges.extend(account.caps.keys().map(|_| TimeMs::new((now.day() + 1) * DAY)));
        }
        edges.retain(|edge| *edge > now);
        edges.sort();
        edges.truncate(3); // small steps, so that lots are still there
        if let Some(edge) = pick(index, &edges) {
            self.wait_until(edge.minus_ms(u64::from(just_before)));
        }
    }

    async fn forget(&mut self, wait: bool) {
        self.world.hand.does(&["SCRIPT", "FLUSH"]);
        let account = self.accounts[0];
        let frozen = self.world.link.freeze(&self.world.certified, &account, 1).await;
        assert!(matches!(frozen, Err(OwnerError::Uncertified)), "{frozen:?}");
        if wait {
            let debit = self.world.meter.debit(&self.ask(account, 1, 2_000)).await;
            assert!(matches!(debit, Err(MeterError::Uncertified)), "{debit:?}");
        }
        self.world.certify_again().await;
        self.drained = Some(self.model.clone());
    }

    /// Live state is built anew, with or without what was not in the book.
    async fn rebuild(&mut self, lost: bool) {
        match &self.drained {
            Some(drained) if lost => self.model.accounts.clone_from(&drained.accounts),
            _ => self.drain(false).await,
        }
        self.world.rebuild(lost).await;
        self.model = Model {
            incarnation: self.world.fence.incarnation,
            sequence: 0,
            now: self.world.now,
            accounts: std::mem::take(&mut self.model.accounts),
            stream: [].into(),
            roots: std::mem::take(&mut self.model.roots),
        };
        for account in self.model.accounts.values_mut() {
            account.closed.clear();
            account.frozen = false;
            account.installed = false;
        }
        for account in self.accounts {
            self.write_from_the_book(account).await;
        }
        self.drain(false).await;
    }
}
