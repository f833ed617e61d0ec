//! Debits that wait while a call of their shard is in flight go together in its next one: one script call for many requests.
//!
//! A group has no say in what its debits are answered: the script answers each on its own, in the order they came. A call that
//! got no answer leaves all of its debits unknown, as it would have left each alone.

use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use redis::RedisError;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::{Debit, DebitOutcome, Meter, MeterError};
use crate::{Shard, ShardCount};

/// Debits of one call. At about 1 µs each for a hot account and 10 µs for strangers Redis is not kept from others for long.
const GROUP_MAX: usize = 64;
/// Debits that wait at one shard; more than the callers of a gateway at full load.
const WAITING_MAX: usize = 16_384;
/// How long a call may keep the others waiting. Callers have given up long before; this is for a connection that is dead.
const CALL_WAIT: Duration = Duration::from_secs(1);

type Answer = Result<DebitOutcome, MeterError>;

struct Waiting {
    ask: Debit,
    answer: oneshot::Sender<Answer>,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<Waiting>,
    /// Somebody sends what waits here, and goes on until nothing does.
    served: bool,
}

/// The queues of all shards.
#[derive(Default)]
pub(super) struct Groups(OnceLock<Box<[Mutex<Queue>]>>);

impl Groups {
    fn queue(&self, shard: Shard, count: ShardCount) -> Option<&Mutex<Queue>> {
        let queues = self.0.get_or_init(|| (0..count.get()).map(|_| Mutex::default()).collect());
        queues.get(usize::from(shard.number))
    }
}

impl Meter {
    /// Draws credits for one request, in one call with others of its shard that came while a call was in flight. Dropped before
    /// it was sent, a debit is not sent; dropped later, it may happen: undo it.
    pub async fn debit(&self, ask: &Debit) -> Answer {
        let count = self.count().await?;
        let shard = ask.account.shard(count);
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting { ask: ask.clone(), answer };
        let serve = {
            let Some(queue) = self.groups().queue(shard, count) else { return Err(super::replies::odd("a shard")) };
            let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
            if queue.waiting.len() >= WAITING_MAX {
                return Err(MeterError::Unavailable(failed("too many debits wait already")));
            }
            queue.waiting.push(waiting);
            !std::mem::replace(&mut queue.served, true)
        };
        if serve {
            let meter = self.clone();
            #[expect(clippy::disallowed_methods, reason = "ends with the debits that wait for it, each of which is counted")]
            tokio::spawn(async move { meter.serve(shard, count).await });
        }
        // The sender goes without an answer only when the runtime ends, in the middle of a call perhaps.
        answered.await.unwrap_or_else(|_| Err(MeterError::Unknown(failed("the runtime has ended"))))
    }

    /// Sends what waits at a shard, group by group, until nothing does.
    async fn serve(&self, shard: Shard, count: ShardCount) {
        let Some(queue) = self.groups().queue(shard, count) else { return };
        let mut group = Vec::new();
        while next_group(queue, &mut group) {
            let (asks, answers): (Vec<Debit>, Vec<_>) =
                group.drain(..).filter(|it: &Waiting| !it.answer.is_closed()).map(|it| (it.ask, it.answer)).unzip();
            if asks.is_empty() {
                continue;
            }
            let outcomes = timeout(CALL_WAIT, self.debit_many(shard, &asks)).await;
            match outcomes.unwrap_or_else(|_| Err(MeterError::Unknown(failed("no answer in time")))) {
                // An error means that nobody waits any more: the asker undoes what it does not know.
                Ok(outcomes) => answers.into_iter().zip(outcomes).for_each(|(answer, outcome)| {
                    answer.send(Ok(outcome)).ok();
                }),
                Err(error) => answers.into_iter().for_each(|answer| {
                    answer.send(Err(error.clone())).ok();
                }),
            }
        }
    }
}

/// Takes the next group; without one, says that nobody serves the queue any more.
fn next_group(queue: &Mutex<Queue>, group: &mut Vec<Waiting>) -> bool {
    let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
    let most = queue.waiting.len().min(GROUP_MAX);
    group.extend(queue.waiting.drain(..most));
    queue.served = !group.is_empty();
    queue.served
}

fn failed(why: &'static str) -> RedisError {
    std::io::Error::other(why).into()
}
