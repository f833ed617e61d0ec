//! What a gateway's calls look like on the wire: the KEYS and ARGV of each script; `fenced` ends each.

use redis::{Cmd, cmd};

use super::fences::Known;
use super::scripts::Script;
use super::{Confirm, Fence, GiveBack, Progress, Settle, Undo};
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
