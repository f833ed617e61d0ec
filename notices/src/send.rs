//! One mail, on one page: decided about, made, offered to the server, handed over, and what became of it written down.
//!
//! What fails before the text is handed over has surely not arrived, and is tried again. From the moment that the book has it as `sending` until
//! the server has answered, a mail may have arrived: where that moment ends without an answer it is unknown, and nobody sends it again by itself.

mod told;

use std::time::Duration;

use ledger::mails::{ClaimedMail, Ended, EventKind, Fact, Handover};
use lettre::Address;
use metering::TimeMs;

use crate::decide::{Decision, What, reachable, wanted};
use crate::pause;
use crate::service::Service;
use crate::smtp::{Conversation, Trouble};
use told::Told;

/// An address that is only put off keeps the mail from the others no longer than this many tries.
const TRIES_TOGETHER: u32 = 4;
/// Beside the time that the server is given: until the outcome is in the book, and for clocks that differ.
const HANDOVER_SLACK: Duration = Duration::from_mins(1);

/// The life of one mail, as far as it gets this time.
pub async fn send(service: &Service, mail: &ClaimedMail) {
    let told = match attempt(service, mail).await {
        Ok(told) | Err(told) => told,
    };
    told.write(service, mail).await;
}

async fn attempt(service: &Service, mail: &ClaimedMail) -> Result<Told, Told> {
    let (to, mut facts) = addresses(service, mail).await?;
    let rate = service.settings.notices.per_hour_max;
    let room = service.book.mail_room(mail.account, rate, service.clock.now()).await.map_err(Told::book_away)?;
    if let Some(until) = room {
        return Ok(Told::waits(until, "the account has had as many mails in this hour as it may"));
    }
    let message = service.parts.stationery.compose(mail, &to, service.clock.now());
    let message = message.map_err(|why| Told::failed("unreadable", why.to_string()))?;
    let opened = service.parts.smtp.open().await;
    service.metrics.server_answers.set(i64::from(opened.is_ok()));
    let mut conversation = opened.map_err(|trouble| put_off(service, mail, &trouble, &[]))?;
    config::failpoint("send.opened");
    let ended = hand_over(service, mail, &mut conversation, &to, &message, &mut facts).await;
    conversation.quit().await;
    match ended {
        Ok(told) | Err(told) => Ok(told.after(facts)),
    }
}

/// Whom it goes to; or why to nobody.
async fn addresses(service: &Service, mail: &ClaimedMail) -> Result<(Vec<Address>, Vec<Fact>), Told> {
    let stays = |decision: Decision| match decision.what {
        What::HoldBack(reason) => {
            Told::ended(Ended::HeldBack { reason: reason.to_owned() }, decision.facts).because(reason)
        }
        What::Suppress | What::Send(_) => Told::ended(Ended::Suppressed, decision.facts),
    };
    let recipients = wanted(mail, service.settings.notices).map_err(stays)?;
    let suppressed = service.book.suppressed_among(&recipients).await.map_err(Told::book_away)?;
    let decision = reachable(&recipients, &suppressed);
    match decision.what {
        What::Send(to) => Ok((to, decision.facts)),
        _ => Err(stays(decision)),
    }
}

/// Offers it to the server address by address, and hands it over to those that it takes.
async fn hand_over(
    service: &Service,
    mail: &ClaimedMail,
    conversation: &mut Conversation,
    to: &[Address],
    message: &[u8],
    facts: &mut Vec<Fact>,
) -> Result<Told, Told> {
    let from = &service.parts.stationery.from.email;
    conversation.from(from, to).await.map_err(|trouble| put_off(service, mail, &trouble, facts))?;
    let taken = offer(service, mail, conversation, to, facts).await?;
    config::failpoint("send.offered");
    if service.stop.is_cancelled() {
        return Ok(Told::waits(service.clock.now(), "the service was told to stop"));
    }
    let now = service.clock.now();
    let patience = u64::try_from((service.parts.smtp.handover() * 2 + HANDOVER_SLACK).as_millis()).unwrap_or(u64::MAX);
    let rate = service.settings.notices.per_hour_max;
    match service.book.begin_handover(mail.turn, &taken, rate, now.plus_ms(patience), now).await {
        Ok(Handover::Begun) => {}
        Ok(Handover::NotBefore(until)) => {
            return Ok(Told::waits(until, "the account has had as many mails in this hour as it may"));
        }
        Ok(Handover::Lost) => return Err(Told::nothing("somebody else has it")),
        // Begun or not: nothing was handed over, and that is told as soon as the book answers.
        Err(error) => return Err(put_off(service, mail, &Trouble::Broken(error.to_string()), facts)),
    }
    config::failpoint("send.begun");
    conversation.begin_text().await.map_err(|trouble| refused(service, mail, &trouble, facts))?;
    let answer = conversation.text(message).await;
    config::failpoint("send.answered");
    match answer {
        Ok(reply) => {
            let ended = Ended::Sent { provider_id: reply.id() };
            Ok(Told::ended(ended, vec![Fact::new(EventKind::Sent, "accepted", reply.whole())]).with(reply.codes()))
        }
        Err(Trouble::Broken(why)) => {
            let fact = Fact::new(EventKind::Unknown, "no_answer", format!("it was handed over, and then: {why}"));
            Ok(Told::ended(Ended::Unknown, vec![fact]).with(why))
        }
        Err(trouble) => Err(refused(service, mail, &trouble, facts)),
    }
}

/// The addresses that the server takes. Of those that it refuses for good the facts tell; where it puts one off, all wait together for a while.
async fn offer(
    service: &Service,
    mail: &ClaimedMail,
    conversation: &mut Conversation,
    to: &[Address],
    facts: &mut Vec<Fact>,
) -> Result<Vec<String>, Told> {
    let (mut taken, mut later) = (Vec::new(), None);
    for address in to {
        let text: &str = address.as_ref();
        match conversation.to(address).await {
            Ok(()) => taken.push(text.to_owned()),
            Err(Trouble::Refused(reply)) if reply.says_no_such_address() => {
                facts.push(Fact::no_such_address(text, reply.whole()));
            }
            Err(Trouble::Refused(reply)) if !reply.is_for_now() => {
                facts.push(Fact::new(EventKind::Bounced, "address_refused", reply.whole()).of(text));
            }
            Err(trouble @ Trouble::Refused(_)) => {
                facts.push(Fact::new(EventKind::PutOff, trouble.code(), trouble.words()).of(text));
                later = Some(trouble);
            }
            Err(trouble) => return Err(put_off(service, mail, &trouble, facts)),
        }
    }
    match later {
        Some(trouble) if taken.is_empty() || mail.attempts < TRIES_TOGETHER => {
            Err(put_off(service, mail, &trouble, facts))
        }
        _ if taken.is_empty() => Err(Told::ended(Ended::Bounced, Vec::new()).because("address_refused")),
        _ => {
            // The others have waited long enough for those that are still put off.
            for fact in facts.iter_mut().filter(|fact| fact.what == EventKind::PutOff) {
                fact.what = EventKind::Failed;
            }
            Ok(taken)
        }
    }
}

/// After the text was begun the server said no: it has nothing, for now or for good.
fn refused(service: &Service, mail: &ClaimedMail, trouble: &Trouble, facts: &[Fact]) -> Told {
    match trouble {
        Trouble::Refused(reply) if !reply.is_for_now() => {
            Told::failed("server_refuses", reply.whole()).with(reply.codes())
        }
        _ => put_off(service, mail, trouble, facts),
    }
}

/// It was not taken and is tried again, unless it was tried often enough. That goes also for a server that refuses us for good before it has
/// heard of anybody's address: it is what an operator mends.
fn put_off(service: &Service, mail: &ClaimedMail, trouble: &Trouble, facts: &[Fact]) -> Told {
    let settings = service.settings.worker;
    if mail.attempts >= settings.attempts_max {
        let words = format!("tried {} times in vain, the last time: {}", mail.attempts, trouble.words());
        return Told::failed("gave_up", words).with(trouble.words_for_log());
    }
    let until = until(service, mail);
    // What was said of single addresses is told by them.
    let is_told = facts.iter().any(|fact| fact.what == EventKind::PutOff);
    let fact = (!is_told).then(|| Fact::new(EventKind::PutOff, trouble.code(), trouble.words()));
    Told::ended(Ended::PutOff { until }, fact.into_iter().collect())
        .because(trouble.code())
        .with(trouble.words_for_log())
}

fn until(service: &Service, mail: &ClaimedMail) -> TimeMs {
    let longest = Duration::from_millis(service.settings.worker.pause_ms_max);
    pause::until(mail.attempts, longest, rand::random(), service.clock.now())
}
