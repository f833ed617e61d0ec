//! Marks: what a lot held is found from the last one before a debit, whatever stands between, and is what all entries come to.

use metering::{AccountId, LotId, Status};

use crate::actors::{NOON, Operator, Stream, op, period_end, shard_of};

async fn scene() -> (Operator, AccountId, [LotId; 2], Stream) {
    let operator = Operator::arrives().await;
    let account = operator.account(Status::Active).await;
    let lots = [operator.grants(account, 30, 1).await, operator.grants(account, 500, 30).await];
    let mut stream = Stream::opens(&operator.db, shard_of(account)).await;
    stream.applies_pending(&operator.db, &[]).await;
    stream.drains(&operator.db).await;
    (operator, account, lots, stream)
}

/// What the lots of a debit held before and after it, by the account's receipt; the same as by all entries.
async fn held(operator: &Operator, account: AccountId, number: u128) -> Vec<(u64, u64)> {
    let book = &operator.db.ledger;
    let own = book.account_receipt(account, op(number)).await.unwrap().unwrap();
    let own: Vec<_> = own.lots.iter().map(|(lot, _)| *lot).collect();
    assert_eq!(own, book.receipts(op(number)).await.unwrap()[0].lots, "{number}");
    own.iter().map(|lot| (lot.before.get(), lot.after.get())).collect()
}

/// Makes the plain sum wrong before an event, so that only what stands on a later mark is still right.
async fn forgets_before(operator: &Operator, seq: u64) {
    let sql =
        format!("BEGIN; SET LOCAL session_replication_role = replica; DELETE FROM entries WHERE seq < {seq}; COMMIT");
    operator.db.run_script(&sql).await;
}

#[tokio::test]
async fn a_receipt_stands_on_the_last_mark_before_it() {
    let (operator, account, [soon, late], mut stream) = scene().await;
    for number in 1..=40_u8 {
        stream.debits(account, op(u128::from(number)), &[(if number <= 10 { soon } else { late }, 3)]);
        stream.drains(&operator.db).await;
        operator.db.ledger.mark_lots_every(&[account], 7).await.unwrap();
    }
    stream.gives_back(account, op(4), &[(soon, 3)], &[], period_end(NOON));
    stream.drains(&operator.db).await;
    let mut all = Vec::new();
    for number in 1..=40 {
        all.push(held(&operator, account, number).await);
    }
    assert_eq!(
        (&all[0], &all[9], &all[10], &all[39]),
        (&vec![(30, 27)], &vec![(3, 0)], &vec![(500, 497)], &vec![(413, 410)])
    );
    // The account and its grants were the events 1 to 3, so the debit n is n + 3; marks stand at 7, 14, … and what is before them is needed no more.
    forgets_before(&operator, 35).await;
    for (number, held) in (1..).zip(&all).skip(33) {
        let own = operator.db.ledger.account_receipt(account, op(number)).await.unwrap().unwrap();
        let (lot, _) = own.lots[0];
        assert_eq!(&[(lot.before.get(), lot.after.get())], &held[..], "{number}");
    }
}

#[tokio::test]
async fn a_mark_is_made_of_events_that_are_all_there() {
    let (operator, account, [_, late], mut stream) = scene().await;
    for round in 0..5_u8 {
        for number in 1..=10_u8 {
            stream.debits(account, op(u128::from(round * 10 + number)), &[(late, 2)]);
        }
        stream.drains(&operator.db).await;
        operator.db.ledger.mark_lots_every(&[account], 7).await.unwrap();
    }
    // Of 53 events: one made the account, two granted its lots.
    let marked = "SELECT string_agg(seq::text, ' ' ORDER BY seq) FROM account_marks";
    assert_eq!(operator.db.text(marked).await, "7 14 21 28 35 42 49");
    for number in 1..=50 {
        let before = 500 - u64::try_from(number - 1).unwrap() * 2;
        assert_eq!(held(&operator, account, number).await, [(before, before - 2)], "{number}");
    }
}

#[tokio::test]
async fn what_an_install_settled_is_in_the_mark_whenever_it_says_that_it_was() {
    let (operator, account, [_, late], mut stream) = scene().await;
    let book = &operator.db.ledger;
    stream.debits(account, op(1), &[(late, 10)]);
    stream.drains(&operator.db).await;
    book.reduce_lot(late, crate::actors::credits(90), &crate::actors::by(NOON)).await.unwrap();
    // Its clock is an hour ahead of the shard's.
    stream.begins_anew(&operator.db).await;
    let images = book.prepare_install(stream.fence, None, 100, &[], NOON.plus_ms(3_600_000)).await.unwrap();
    let image = images.iter().find(|image| image.account == account).unwrap();
    stream.seqs.insert(account, image.seq);
    for number in 2..=20 {
        stream.debits(account, op(number), &[(late, 10)]);
    }
    stream.drains(&operator.db).await;
    let first = async |number| {
        let own = book.account_receipt(account, op(number)).await.unwrap().unwrap();
        own.lots[0].0.before.get()
    };
    for every in [1_000, 4, 1] {
        book.mark_lots_every(&[account], every).await.unwrap();
        assert_eq!((first(1).await, first(2).await, first(20).await), (500, 400, 220), "marked at each {every}");
    }
}
