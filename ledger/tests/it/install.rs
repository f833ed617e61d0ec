//! Installs: the book's picture of accounts, with what was on its way settled once.

use ledger::Outgoing;
use metering::{AccountId, Body, Change, LotId, Shard, ShardKind, Status};

use crate::actors::{DAY, NOON, Operator, Stream, by, credits, op, period_end, shard_of};

async fn settled() -> (Operator, AccountId, LotId, Stream) {
    let operator = Operator::arrives().await;
    let account = operator.account(Status::Active).await;
    let lot = operator.grants(account, 100, 30).await;
    let mut stream = Stream::opens(&operator.db, shard_of(account)).await;
    stream.applies_pending(&operator.db, &[]).await;
    stream.drains(&operator.db).await;
    (operator, account, lot, stream)
}

impl Stream {
    /// Live state was written from the book.
    pub fn is_installed(&mut self, account: AccountId, seq: u64, control_version: u64) {
        self.push(Body::Installed { account, seq, control_version });
    }
}

#[tokio::test]
async fn an_image_holds_everything_at_its_version_and_its_event_delivers_all_of_it() {
    let operator = Operator::arrives().await;
    let account = operator.account(Status::Active).await;
    let (early, late) = (operator.grants(account, 5, 3).await, operator.grants(account, 7, 30).await);
    let (_, key) = operator.issues(account, "ci", 1).await;
    operator.db.ledger.revoke_key(key, &by(NOON)).await.unwrap();
    operator.db.ledger.set_budget(account, credits(40), &by(NOON)).await.unwrap();
    let mut stream = Stream::opens(&operator.db, shard_of(account)).await;

    let image = operator.db.ledger.prepare_install_one(stream.fence, account, NOON).await.unwrap().unwrap();
    assert_eq!((image.seq, image.control_version, image.status), (0, 5, Status::Active));
    assert_eq!((image.budget_limit.get(), image.budget_used.get(), image.budget_period_end.as_u64()), (40, 0, 0));
    assert_eq!(
        image.lots.iter().map(|lot| (lot.lot, lot.remaining.get())).collect::<Vec<_>>(),
        [(early, 5), (late, 7)]
    );
    assert_eq!((image.revoked_keys, image.open_undos), (vec![key], vec![]));
    let highest = operator.db.number("SELECT max(row_id) FROM outbox WHERE shard_kind = 'accounts'").await;
    assert_eq!(i64::try_from(image.control_row).unwrap(), highest);

    stream.is_installed(account, 0, 5);
    operator.db.ledger.set_budget(account, credits(80), &by(NOON)).await.unwrap();
    assert_eq!(stream.drains(&operator.db).await.delivered, 5);
    assert_eq!(operator.sees(account).await.undelivered, 1, "the budget came after the picture");
    operator.finds_no_difference(&[account]).await;
}

#[tokio::test]
async fn an_install_of_a_book_that_has_moved_on_is_a_gap() {
    let (operator, account, lot, mut stream) = settled().await;
    stream.debits(account, op(1), &[(lot, 1)]);
    stream.is_installed(account, 2, 2);
    assert_eq!(stream.tries_to_drain(&operator.db).await.unwrap_err().code(), "event_gap");
}

#[tokio::test]
async fn reductions_on_their_way_are_settled_once_with_what_is_there() {
    let (operator, account, lot, mut stream) = settled().await;
    let short = operator.grants(account, 10, 1).await;
    let now = NOON.plus_ms(2 * DAY);
    operator.db.ledger.reduce_lot(lot, credits(30), &by(NOON)).await.unwrap();
    operator.db.ledger.reduce_lot(lot, credits(500), &by(NOON)).await.unwrap();
    operator.db.ledger.expire_due(stream.fence, now, 0, 10).await.unwrap();
    stream.begins_anew(&operator.db).await;

    let image = operator.db.ledger.prepare_install(stream.fence, None, 10, &[], now).await.unwrap().remove(0);
    assert_eq!(image.lots.iter().map(|lot| (lot.lot, lot.remaining.get())).collect::<Vec<_>>(), [(lot, 0)]);
    assert_eq!((operator.remaining(lot).await, operator.remaining(short).await), (0, 0));
    assert_eq!(operator.entry_kinds(account).await, ["grant", "grant", "claw_back", "claw_back", "expire"]);
    let again = operator.db.ledger.prepare_install(stream.fence, None, 10, &[], now).await.unwrap().remove(0);
    assert_eq!(again, image, "asked again, nothing is taken again");
    assert_eq!(operator.entry_kinds(account).await.len(), 5);

    stream.is_installed(account, image.seq, image.control_version);
    assert_eq!(stream.drains(&operator.db).await.delivered, 4, "the short lot's grant, two reductions, its expiry");
    operator.finds_no_difference(&[account]).await;
}

#[tokio::test]
async fn a_settled_row_whose_event_still_comes_is_delivered_and_not_applied_again() {
    let (operator, account, lot, mut stream) = settled().await;
    operator.db.ledger.reduce_lot(lot, credits(30), &by(NOON)).await.unwrap();
    operator.db.ledger.prepare_install_one(stream.fence, account, NOON).await.unwrap().unwrap();
    assert_eq!(operator.remaining(lot).await, 70);
    stream.applies_pending(&operator.db, &[(lot, 30)]).await; // the install never reached Redis; a successor sends the row
    assert_eq!(stream.drains(&operator.db).await.delivered, 1);
    assert_eq!(operator.remaining(lot).await, 70);
    assert_eq!(operator.entry_kinds(account).await, ["grant", "claw_back"]);
    operator.finds_no_difference(&[account]).await;
}

#[tokio::test]
async fn an_undo_on_its_way_is_settled_into_lots_that_live_and_lapses_in_others() {
    let (operator, account, lot, mut stream) = settled().await;
    let short = operator.grants(account, 10, 1).await;
    stream.applies_pending(&operator.db, &[]).await;
    stream.debits(account, op(1), &[(short, 10), (lot, 5)]);
    stream.is_asked_to_undo(account, op(1), NOON.plus_ms(2_000));
    stream.drains(&operator.db).await;
    assert_eq!(operator.sees(account).await.budget.used.get(), 15);
    stream.begins_anew(&operator.db).await;

    let now = NOON.plus_ms(2 * DAY);
    let image = operator.db.ledger.prepare_install_one(stream.fence, account, now).await.unwrap().unwrap();
    assert_eq!((image.budget_used.get(), image.budget_period_end), (0, period_end(NOON)));
    assert_eq!(image.lots.iter().map(|lot| (lot.lot, lot.remaining.get())).collect::<Vec<_>>(), [(lot, 100)]);
    assert!(image.open_undos.is_empty());
    let entry = operator.db.ledger.entries(account, None, 1).await.unwrap().remove(0);
    assert_eq!((entry.kind.as_str(), entry.credits, entry.lapsed.get(), entry.event), ("give_back", 5, 10, None));
    operator.finds_no_difference(&[account]).await;
}

#[tokio::test]
async fn a_duplicate_on_its_way_back_is_settled_too() {
    let (operator, account, lot, mut stream) = settled().await;
    stream.debits(account, op(1), &[(lot, 5)]);
    stream.debits(account, op(1), &[(lot, 5)]);
    stream.drains(&operator.db).await;
    let image = operator.db.ledger.prepare_install_one(stream.fence, account, NOON).await.unwrap().unwrap();
    assert_eq!((image.lots[0].remaining.get(), image.budget_used.get()), (95, 5));
    assert_eq!(operator.entry_kinds(account).await, ["grant", "debit", "debit_duplicate", "duplicate_return"]);
    operator.finds_no_difference(&[account]).await;
}

#[tokio::test]
async fn a_shard_is_read_page_by_page_and_other_shards_are_left_alone() {
    let operator = Operator::arrives().await;
    let shard = Shard { kind: ShardKind::Accounts, number: 1 };
    let mut accounts = Vec::new();
    for _ in 0..5 {
        accounts.push(operator.account_in(shard).await);
    }
    accounts.sort();
    let stream = Stream::opens(&operator.db, shard).await;
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = operator.db.ledger.prepare_install(stream.fence, after, 2, &[], NOON).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.account);
        seen.extend(page.into_iter().map(|image| image.account));
    }
    assert_eq!(seen, accounts);
    assert_eq!(operator.db.ledger.count_of_shard(shard).await.unwrap(), 5);
    let elsewhere = operator.account_in(Shard { number: 2, ..shard }).await;
    assert_eq!(operator.db.ledger.prepare_install_one(stream.fence, elsewhere, NOON).await.unwrap(), None);
}

#[tokio::test]
async fn a_change_while_an_image_is_read_waits_and_stays_on_its_way() {
    let (operator, account, _, mut stream) = settled().await;
    let ledger = &operator.db.ledger;
    for _ in 0..20 {
        let (image, lot) = tokio::join!(
            ledger.prepare_install_one(stream.fence, account, NOON),
            operator.tries_to_grant(account, 1, 9)
        );
        let (image, lot) = (image.unwrap().unwrap(), lot.unwrap());
        let pending = ledger.pending(stream.fence.shard, 0, 100).await.unwrap();
        let version = pending.iter().find_map(|row| match &row.what {
            Outgoing::Change { version, change: Change::LotGranted { lot: granted, .. } } if *granted == lot => {
                Some(*version)
            }
            _ => None,
        });
        let in_image = image.lots.iter().any(|image| image.lot == lot);
        assert_eq!(
            in_image,
            version.unwrap() <= image.control_version,
            "a lot is in the image exactly when its version is"
        );
    }
    stream.applies_pending(&operator.db, &[]).await;
    stream.drains(&operator.db).await;
    operator.finds_no_difference(&[account]).await;
}
