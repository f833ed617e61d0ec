//! Debits that wait while a call of their shard is in flight go together in its next one: one script call for many requests.
//!
//! Whoever comes first leads: sends its own debit, with those that have come meanwhile, then hands the baton to one who waits.
//! A group has no say in what its debits are answered: the script answers each on its own, those of an account and key in the order they came. A call
//! that got no answer leaves all of its debits unknown, as it would have left each alone.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use redis::RedisError;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::debits::Form;
use super::{Debit, DebitOutcome, Meter, MeterError};
use crate::{Shard, ShardCount};

/// Debits of one call. At about 1 µs each for a hot account and 10 µs for strangers Redis is not kept from others for long.
const GROUP_MAX: usize = 64;
/// How long a shard is asked in whole after it had to be: what a brief call can't decide comes in spells, of a lot that has expired, or an undo.
const IN_WHOLE: Duration = Duration::from_secs(1);
/// Debits that wait at one shard; more than the callers of a gateway at full load.
const WAITING_MAX: usize = 16_384;

type Answer = Result<DebitOutcome, MeterError>;

struct Waiting {
    ask: Debit,
    since: Instant,
    word: oneshot::Sender<Word>,
}

/// What somebody who waits is told.
enum Word {
    Answer(Answer),
    /// It is your turn to send.
    Lead(Baton),
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    /// Somebody holds the baton.
    led: bool,
    /// The last call had the debits of several.
    in_company: bool,
    /// Until then it is asked in whole.
    whole_until: Option<Instant>,
}

#[derive(Default)]
struct Desk(Mutex<Queue>);

/// The right to send the debits of a shard. Dropped, it goes to the next who waits, so it can't be lost with its holder.
struct Baton {
    desk: Arc<Desk>,
    /// Others are likely to be ready to ask, too.
    in_company: bool,
}

/// The desks of all shards.
#[derive(Default)]
pub(super) struct Groups(OnceLock<Box<[Arc<Desk>]>>);

impl Meter {
    /// Draws credits for one request, in one call with others of its shard that came while a call was in flight. A debit waits at
    /// most as long as [`Self::with_debit_wait`] says to be sent (then `Unavailable`: nothing was written), and its call as long for
    /// an answer (then `Unknown`). Dropped while it waits, a debit may happen: undo it.
    pub async fn debit(&self, ask: &Debit) -> Answer {
        let count = self.count().await?;
        let shard = ask.account.shard(count);
        let desk = self.groups().desk(shard, count);
        let desk = desk.ok_or_else(|| super::replies::odd("a shard"))?;
        let baton = match desk.enter(ask)? {
            Ok(baton) => baton,
            // The word goes missing only when the leader is dropped in the middle of its call.
            Err(word) => match word.await {
                Ok(Word::Answer(answer)) => return answer,
                Ok(Word::Lead(baton)) => baton,
                Err(_) => return Err(MeterError::Unknown(failed("the call was given up"))),
            },
        };
        if baton.in_company {
            // Who is ready to ask already comes along in the same call. Where nobody is, this would cost a lone caller for nothing.
            tokio::task::yield_now().await;
        }
        self.lead(baton, shard, ask).await
    }

    async fn lead(&self, baton: Baton, shard: Shard, ask: &Debit) -> Answer {
        let (others, form) = baton.desk.take_others(self.debit_wait());
        let asks: Vec<&Debit> = std::iter::once(ask).chain(others.iter().map(|other| &other.ask)).collect();
        let call = async {
            let outcomes = self.debit_once(shard, &asks, form).await?;
            if !outcomes.is_empty() {
                return Ok(outcomes);
            }
            baton.desk.ask_in_whole();
            self.debit_once(shard, &asks, Form::Whole).await
        };
        let outcomes = match self.in_time(call).await {
            Ok(outcomes) => outcomes,
            Err(error) => {
                drop(baton);
                tell(others.into_iter().map(|other| (other.word, Err(error.clone()))));
                return Err(error);
            }
        };
        let (mut outcomes, mut others) = (outcomes.into_iter().map(Ok), others.into_iter());
        let own = outcomes.next().unwrap_or_else(|| Err(super::replies::odd("an answer to a debit")));
        let answers: Vec<_> = outcomes.zip(others.by_ref()).map(|(outcome, other)| (other.word, outcome)).collect();
        baton.desk.put_back(others);
        // Before the answers, which wake as many as there are.
        drop(baton);
        tell(answers.into_iter());
        own
    }
}

fn tell(answers: impl Iterator<Item = (oneshot::Sender<Word>, Answer)>) {
    for (word, answer) in answers {
        word.send(Word::Answer(answer)).ok(); // who does not wait any more undoes what it does not know
    }
}

impl Groups {
    fn desk(&self, shard: Shard, count: ShardCount) -> Option<&Arc<Desk>> {
        self.0.get_or_init(|| (0..count.get()).map(|_| Arc::default()).collect()).get(usize::from(shard.number))
    }
}

impl Desk {
    /// The baton, if nobody has it; else the place where the word will come.
    fn enter(self: &Arc<Self>, ask: &Debit) -> Result<Result<Baton, oneshot::Receiver<Word>>, MeterError> {
        let mut queue = self.queue();
        if !std::mem::replace(&mut queue.led, true) {
            return Ok(Ok(Baton { desk: Arc::clone(self), in_company: queue.in_company }));
        }
        if queue.waiting.len() >= WAITING_MAX {
            return Err(MeterError::Unavailable(failed("too many debits wait already")));
        }
        let (word, receiver) = oneshot::channel();
        queue.waiting.push_back(Waiting { ask: ask.clone(), since: Instant::now(), word });
        Ok(Err(receiver))
    }

    /// The next call needs every key, and those that follow soon.
    fn ask_in_whole(&self) {
        self.queue().whole_until = Instant::now().checked_add(IN_WHOLE);
    }

    /// Those whom a brief call has not come to are next.
    fn put_back(&self, rest: std::vec::IntoIter<Waiting>) {
        if rest.len() == 0 {
            return;
        }
        self.ask_in_whole();
        let mut queue = self.queue();
        rest.rev().for_each(|it| queue.waiting.push_front(it));
    }

    /// Those who go along with the leader, those of an account and key beside each other, and in what form. Who has waited too long is told
    /// that nothing was sent.
    fn take_others(&self, wait_max: Duration) -> (Vec<Waiting>, Form) {
        let now = Instant::now();
        let mut queue = self.queue();
        let most = queue.waiting.len().min(GROUP_MAX - 1);
        let (late, mut others): (Vec<_>, Vec<_>) = queue
            .waiting
            .drain(..most)
            .filter(|it| !it.word.is_closed())
            .partition(|it| now.saturating_duration_since(it.since) >= wait_max);
        queue.in_company = !others.is_empty();
        let in_whole = queue.whole_until.is_some_and(|until| now < until);
        drop(queue);
        tell(
            late.into_iter()
                .map(|it| (it.word, Err(MeterError::Unavailable(failed("the calls before took too long"))))),
        );
        others.sort_by_key(|it| (it.ask.account, it.ask.key));
        (others, if in_whole { Form::Whole } else { Form::Brief })
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Baton {
    fn drop(&mut self) {
        let mut queue = self.desk.queue();
        while let Some(next) = queue.waiting.pop_front() {
            if !next.word.is_closed() {
                drop(queue); // unheard after all, the baton is dropped and comes back here
                next.word.send(Word::Lead(Self { desk: Arc::clone(&self.desk), in_company: true })).ok();
                return;
            }
        }
        queue.led = false;
    }
}

fn failed(why: &'static str) -> RedisError {
    std::io::Error::other(why).into()
}
