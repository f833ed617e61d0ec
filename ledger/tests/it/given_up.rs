//! A batch that is given up in the middle: its connection never hands the next caller answers that were meant for somebody else.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use ledger::testing::Wire;
use ledger::{Ledger, PoolSettings};

use crate::actors::{op, settled};

/// Gives a future up when it still waits after it was polled `most` times.
async fn polled_at_most<F: Future>(most: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut polls = 0;
    poll_fn(|context| {
        polls += 1;
        match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if polls < most => Poll::Pending,
            Poll::Pending => Poll::Ready(None),
        }
    })
    .await
}

#[tokio::test]
async fn a_batch_that_is_given_up_at_any_moment_leaves_a_pool_of_one_connection_whole() {
    let (operator, account, lot, mut stream) = settled(1_000, 30).await;
    let one = PoolSettings { connections_max: 1, ..PoolSettings::default() };
    // What goes by way of this line is never there at once: each answer has to be waited for.
    let wire = Wire::to(&operator.db.url).await;
    let book = Ledger::open(&wire.url, one).unwrap();
    book.ping().await.unwrap();

    let mut given_up = 0;
    loop {
        let (most, debit) = (given_up + 1, op(given_up as u128));
        stream.debits(account, debit, &[(lot, 1)]);
        let batch = stream.batch();
        let last = batch.events.last().map(|event| event.id.sequence);
        let ended = polled_at_most(most, book.record(&batch)).await;
        if book.shard(stream.fence.shard).await.unwrap().applied_sequence != last {
            assert_eq!(book.record(&batch).await.unwrap().debits, 1, "given up after {most} polls");
        }
        (stream.from, stream.events) = (last, Vec::new());
        let entries = book.entries(account, None, 2).await.unwrap();
        assert_eq!(entries.first().and_then(|entry| entry.op), Some(debit), "given up after {most} polls");
        match ended {
            Some(recorded) => break assert_eq!(recorded.unwrap().debits, 1),
            None => given_up += 1,
        }
    }
    assert!(given_up > 10, "a batch waits for more than {given_up} answers");
    operator.finds_no_difference(&[account]).await;
}
