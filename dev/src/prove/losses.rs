//! What was lost, and by which fault: each served call that is not in the book must have been answered just before a fault that loses
//! the tail of Redis, within the stated bound. And which calls may have become cheaper or dearer than they were told.

use std::time::Duration;

use super::calls::{Kind, Reply};
use super::faults::Done;
use super::plan::{Harm, Victim};
use super::settings::{EXPOSURE, SHARDS};

/// How long a gateway that lives may take to give back what it owes: a request may have waited for Redis through a whole fault.
const OWED_MAX: Duration = Duration::from_secs(15);
/// How long after its answer a request may not stand in the journal yet, on a machine that does other things.
const WRITTEN_MAX: Duration = Duration::from_secs(1);
/// How long after its answer it may not be confirmed yet: words wait for company, and are sent again after a pause of 2 s at most.
const CONFIRMED_MAX: Duration = Duration::from_secs(5);

/// What one fault lost.
pub struct Loss<'a> {
    pub done: &'a Done,
    pub answers: u64,
    pub credits: u64,
    /// How long before the fault the oldest of them was answered.
    pub age: Duration,
}

/// Losses by fault, and those that no fault explains.
pub fn explain<'a, 'b>(missing: &[&'b Reply], faults: &'a [Done]) -> (Vec<Loss<'a>>, Vec<&'b Reply>) {
    let mut losses: Vec<Loss<'a>> = Vec::new();
    let mut unexplained = Vec::new();
    for reply in missing {
        let Some((done, age)) = by_tail(reply, faults) else {
            unexplained.push(*reply);
            continue;
        };
        let known = losses.iter().position(|loss| std::ptr::eq(loss.done, done));
        let place = known.unwrap_or_else(|| {
            losses.push(Loss { done, answers: 0, credits: 0, age });
            losses.len() - 1
        });
        let here = &mut losses[place];
        here.answers += 1;
        here.credits += reply.credits;
        here.age = here.age.max(age);
    }
    (losses, unexplained)
}

/// The fault whose lost tail may have held this call: it was sent before the fault struck, and answered no longer before it than
/// events may wait for the book.
fn by_tail<'a>(reply: &Reply, faults: &'a [Done]) -> Option<(&'a Done, Duration)> {
    let mut tails = faults.iter().filter(|done| done.fault.loses_tail());
    tails.find_map(|done| {
        let age = done.at.saturating_duration_since(reply.ended);
        (reply.started < done.struck && age <= Duration::from_millis(EXPOSURE.age_ms)).then_some((done, age))
    })
}

/// The one place where losses are held against what the house says of them: the bound that its exposure caps state.
pub fn passes_bound(loss: &Loss<'_>) -> Option<String> {
    let (events, credits) = (EXPOSURE.events * SHARDS, EXPOSURE.credits * SHARDS);
    let fault = &loss.done.fault;
    if loss.answers > events {
        return Some(format!("{fault}: {} debits were lost, more than the bound of {events}", loss.answers));
    }
    (loss.credits > credits)
        .then(|| format!("{fault}: {} credits were lost, more than the bound of {credits}", loss.credits))
}

/// Why a call that cost its caller nothing may stand in the book all the same: where it is not known whether a debit was drawn, its undo waits
/// in the gateway's memory, and may go with it, or with a lost tail. Give-backs stand in the journal right after their answer, and
/// are asked for by the owner.
pub fn give_back_lost(reply: &Reply, faults: &[Done]) -> bool {
    if reply.code.as_deref() == Some("meter_unavailable") {
        return killed_after(reply, faults, OWED_MAX) || by_tail(reply, faults).is_some();
    }
    killed_after(reply, faults, WRITTEN_MAX)
}

/// Why a call that was served may have been given back: nobody could say any more that it was over.
pub fn confirmation_lost(reply: &Reply, faults: &[Done]) -> bool {
    let confirmed = reply.call.kind == Kind::Confirmed;
    confirmed && (killed_after(reply, faults, CONFIRMED_MAX) || by_tail(reply, faults).is_some())
}

/// Whether this call's debit was to be confirmed, and its gateway was killed in the middle of it: it must not stand.
pub fn left_open(reply: &Reply, faults: &[Done]) -> bool {
    let open = reply.call.kind == Kind::Confirmed && !reply.whole && reply.op.is_some();
    open && kills_of(reply, faults).any(|done| reply.started < done.struck && reply.ended >= done.at)
}

/// Whether its gateway was killed no longer than this after its answer.
fn killed_after(reply: &Reply, faults: &[Done], most: Duration) -> bool {
    kills_of(reply, faults)
        .any(|done| reply.started < done.struck && done.at.saturating_duration_since(reply.ended) <= most)
}

fn kills_of<'a>(reply: &Reply, faults: &'a [Done]) -> impl Iterator<Item = &'a Done> {
    let gateway = reply.call.gateway;
    faults.iter().filter(move |done| {
        matches!((done.fault.victim, done.fault.harm), (Victim::Gateway(number), Harm::Kill { .. }) if number == gateway)
    })
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::super::calls::Call;
    use super::super::plan::Fault;
    use super::*;

    fn done(at: Instant, victim: Victim, harm: Harm) -> Done {
        let struck = at + Duration::from_millis(10);
        Done { fault: Fault { after: Duration::ZERO, victim, harm }, at, struck, recovered: None, replies: Vec::new() }
    }

    /// Answered so many seconds after `began`.
    fn reply(began: Instant, seconds: u64) -> Reply {
        let call = Call { kind: Kind::Chat, customer: 0, gateway: 0 };
        let started = began + Duration::from_secs(seconds);
        let ended = started + Duration::from_millis(5);
        Reply { call, started, ended, status: 200, op: None, credits: 3, whole: true, sent: true, code: None }
    }

    #[test]
    fn a_loss_belongs_to_the_fault_that_came_after_it() {
        let began = Instant::now();
        let at = |seconds| began + Duration::from_secs(seconds);
        let faults = [done(at(50), Victim::Redis, Harm::Flush), done(at(59), Victim::Redis, Harm::Empty)];
        let (first, second) = (reply(began, 48), reply(began, 57));
        let (losses, unexplained) = explain(&[&first, &second], &faults);
        assert!(unexplained.is_empty());
        let told: Vec<_> = losses.iter().map(|loss| (loss.answers, loss.credits, loss.age.as_secs())).collect();
        assert_eq!(told, [(1, 3, 1), (1, 3, 1)]);
    }

    #[test]
    fn a_loss_after_the_fault_or_long_before_it_or_by_a_kill_has_no_excuse() {
        let began = Instant::now();
        let at = began + Duration::from_secs(50);
        let flush = done(at, Victim::Redis, Harm::Flush);
        let kill = done(at, Victim::Redis, Harm::Kill { down: Duration::ZERO });
        let (after, before, just_before) = (reply(began, 51), reply(began, 20), reply(began, 49));
        assert_eq!(explain(&[&after, &before], std::slice::from_ref(&flush)).1.len(), 2);
        assert_eq!(explain(&[&just_before], &[kill]).1.len(), 1);
        assert_eq!(explain(&[&just_before], &[flush]).1.len(), 0);
    }

    #[test]
    fn a_bound_that_is_passed_is_told() {
        let flush = done(Instant::now(), Victim::Redis, Harm::Flush);
        let loss = |answers, credits| Loss { done: &flush, answers, credits, age: Duration::ZERO };
        assert!(passes_bound(&loss(EXPOSURE.events * SHARDS, EXPOSURE.credits * SHARDS)).is_none());
        assert!(passes_bound(&loss(EXPOSURE.events * SHARDS + 1, 1)).is_some());
        assert!(passes_bound(&loss(1, EXPOSURE.credits * SHARDS + 1)).is_some());
    }

    #[test]
    fn a_give_back_may_be_missing_only_where_its_gateway_died_before_it_could_write_it_down() {
        let began = Instant::now();
        let at = began + Duration::from_secs(50);
        let kill = [done(at, Victim::Gateway(0), Harm::Kill { down: Duration::ZERO })];
        let flush = [done(at, Victim::Redis, Harm::Flush)];
        let (long_before, just_before) = (reply(began, 45), Reply { ended: at, ..reply(began, 49) });
        let unsure = |reply: &Reply| Reply { code: Some("meter_unavailable".to_owned()), ..reply.clone() };
        assert!(give_back_lost(&just_before, &kill) && !give_back_lost(&long_before, &kill));
        assert!(!give_back_lost(&just_before, &flush), "it is in the journal, and asked for again");
        assert!(give_back_lost(&unsure(&long_before), &kill) && give_back_lost(&unsure(&long_before), &flush));
        let other = Call { gateway: 1, ..just_before.call };
        assert!(!give_back_lost(&Reply { call: other, ..just_before }, &kill), "another gateway died");
    }

    #[test]
    fn only_what_is_to_be_confirmed_may_be_given_back_though_it_was_served() {
        let began = Instant::now();
        let at = began + Duration::from_secs(50);
        let kill = [done(at, Victim::Gateway(0), Harm::Kill { down: Duration::ZERO })];
        let chat = Reply { ended: at, ..reply(began, 49) };
        let confirmed =
            Reply { call: Call { kind: Kind::Confirmed, ..chat.call }, op: Some("a".to_owned()), ..chat.clone() };
        assert!(confirmation_lost(&confirmed, &kill) && !confirmation_lost(&chat, &kill));
        assert!(!left_open(&confirmed, &kill), "it was served");
        let broken = Reply { whole: false, ..confirmed.clone() };
        assert!(left_open(&broken, &kill));
        assert!(!left_open(&broken, &[]), "nobody died");
    }
}
