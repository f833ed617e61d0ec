//! One history: two accounts with keys, live state as a stream, an owner who drains, and somebody who counts.

use std::collections::{BTreeMap, HashSet};

use ledger::{CarriedOut, Day, Entry, EntryKind, Outgoing, ReadBatch, Run};
use metering::{AccountId, Body, Change, Credits, Draw, KeyId, LotId, OpId, Split, Status, TimeMs};
use uuid::Uuid;

use super::Step;
use crate::actors::entry::entry;
use crate::actors::{NOON, Operator, Stream, by, credits, period_end, shard_of};

const HOUR_MS: u64 = 3_600_000;
/// How long after a debit the same op may draw again: the book looks for it a day around.
const REPEATED_MS: u64 = 12 * HOUR_MS;
const OP_LIFE_MS: u64 = 2_000;
const ROUTES: [&str; 2] = ["v1.messages", "v1.chat"];

#[derive(Debug, Clone)]
struct Drawn {
    op: OpId,
    credits: u64,
    key: Option<KeyId>,
    route: &'static str,
    period_end: TimeMs,
    at: TimeMs,
    incarnation: u64,
}

struct Member {
    account: AccountId,
    lot: LotId,
    keys: [Option<KeyId>; 3],
    drawn: Vec<Drawn>,
    /// Debits that live state of this incarnation has closed.
    closed: HashSet<OpId>,
    /// The last change that live state has.
    version: u64,
}

pub struct World {
    operator: Operator,
    stream: Stream,
    members: Vec<Member>,
}

/// Credits and calls by day, key and route.
type Used = BTreeMap<(Day, Option<KeyId>, String), (i64, i64)>;

impl World {
    pub async fn begins() -> Self {
        let operator = Operator::arrives().await;
        let first = operator.account(Status::Active).await;
        let second = operator.account_in(shard_of(first)).await;
        let mut members = Vec::new();
        for (number, account) in [first, second].into_iter().enumerate() {
            let lot = operator.grants(account, 1_000_000, 30_000).await;
            let mut keys = [None; 3];
            for (index, key) in keys.iter_mut().enumerate().skip(1) {
                let seed = u8::try_from(number * 8 + index).unwrap();
                *key = Some(operator.issues(account, "ci", seed).await.1);
            }
            members.push(Member { account, lot, keys, drawn: vec![], closed: HashSet::new(), version: 0 });
        }
        let stream = Stream::opens(&operator.db, shard_of(first)).await;
        let mut world = Self { operator, stream, members };
        world.delivers().await;
        world
    }

    pub async fn goes_on(&mut self, step: &Step) {
        match *step {
            Step::Debit { account, key, route, credits } => {
                let op = OpId::from_uuid(Uuid::now_v7());
                let (at, incarnation) = (self.stream.at, self.stream.fence.incarnation);
                let (key, route) = (self.members[account].keys[key], ROUTES[route]);
                let drawn = Drawn { op, credits, key, route, period_end: period_end(at), at, incarnation };
                self.draws(account, &drawn);
                self.members[account].drawn.push(drawn);
            }
            Step::Repeat { account, debit } => {
                let Some(drawn) = self.pick(account, debit) else { return };
                if self.stream.at < drawn.at.plus_ms(REPEATED_MS) && !self.members[account].closed.contains(&drawn.op) {
                    self.draws(account, &drawn);
                }
            }
            Step::GiveBack { account, debit, lapsed } => self.gives_back(account, debit, lapsed, None),
            Step::Settle { account, debit } => self.gives_back(account, debit, false, Some(())),
            Step::Undo { account, debit, keeps } => {
                if let Some(drawn) = self.pick(account, debit) {
                    self.undoes(account, &drawn, keeps.then_some(drawn.credits / 2));
                }
            }
            Step::Deliver => self.delivers().await,
            Step::Drain { events } => self.drains(events).await,
            Step::Count { entries } => self.counts(entries).await,
            Step::Wait { hours } => self.stream.at = self.stream.at.plus_ms(hours * HOUR_MS),
            Step::Break => {
                self.mends().await;
                let refuse = "ALTER TABLE entries ADD CONSTRAINT unlucky CHECK (credits <> -13) NOT VALID";
                self.operator.db.execute(refuse).await.unwrap();
            }
            Step::Mend => self.mends().await,
            Step::Rebuild { lost } => self.rebuilds(lost).await,
        }
    }

    fn draws(&mut self, account: usize, drawn: &Drawn) {
        let member = &self.members[account];
        self.stream.debits_by(member.account, drawn.key, drawn.op, &[(member.lot, drawn.credits)]);
        if let Some(Body::Debit { route, .. }) = self.stream.events.last_mut().map(|event| &mut event.body) {
            *route = drawn.route.parse().unwrap();
        }
    }

    /// A debit of this incarnation is given back or settled from its own event; any other becomes an undo.
    fn gives_back(&mut self, account: usize, debit: usize, lapsed: bool, settles: Option<()>) {
        let Some(drawn) = self.pick(account, debit) else { return };
        let kept = settles.map(|()| drawn.credits / 2);
        if drawn.incarnation != self.stream.fence.incarnation {
            return self.undoes(account, &drawn, kept);
        }
        let member = &mut self.members[account];
        if !member.closed.insert(drawn.op) {
            return;
        }
        let back = vec![Draw { lot: member.lot, credits: credits(drawn.credits - kept.unwrap_or(0)) }];
        let (returned, lapsed) = if lapsed { (Split::new(), back) } else { (back, Split::new()) };
        let (account, op, kept) = (member.account, OpId::from_uuid(Uuid::now_v7()), kept.map(credits));
        let seq = self.stream.next_seq(account);
        self.stream.push(Body::GiveBack {
            account,
            seq,
            op,
            debit_op: drawn.op,
            returned,
            lapsed,
            kept,
            period_end: drawn.period_end,
            remaining_after: Credits::ZERO,
            budget_used_after: Credits::ZERO,
            key: drawn.key,
            debited_at: drawn.at,
        });
    }

    fn undoes(&mut self, account: usize, drawn: &Drawn, kept: Option<u64>) {
        let member = &mut self.members[account];
        if !member.closed.insert(drawn.op) {
            return;
        }
        let (account, debit_op, not_after) = (member.account, drawn.op, drawn.at.plus_ms(OP_LIFE_MS));
        let (seq, op) = (self.stream.next_seq(account), OpId::from_uuid(Uuid::now_v7()));
        self.stream.push(Body::Undo { account, seq, op, debit_op, not_after, kept: kept.map(credits) });
    }

    async fn delivers(&mut self) {
        for row in self.operator.db.ledger.pending(self.stream.fence.shard, 0, 1_000).await.unwrap() {
            let Outgoing::Change { version, change } = &row.what else { panic!("a key in an accounts' shard") };
            let Some(member) = self.members.iter_mut().find(|member| member.account == row.account) else { continue };
            if *version > member.version {
                member.version = *version;
                let returned = match change {
                    Change::UndoSettled { split, .. } => split.clone(),
                    _ => Split::new(),
                };
                self.stream.applies(&row, returned, Split::new(), Split::new());
            }
        }
    }

    async fn drains(&mut self, events: usize) {
        let rest = self.stream.events.split_off(events.min(self.stream.events.len()));
        let entries = self.stream.events.iter().map(entry).collect();
        let batch = ReadBatch { fence: self.stream.fence, from: self.stream.from, entries };
        let recorded = self.operator.db.ledger.record_or_park(&batch).await.unwrap();
        assert!(recorded.shortfalls.is_empty(), "{recorded:?}");
        self.stream.from = batch.entries.last().map(|entry| entry.id.sequence).or(self.stream.from);
        self.stream.events = rest;
    }

    /// What is counted so far is right, however far that is.
    async fn counts(&self, entries: u32) {
        let ledger = &self.operator.db.ledger;
        ledger.count_usage(self.stream.fence.shard, entries, self.stream.at, None).await.unwrap();
        let differences = ledger.recount_usage(&self.accounts()).await.unwrap();
        assert!(differences.is_empty(), "{differences:?}");
    }

    /// The book takes everything again, and what is parked is applied; what a rebuild has left behind never is.
    async fn mends(&self) {
        let db = &self.operator.db;
        db.execute("ALTER TABLE entries DROP CONSTRAINT IF EXISTS unlucky").await.unwrap();
        for account in self.accounts() {
            let open = db.ledger.dead_letters(Some(account), false).await.unwrap();
            let lives = |letter: &&ledger::DeadLetter| letter.letter.event.incarnation == self.stream.fence.incarnation;
            let Some(first) = open.iter().find(lives) else { continue };
            db.ledger.retry_dead_letter(first.letter, false, &by(self.stream.at)).await.unwrap();
            let decision = db.ledger.waiting_decisions(self.stream.fence.shard).await.unwrap().remove(0);
            let for_good = Run::ForGood { live_seq: None };
            let carried = db.ledger.carry_out(self.stream.fence, &decision, for_good).await.unwrap();
            assert_eq!(carried, CarriedOut::Done);
        }
    }

    /// Without what is lost, everything but what is parked is in the book; changes that live state has not told of are settled there.
    async fn rebuilds(&mut self, lost: bool) {
        if !lost {
            self.drains(usize::MAX).await;
        }
        self.stream.begins_anew(&self.operator.db).await;
        let ledger = &self.operator.db.ledger;
        let images = ledger.prepare_install(self.stream.fence, None, 100, &[], self.stream.at).await.unwrap();
        for member in &mut self.members {
            let image = images.iter().find(|image| image.account == member.account).unwrap();
            member.version = image.control_version;
            member.closed = image.open_undos.iter().copied().collect();
            self.stream.seqs.insert(member.account, image.seq);
            let (account, seq, control_version) = (member.account, image.seq, image.control_version);
            self.stream.push(Body::Installed { account, seq, control_version });
        }
    }

    /// Lets everything on its way arrive, counts it, and compares with what all entries say, added up here.
    pub async fn ends_as_its_entries_say(mut self) {
        self.mends().await;
        self.drains(usize::MAX).await;
        self.stream.at = self.stream.at.plus_ms(OP_LIFE_MS + 1);
        self.operator.db.ledger.settle_undos(self.stream.fence, self.stream.at).await.unwrap();
        while !self.operator.db.ledger.pending(self.stream.fence.shard, 0, 1).await.unwrap().is_empty() {
            self.delivers().await;
            self.drains(usize::MAX).await;
        }
        let ledger = &self.operator.db.ledger;
        while ledger.count_usage(self.stream.fence.shard, 7, self.stream.at, None).await.unwrap().more {}
        self.counts(7).await;
        self.operator.finds_no_difference(&self.accounts()).await;
        for member in &self.members {
            let entries = ledger.entries(member.account, None, 100_000).await.unwrap();
            let said = used(&entries);
            assert_eq!(self.counted(member.account).await, written(&said), "{entries:#?}");
            assert!(said.values().all(|(credits, calls)| *credits >= 0 && *calls >= 0), "{said:?}");
            let sum: u64 = said.values().map(|(credits, _)| credits.unsigned_abs()).sum();
            let (first, last) = (Day::of(NOON), Day::of(self.stream.at).plus(1));
            let usage = ledger.usage(member.account, first.minus(1), last).await.unwrap();
            assert_eq!(usage.days.iter().map(|day| day.credits.get()).sum::<u64>(), sum);
            assert_eq!(usage.keys.iter().map(|key| key.credits.get()).sum::<u64>(), sum);
            assert_eq!(usage.routes.iter().map(|route| route.credits.get()).sum::<u64>(), sum);
        }
    }

    async fn counted(&self, account: AccountId) -> String {
        let rows = format!(
            "SELECT coalesce(string_agg(line, E'\\n' ORDER BY line COLLATE \"C\"), '') FROM (SELECT concat_ws(' ', day, \
             coalesce('key_' || replace(key_id::text, '-', ''), '-'), route, credits, calls) AS line FROM usage_days \
             WHERE account_id = '{}' AND (credits <> 0 OR calls <> 0)) AS rows",
            account.as_uuid()
        );
        self.operator.db.text(&rows).await
    }

    fn accounts(&self) -> Vec<AccountId> {
        self.members.iter().map(|member| member.account).collect()
    }

    fn pick(&self, account: usize, debit: usize) -> Option<Drawn> {
        let drawn = &self.members[account].drawn;
        (!drawn.is_empty()).then(|| drawn[debit % drawn.len()].clone())
    }
}

/// What debits drew, less what came back of each, on its day; a debit of which nothing stays is no call.
fn used(entries: &[Entry]) -> Used {
    let mut used = Used::new();
    for debit in entries.iter().filter(|entry| entry.kind == EntryKind::Debit) {
        let closes = |entry: &&Entry| {
            matches!(entry.kind, EntryKind::GiveBack | EntryKind::Settle) && entry.debit_op == debit.op
        };
        let back: i64 = entries.iter().filter(closes).map(|entry| entry.credits + i64::from(entry.lapsed)).sum();
        let day = used.entry((Day::of(debit.at), debit.key, debit.route.clone().unwrap())).or_default();
        let kept = -debit.credits - back;
        day.0 += kept;
        day.1 += i64::from(kept != 0);
    }
    used
}

/// As the rows of the table read.
fn written(used: &Used) -> String {
    let mut lines: Vec<String> = used
        .iter()
        .filter(|(_, (credits, calls))| *credits != 0 || *calls != 0)
        .map(|((day, key, route), (credits, calls))| {
            let key = key.map_or("-".to_owned(), |key| key.to_string());
            format!("{day} {key} {route} {credits} {calls}")
        })
        .collect();
    lines.sort();
    lines.join("\n")
}
