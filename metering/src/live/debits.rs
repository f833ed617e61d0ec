//! The debits of one call: what is asked of `debit.lua`, and what it answers.
//!
//! Debits that follow each other and ask for the same go as one ask with many ops, which costs Redis a tenth of as many asks. A call names first only
//! the keys that nearly every debit needs; what needs more is asked again, in whole, behind those that did not.

use std::borrow::Borrow;

use redis::Cmd;

use super::answers::read::DebitAnswers;
use super::commands::evalsha;
use super::fences::Known;
use super::keys::KeyWriter;
use super::replies::odd;
use super::scripts::Script;
use super::{Debit, DebitOutcome, KeyRates, Meter, MeterError};
use crate::ids::{HexRoom, uuid_hex_in};
use crate::{AccountId, EventId, Shard, TimeMs};

/// Which keys a call names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Of an account its hash: enough while the head lot pays and no undo is pending.
    Brief,
    /// Everything that a debit may need.
    Whole,
}

impl Meter {
    /// Draws credits for several requests of one shard, each answered on its own, in order. In one call, or two: what the first can't decide goes in
    /// a second, behind what it can; both have the deadline of [`Self::debit`]. After an error those of the first may have happened, whatever it says.
    pub async fn debit_many<D>(&self, shard: Shard, asks: &[D]) -> Result<Vec<DebitOutcome>, MeterError>
    where
        D: Borrow<Debit> + Sync,
    {
        let both = async {
            let mut outcomes = self.debit_once(shard, asks, Form::Brief).await?;
            if let Some(rest) = asks.get(outcomes.len()..).filter(|rest| !rest.is_empty()) {
                outcomes.extend(self.debit_once(shard, rest, Form::Whole).await?);
            }
            Ok(outcomes)
        };
        self.in_time(both).await
    }

    /// Asked briefly, it may answer fewer than were asked: the next one needs more.
    pub(super) async fn debit_once<D>(
        &self,
        shard: Shard,
        asks: &[D],
        form: Form,
    ) -> Result<Vec<DebitOutcome>, MeterError>
    where
        D: Borrow<Debit> + Sync,
    {
        let reply = self.run(shard, |known| command(known, asks, form)).await?;
        let (mut reply, at) = self.opened(shard, reply)?;
        let outcomes = read(&reply.text()?, &reply.text()?, asks, at)?;
        // More than were asked are none that can be read.
        if outcomes.len() < asks.len() && form == Form::Whole { Err(odd("one answer an op")) } else { Ok(outcomes) }
    }
}

/// The answers, each behind a line feed; `before` is the last event before them.
fn read<D: Borrow<Debit>>(lines: &str, before: &str, asks: &[D], at: TimeMs) -> Result<Vec<DebitOutcome>, MeterError> {
    let last: EventId = before.parse().map_err(|_| odd("an event's id"))?;
    let mut answers = DebitAnswers::of(asks.len(), at, last);
    for line in lines.split('\n').skip(1) {
        let ask = asks.get(answers.outcomes.len()).ok_or_else(|| odd("one answer an op"))?;
        answers.read(line, ask.borrow().credits)?;
    }
    Ok(answers.outcomes)
}

fn command<D: Borrow<Debit>>(known: &Known, asks: &[D], form: Form) -> Cmd {
    let fence = &known.fence;
    let accounts = accounts(asks);
    let rates = rates_by_key(asks);
    let marks = asks.iter().filter(|ask| (*ask).borrow().idempotency.is_some()).count();
    let of_accounts = match form {
        Form::Brief => accounts.len(),
        Form::Whole => accounts.len().saturating_mul(4).saturating_add(asks.len()),
    };
    let named = of_accounts.saturating_add(rates.len()).saturating_add(marks);
    let mut command = evalsha(known, Script::Debit, named.saturating_add(2));
    command.arg(fence.meta()).arg(fence.events());
    let mut keys = KeyWriter::new(fence);
    for account in &accounts {
        match form {
            Form::Brief => {
                command.arg(keys.account_hash(account));
            }
            Form::Whole => keys.account(account, |key| {
                command.arg(key);
            }),
        }
    }
    for known in &rates {
        command.arg(fence.rates(&known.of));
    }
    for Debit { account, idempotency, .. } in asks.iter().map(Borrow::borrow) {
        if let Some(under) = idempotency {
            command.arg(fence.idempotency(account, &under.key));
        }
    }
    if form == Form::Whole {
        for ask in asks {
            command.arg(keys.closed(&ask.borrow().op));
        }
    }
    command.arg(accounts.len()).arg(match form {
        Form::Brief => "brief",
        Form::Whole => "whole",
    });
    let mut room = HexRoom::default();
    for account in &accounts {
        command.arg(uuid_hex_in(account.as_uuid(), &mut room));
    }
    let mut marks_before = rates.len();
    for alike in asks.chunk_by(|one, next| ask_alike(one.borrow(), next.borrow())) {
        ask(&mut command, alike, &accounts, &rates, &mut marks_before);
    }
    command
}

/// One ask and its ops.
fn ask<D: Borrow<Debit>>(
    command: &mut Cmd,
    alike: &[D],
    accounts: &[AccountId],
    rates: &[&KeyRates],
    marks_before: &mut usize,
) {
    let Some(first) = alike.first().map(Borrow::borrow) else { return };
    let whose = accounts.iter().position(|known| *known == first.account).map_or(0, |place| place.saturating_add(1));
    command.arg(whose).arg(alike.len()).arg(first.credits.get()).arg(first.not_after.as_u64());
    let mut room = HexRoom::default();
    let key = first.key.as_ref().map_or("", |key| uuid_hex_in(key.as_uuid(), &mut room));
    match place_of_rates(first, rates) {
        Some((place, known)) => command.arg(format!("{key} {place} {}", known.spec)),
        None => command.arg(key),
    };
    *marks_before = marks_before.saturating_add(usize::from(first.idempotency.is_some()));
    match terms(first, *marks_before) {
        Some(terms) => command.arg(terms),
        None => command.arg(first.route.as_str()),
    };
    for ask in alike {
        command.arg(uuid_hex_in(ask.borrow().op.as_uuid(), &mut room));
    }
}

/// The same is asked, on no terms.
fn ask_alike(one: &Debit, next: &Debit) -> bool {
    let on_terms = |ask: &Debit| ask.hold_until.is_some() || ask.idempotency.is_some(); // which name an op of their own
    one.account == next.account
        && one.key == next.key
        && one.credits == next.credits
        && one.not_after == next.not_after
        && one.route == next.route
        && one.rates == next.rates
        && !on_terms(one)
        && !on_terms(next)
}

/// The accounts that pay, each once.
fn accounts<D: Borrow<Debit>>(asks: &[D]) -> Vec<AccountId> {
    let mut accounts: Vec<AccountId> = Vec::new();
    for account in asks.iter().map(|ask| ask.borrow().account) {
        if !accounts.contains(&account) {
            accounts.push(account);
        }
    }
    accounts
}

/// The route and what few debits ask beside, as `terms.lua` reads it. The mark stands at this place behind the accounts' keys.
fn terms(ask: &Debit, place: usize) -> Option<String> {
    let (route, hold) = (ask.route.as_str(), ask.hold_until.map(TimeMs::as_u64));
    match &ask.idempotency {
        Some(under) => {
            let (key, fingerprint, until) = (under.key.hex(), under.fingerprint.hex(), under.in_use_until.as_u64());
            Some(format!("{route} {} {place} {key} {fingerprint} {until}", hold.unwrap_or(0)))
        }
        None => hold.map(|hold| format!("{route} {hold} 0   0")),
    }
}

/// The rates that a call names, each once.
fn rates_by_key<D: Borrow<Debit>>(asks: &[D]) -> Vec<&KeyRates> {
    let mut found: Vec<&KeyRates> = Vec::new();
    for rates in asks.iter().filter_map(|ask| ask.borrow().rates.as_ref()) {
        if !found.iter().any(|known| known.of == rates.of) {
            found.push(rates);
        }
    }
    found
}

/// The rates that the ask's key is held to, and which of the call's they are, from 1.
fn place_of_rates<'a>(ask: &Debit, rates: &[&'a KeyRates]) -> Option<(usize, &'a KeyRates)> {
    let own = ask.rates.as_ref()?;
    (1..).zip(rates.iter().copied()).find(|(_, known)| known.of == own.of)
}
