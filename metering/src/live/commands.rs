//! What a gateway's calls look like on the wire: the KEYS and ARGV of each script; `fenced` ends each.

use std::borrow::Borrow;

use redis::{Cmd, cmd};

use super::fences::Known;
use super::keys::KeyWriter;
use super::scripts::Script;
use super::{Confirm, Debit, Fence, GiveBack, KeyRates, Progress, Settle, Undo};
use crate::ids::{HexRoom, uuid_hex_in};
use crate::{AccountId, OpId};

pub(super) fn evalsha(known: &Known, script: Script, keys: usize) -> Cmd {
    let mut command = cmd("EVALSHA");
    command.arg(known.digests.of(script)).arg(keys);
    command
}

/// The call of a script, complete: behind its own arguments stands what `prelude.lua` compares and numbers events with.
pub(super) fn fenced(mut command: Cmd, fence: &Fence) -> Cmd {
    command.arg(fence.certification).arg(fence.incarnation);
    command
}

pub(super) fn debit<D: Borrow<Debit>>(known: &Known, asks: &[D]) -> Cmd {
    let fence = &known.fence;
    let (accounts, whose) = accounts(asks);
    let rates = rates_by_key(asks);
    let marks = asks.iter().filter(|ask| (*ask).borrow().idempotency.is_some()).count();
    let named = accounts.len().saturating_mul(4).saturating_add(asks.len());
    let mut command =
        evalsha(known, Script::Debit, named.saturating_add(2).saturating_add(rates.len()).saturating_add(marks));
    command.arg(fence.meta()).arg(fence.events());
    let mut keys = KeyWriter::new(fence);
    for account in &accounts {
        keys.account(account, |key| {
            command.arg(key);
        });
    }
    for ask in asks {
        command.arg(keys.closed(&ask.borrow().op));
    }
    for known in &rates {
        command.arg(fence.rates(&known.of));
    }
    for Debit { account, idempotency, .. } in asks.iter().map(Borrow::borrow) {
        if let Some(under) = idempotency {
            command.arg(fence.idempotency(account, &under.key));
        }
    }
    command.arg(accounts.len()).arg(asks.len());
    let mut room = HexRoom::default();
    for account in &accounts {
        command.arg(uuid_hex_in(account.as_uuid(), &mut room));
    }
    let mut place = rates.len();
    for (ask, whose) in asks.iter().map(Borrow::borrow).zip(whose) {
        command
            .arg(uuid_hex_in(ask.op.as_uuid(), &mut room))
            .arg(whose)
            .arg(ask.credits.get())
            .arg(ask.not_after.as_u64());
        let key = ask.key.as_ref().map_or("", |key| uuid_hex_in(key.as_uuid(), &mut room));
        match place_of_rates(ask, &rates) {
            Some((place, known)) => command.arg(format!("{key} {place} {}", known.spec)),
            None => command.arg(key),
        };
        place = place.saturating_add(usize::from(ask.idempotency.is_some()));
        match terms(ask, place) {
            Some(terms) => command.arg(terms),
            None => command.arg(ask.route.as_str()),
        };
    }
    command
}

/// The accounts that pay, each once, and which of them (from 1) pays for each item.
fn accounts<D: Borrow<Debit>>(asks: &[D]) -> (Vec<AccountId>, Vec<usize>) {
    let mut accounts: Vec<AccountId> = Vec::new();
    let whose = asks
        .iter()
        .map(|ask| {
            let account = ask.borrow().account;
            if let Some(before) = accounts.iter().position(|known| *known == account) {
                return before.saturating_add(1);
            }
            accounts.push(account);
            accounts.len()
        })
        .collect();
    (accounts, whose)
}

/// The route and what few debits ask beside, as `terms.lua` reads it. The mark stands at this place of the last keys.
fn terms(ask: &Debit, place: usize) -> Option<String> {
    let (route, hold) = (ask.route.as_str(), ask.hold_until.map(crate::TimeMs::as_u64));
    match &ask.idempotency {
        Some(under) => {
            let (key, fingerprint, until) = (under.key.hex(), under.fingerprint.hex(), under.in_use_until.as_u64());
            Some(format!("{route} {} {place} {key} {fingerprint} {until}", hold.unwrap_or(0)))
        }
        None => hold.map(|hold| format!("{route} {hold} 0   0")),
    }
}

/// The rates that items of a call name, each once.
fn rates_by_key<D: Borrow<Debit>>(asks: &[D]) -> Vec<&KeyRates> {
    let mut found: Vec<&KeyRates> = Vec::new();
    for rates in asks.iter().filter_map(|ask| ask.borrow().rates.as_ref()) {
        if !found.iter().any(|known| known.of == rates.of) {
            found.push(rates);
        }
    }
    found
}

/// The rates that the item's key is held to, and which of the call's they are, from 1.
fn place_of_rates<'a>(ask: &Debit, rates: &[&'a KeyRates]) -> Option<(usize, &'a KeyRates)> {
    let own = ask.rates.as_ref()?;
    (1..).zip(rates.iter().copied()).find(|(_, known)| known.of == own.of)
}

pub(super) fn give_back(known: &Known, ask: &GiveBack) -> Cmd {
    let fence = &known.fence;
    let mut command = evalsha(known, Script::GiveBack, ask.idempotency.map_or(7, |_| 8));
    closing_keys(&mut command, fence, &ask.account, &ask.debit_op);
    if let Some(key) = &ask.idempotency {
        command.arg(fence.idempotency(&ask.account, key));
    }
    command.arg(ask.op.hex()).arg(ask.account.hex()).arg(ask.debit_op.hex()).arg(ask.debit_event.to_string());
    command.arg(ask.debit_not_after.as_u64());
    command
}

pub(super) fn settle(known: &Known, ask: &Settle) -> Cmd {
    let mut command = evalsha(known, Script::Settle, SETTLE_KEYS);
    settle_arguments(&mut command, &known.fence, ask);
    command
}

/// How many keys a settlement names.
pub(super) const SETTLE_KEYS: usize = 7;

/// What stands behind the number of keys: gateways and owners settle alike.
pub(super) fn settle_arguments(command: &mut Cmd, fence: &Fence, ask: &Settle) {
    closing_keys(command, fence, &ask.account, &ask.debit_op);
    command.arg(ask.op.hex()).arg(ask.account.hex()).arg(ask.debit_op.hex()).arg(ask.debit_event.to_string());
    command.arg(ask.debit_not_after.as_u64()).arg(ask.price.get());
}

pub(super) fn confirm(known: &Known, asks: &[Confirm]) -> Cmd {
    let fence = &known.fence;
    let mut command = evalsha(known, Script::Confirm, asks.len().saturating_add(2));
    command.arg(fence.meta()).arg(fence.events());
    for ask in asks {
        command.arg(fence.closed(&ask.debit_op));
    }
    for ask in asks {
        command.arg(ask.debit_op.hex()).arg(ask.account.hex());
        match &ask.progress {
            Progress::Over { credits, outcome } => command.arg(credits.get()).arg(outcome.to_string()),
            Progress::GoesOn { hold_until } => command.arg(0).arg(hold_until.as_u64()),
        };
    }
    command
}

fn closing_keys(command: &mut Cmd, fence: &Fence, account: &AccountId, debit_op: &OpId) {
    command.arg(fence.meta()).arg(fence.events()).arg(fence.account(account)).arg(fence.lots(account));
    command.arg(fence.future_lots(account)).arg(fence.emptied_lots(account)).arg(fence.closed(debit_op));
}

pub(super) fn undo(known: &Known, ask: &Undo) -> Cmd {
    let mut command = evalsha(known, Script::Undo, undo_keys(ask));
    undo_arguments(&mut command, &known.fence, ask);
    command
}

/// How many keys an undo names.
pub(super) fn undo_keys(ask: &Undo) -> usize {
    ask.idempotency.map_or(4, |_| 5)
}

/// What stands behind the number of keys: gateways and owners undo alike.
pub(super) fn undo_arguments(command: &mut Cmd, fence: &Fence, ask: &Undo) {
    command.arg(fence.meta()).arg(fence.events()).arg(fence.account(&ask.account)).arg(fence.closed(&ask.debit_op));
    if let Some(key) = &ask.idempotency {
        command.arg(fence.idempotency(&ask.account, key));
    }
    command.arg(ask.op.hex()).arg(ask.account.hex()).arg(ask.debit_op.hex()).arg(ask.not_after.as_u64());
}

pub(super) fn reading(known: &Known, script: Script, keys: usize, account: &AccountId) -> Cmd {
    let fence = &known.fence;
    let mut command = evalsha(known, script, keys);
    command.arg(fence.meta()).arg(fence.account(account)).arg(fence.lots(account));
    command.arg(fence.future_lots(account)).arg(fence.emptied_lots(account));
    command
}
