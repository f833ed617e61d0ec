//! Reading the answers out of the scripts' replies, each documented in its script's header.

use super::{
    AccountStanding, BudgetView, ConfirmOutcome, CreditsView, DebitOutcome, Drawn, EVERYBODY, Exposure,
    GiveBackOutcome, RateOutcome, RateState, Refusal, Repeat, SettleOutcome, UndoOutcome,
};
use crate::credits::Numbers;
use crate::event::{self, DebitNumbers};
use crate::live::MeterError;
use crate::live::replies::{Reply, odd};
use crate::{
    AccountId, CapPeriod, Credits, EventId, KeyDigest, KeyId, KeyImage, KeyState, OpId, SessionVersion,
    SessionVersions, Status, TimeMs, lots,
};

/// The answers to the debits of a call, read line by line.
pub(in crate::live) struct DebitAnswers {
    /// So far.
    pub(in crate::live) outcomes: Vec<DebitOutcome>,
    at: TimeMs,
    /// Events of a call follow each other: that of the debit before.
    last: EventId,
    asked: usize,
}

impl DebitAnswers {
    /// At this time, to as many ops, behind this event.
    pub(in crate::live) fn of(asked: usize, at: TimeMs, last: EventId) -> Self {
        Self { outcomes: Vec::with_capacity(asked), at, last, asked }
    }

    /// A line: the outcome of one op, or of several that drew alike; `price` is what each of them was asked for.
    pub(in crate::live) fn read(&mut self, line: &str, price: Credits) -> Result<(), MeterError> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let refusal = match word {
            "drawn" => return self.drawn(rest).ok_or_else(|| odd("debits that were drawn")),
            "absent" => Some(Refusal::Installing),
            "frozen" => Some(Refusal::Frozen),
            "too_late" => Some(Refusal::TooLate),
            "closed" => Some(Refusal::Closed),
            "status" => Status::from_letter(rest).map(Refusal::Status),
            "key_revoked" => Some(Refusal::KeyRevoked),
            "repeated" => repeated(rest),
            "cap" => key_cap_exhausted(rest, price),
            "rate" => rate_limited(rest),
            "budget" => budget_exhausted(rest, price),
            "credits" => rest.parse().ok().map(|remaining| Refusal::CreditsExhausted { remaining, price }),
            "exposure" => exposure(rest),
            _ => None,
        };
        self.outcomes.push(refusal.map(DebitOutcome::Refused).ok_or_else(|| odd("an answer to a debit"))?);
        Ok(())
    }

    fn drawn(&mut self, words: &str) -> Option<()> {
        let mut words = words.splitn(4, ' ');
        let (ops, limit) = (number(words.next()?)?, words.next()?.parse().ok()?);
        let rates = rate_states(words.next()?)?;
        let (split, numbers) = event::split_and_numbers(words.next()?)?;
        let split = lots::read(split)?;
        let mut following = DebitNumbers::read(numbers);
        for _ in 0..ops {
            let numbers = following.filter(|_| self.outcomes.len() < self.asked)?;
            following = numbers.following();
            self.last.sequence = self.last.sequence.saturating_add(1);
            self.outcomes.push(DebitOutcome::Drawn(Drawn {
                event: self.last,
                seq: numbers.seq,
                at: self.at,
                remaining: numbers.remaining_after,
                budget: budget(limit, numbers.budget_used_after, numbers.period_end),
                split: split.clone(),
                rates: rates.clone(),
            }));
        }
        (ops > 0).then_some(())
    }
}

fn rate_limited(words: &str) -> Option<Refusal> {
    let (place, wait) = words.split_once(' ')?;
    let place = usize::try_from(number(place)?.checked_sub(1)?).ok()?;
    Some(Refusal::RateLimited { place, wait_ms: number(wait)? })
}

fn repeated(words: &str) -> Option<Refusal> {
    let (how, first) = words.split_once(' ')?;
    let how = match how {
        "in_use" => Repeat::InUse,
        "used" => Repeat::Used,
        "mismatch" => Repeat::Mismatch,
        _ => return None,
    };
    Some(Refusal::Repeated { first: OpId::from_hex(first).ok()?, how })
}

fn key_cap_exhausted(words: &str, price: Credits) -> Option<Refusal> {
    let (which, numbers) = words.split_once(' ')?;
    let which = match which {
        "day" => CapPeriod::Day,
        "month" => CapPeriod::Month,
        _ => return None,
    };
    let [cap, used, resets_at] = three(numbers)?;
    Some(Refusal::KeyCapExhausted { which, cap, used, resets_at: TimeMs::new(resets_at.get()), price })
}

fn three(numbers: &str) -> Option<[Credits; 3]> {
    let mut numbers = Numbers::of(numbers);
    let read = [numbers.next()?, numbers.next()?, numbers.next()?];
    numbers.are_over().then_some(read)
}

/// `left:reset_ms,…`, or `-` for none.
fn rate_states(text: &str) -> Option<Vec<RateState>> {
    if text == "-" {
        return Some(Vec::new());
    }
    let one = |part: &str| {
        part.split_once(':').and_then(|(left, reset)| Some(RateState { left: number(left)?, reset_ms: number(reset)? }))
    };
    text.split(',').map(one).collect()
}

fn number(digits: &str) -> Option<u64> {
    digits.parse().ok().map(|number: Credits| number.get()) // the same rule for digits
}

fn budget_exhausted(words: &str, price: Credits) -> Option<Refusal> {
    let [limit, used, resets_at] = three(words)?;
    let budget = BudgetView { limit, used, resets_at: TimeMs::new(resets_at.get()) };
    Some(Refusal::BudgetExhausted { budget, price })
}

/// A limit of 0 is no budget.
fn budget(limit: Credits, used: Credits, resets_at: TimeMs) -> Option<BudgetView> {
    (!limit.is_zero()).then_some(BudgetView { limit, used, resets_at })
}

fn exposure(word: &str) -> Option<Refusal> {
    let what = match word {
        "events" => Exposure::Events,
        "credits" => Exposure::Credits,
        "age" => Exposure::Age,
        _ => return None,
    };
    Some(Refusal::ExposureCap { what })
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

pub(in crate::live) fn settle(reply: &mut Reply) -> Result<SettleOutcome, MeterError> {
    match reply.text()?.as_str() {
        "settled" => Ok(SettleOutcome::Settled {
            kept: reply.credits()?,
            returned: reply.credits()?,
            lapsed: reply.credits()?,
            remaining: reply.credits()?,
        }),
        "closed" => Ok(SettleOutcome::AlreadyClosed),
        "undo" => Ok(SettleOutcome::BecameUndo),
        "absent" | "frozen" => Ok(SettleOutcome::Deferred),
        _ => Err(odd("an answer to a settlement")),
    }
}

/// One word an item.
pub(in crate::live) fn confirm(reply: &mut Reply) -> Result<Vec<ConfirmOutcome>, MeterError> {
    let words = reply.text()?;
    let one = |word| match word {
        "confirmed" => Ok(ConfirmOutcome::Confirmed),
        "extended" => Ok(ConfirmOutcome::Extended),
        "closed" => Ok(ConfirmOutcome::AlreadyClosed),
        _ => Err(odd("an answer to a confirmation")),
    };
    words.split(' ').map(one).collect()
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
    let policy = serde_json::from_str(&reply.text()?).map_err(|_| odd("the policy of a key"))?;
    let rates_of = KeyId::from_hex(&reply.text()?).map_err(|_| odd("a key id"))?;
    Ok(Some(KeyImage { digest, account, key, state, account_status, expires_at, policy, rates_of }))
}

pub(in crate::live) fn rates(reply: &mut Reply) -> Result<RateOutcome, MeterError> {
    match reply.text()?.as_str() {
        "passed" => rate_states(&reply.text()?).map(RateOutcome::Passed).ok_or_else(|| odd("the state of rates")),
        "rate" => {
            let place = reply.number()?.checked_sub(1).and_then(|place| usize::try_from(place).ok());
            Ok(RateOutcome::Limited {
                place: place.ok_or_else(|| odd("the place of a rate"))?,
                wait_ms: reply.number()?,
            })
        }
        _ => Err(odd("an answer about rates")),
    }
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

pub(in crate::live) fn standing(reply: &mut Reply) -> Result<AccountStanding, MeterError> {
    match reply.text()?.as_str() {
        "standing" => {}
        "absent" => return Err(MeterError::Uncertified),
        _ => return Err(odd("an answer about the standing of an account")),
    }
    let mut standing = AccountStanding { status: status(reply)?, sessions: SessionVersions::default() };
    while reply.more() {
        session_version(reply, &mut standing.sessions)?;
    }
    Ok(standing)
}

/// Whose it is, and which.
pub(in crate::live) fn session_version(reply: &mut Reply, into: &mut SessionVersions) -> Result<(), MeterError> {
    let whose = reply.text()?;
    let version = SessionVersion::new(reply.number()?).map_err(|_| odd("a version of sessions"))?;
    if whose == EVERYBODY {
        into.everybody = version;
    } else {
        into.subjects.insert(whose.parse().map_err(|_| odd("whose sessions"))?, version);
    }
    Ok(())
}
