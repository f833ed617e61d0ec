//! Reading the answers out of the scripts' replies, each documented in its script's header.

use super::{BudgetView, CreditsView, DebitOutcome, Drawn, Exposure, GiveBackOutcome, Refusal, UndoOutcome};
use crate::event::DebitNumbers;
use crate::live::MeterError;
use crate::live::replies::{Reply, odd};
use crate::{AccountId, Credits, KeyDigest, KeyId, KeyImage, KeyState, Status, TimeMs, lots};

pub(in crate::live) fn debit(reply: &mut Reply, price: Credits, at: TimeMs) -> Result<DebitOutcome, MeterError> {
    let refusal = match reply.text()?.as_str() {
        "drawn" => return drawn(reply, at).map(DebitOutcome::Drawn),
        "absent" => Refusal::Installing,
        "frozen" => Refusal::Frozen,
        "too_late" => Refusal::TooLate,
        "closed" => Refusal::Closed,
        "status" => Refusal::Status(status(reply)?),
        "key_revoked" => Refusal::KeyRevoked,
        "budget" => {
            let budget = BudgetView { limit: reply.credits()?, used: reply.credits()?, resets_at: reply.time()? };
            Refusal::BudgetExhausted { budget, price }
        }
        "credits" => Refusal::CreditsExhausted { remaining: reply.credits()?, price },
        "exposure" => Refusal::ExposureCap { what: exposure(reply)? },
        _ => return Err(odd("an answer to a debit")),
    };
    Ok(DebitOutcome::Refused(refusal))
}

fn drawn(reply: &mut Reply, at: TimeMs) -> Result<Drawn, MeterError> {
    let event = reply.text()?.parse().map_err(|_| odd("an event id"))?;
    let numbers = DebitNumbers::read(&reply.text()?).ok_or_else(|| odd("the numbers of a debit"))?;
    let budget = budget(reply.credits()?, numbers.budget_used_after, numbers.period_end);
    let split = lots::read(&reply.text()?).ok_or_else(|| odd("a split"))?;
    Ok(Drawn { event, seq: numbers.seq, at, remaining: numbers.remaining_after, budget, split })
}

/// A limit of 0 is no budget.
fn budget(limit: Credits, used: Credits, resets_at: TimeMs) -> Option<BudgetView> {
    (!limit.is_zero()).then_some(BudgetView { limit, used, resets_at })
}

fn exposure(reply: &mut Reply) -> Result<Exposure, MeterError> {
    match reply.text()?.as_str() {
        "events" => Ok(Exposure::Events),
        "credits" => Ok(Exposure::Credits),
        "age" => Ok(Exposure::Age),
        _ => Err(odd("an exposure cap")),
    }
}

fn status(reply: &mut Reply) -> Result<Status, MeterError> {
    Status::from_letter(&reply.text()?).ok_or_else(|| odd("a status"))
}

pub(in crate::live) fn give_back(reply: &mut Reply) -> Result<GiveBackOutcome, MeterError> {
    match reply.text()?.as_str() {
        "returned" => Ok(GiveBackOutcome::Returned {
            returned: reply.credits()?,
            lapsed: reply.credits()?,
            remaining: reply.credits()?,
        }),
        "closed" => Ok(GiveBackOutcome::AlreadyClosed),
        "undo" => Ok(GiveBackOutcome::BecameUndo),
        "absent" | "frozen" => Ok(GiveBackOutcome::Deferred),
        _ => Err(odd("an answer to a give-back")),
    }
}

pub(in crate::live) fn undo(reply: &mut Reply) -> Result<UndoOutcome, MeterError> {
    match reply.text()?.as_str() {
        "marked" => Ok(UndoOutcome::Marked),
        "closed" => Ok(UndoOutcome::AlreadyClosed),
        "absent" | "frozen" => Ok(UndoOutcome::Deferred),
        _ => Err(odd("an answer to an undo")),
    }
}

pub(in crate::live) fn key(reply: &mut Reply, digest: KeyDigest) -> Result<Option<KeyImage>, MeterError> {
    match reply.text()?.as_str() {
        "unknown" => return Ok(None),
        "found" => {}
        _ => return Err(odd("an answer to a key look-up")),
    }
    let account = AccountId::from_hex(&reply.text()?).map_err(|_| odd("an account id"))?;
    let key = KeyId::from_hex(&reply.text()?).map_err(|_| odd("a key id"))?;
    let state = match reply.text()?.as_str() {
        "a" => KeyState::Active,
        "r" => KeyState::Revoked,
        _ => return Err(odd("the state of a key")),
    };
    let account_status = status(reply)?;
    let expires_at = Some(reply.time()?).filter(|at| *at > TimeMs::EPOCH);
    Ok(Some(KeyImage { digest, account, key, state, account_status, expires_at }))
}

pub(in crate::live) fn credits(reply: &mut Reply, at: TimeMs) -> Result<CreditsView, MeterError> {
    match reply.text()?.as_str() {
        "credits" => {}
        "absent" => return Err(MeterError::Uncertified),
        _ => return Err(odd("an answer to a look at credits")),
    }
    let (status, remaining, used_this_period) = (status(reply)?, reply.credits()?, reply.credits()?);
    let (limit, resets_at) = (reply.credits()?, reply.time()?);
    let next_expiry = Some((reply.time()?, reply.credits()?)).filter(|(at, _)| *at > TimeMs::EPOCH);
    let budget = budget(limit, used_this_period, resets_at);
    Ok(CreditsView { status, remaining, used_this_period, budget, resets_at, next_expiry, at })
}
