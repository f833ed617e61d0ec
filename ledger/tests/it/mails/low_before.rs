//! Who was low before anybody looked at low balances is not told of it; who draws from then on, or falls again, is.

use ledger::mails::{EventKind, MailState};
use metering::{AccountId, LotId};

use super::Payer;
use crate::actors::{DAY, NOON, Operator, Stream, op, shard_of};

const MIGRATION: &str = include_str!("../../../migrations/0029_low_before.sql");

/// The migration runs on a book with these accounts, at this noon.
async fn is_deployed(operator: &Operator) {
    operator.db.run_script(&MIGRATION.replace("now()", &format!("to_timestamp({})", NOON.as_u64() / 1_000))).await;
}

/// Live state of the shard, with the account's lot.
async fn opens(operator: &Operator, account: AccountId) -> Stream {
    let mut stream = Stream::opens(&operator.db, shard_of(account)).await;
    stream.applies_pending(&operator.db, &[]).await;
    stream
}

/// Mails queued by counting what has been drained.
async fn counts(operator: &Operator, stream: &mut Stream) -> u64 {
    stream.drains(&operator.db).await;
    operator.db.ledger.count_usage(stream.fence.shard, 100, NOON.plus_ms(60_000), None).await.unwrap().mails
}

fn draws(stream: &mut Stream, account: AccountId, number: u128, lot: LotId) {
    stream.debits(account, op(number), &[(lot, 1)]);
}

#[tokio::test]
async fn the_first_look_tells_nobody_who_was_low_already_and_says_why() {
    let operator = Operator::arrives().await;
    let ada = Payer::arrives(&operator, Some("ada@example.com")).await;
    let eve = Payer::arrives(&operator, Some("eve@example.com")).await;
    ada.has(9).await;
    is_deployed(&operator).await;
    for at in [NOON, NOON.plus_ms(DAY)] {
        assert_eq!((ada.looks(at).await, eve.looks(at).await), (0, 0));
    }
    let mail = ada.mail().await;
    assert_eq!((mail.state, mail.held_reason.as_deref()), (MailState::HeldBack, Some("low_before")));
    assert_eq!(mail.address.as_deref(), Some("ada@example.com"));
    assert_eq!(ada.story().await.1, [EventKind::Queued, EventKind::HeldBack]);
    assert_eq!(eve.mails().await.len(), 0, "who has enough has no mail");
    eve.has(20).await;
    assert_eq!(eve.looks(NOON.plus_ms(DAY)).await, 1, "who falls from then on is told as ever");
}

#[tokio::test]
async fn who_was_low_is_told_once_after_a_draw_of_since_and_not_after_one_of_before() {
    let operator = Operator::arrives().await;
    let ada = Payer::arrives(&operator, Some("ada@example.com")).await;
    ada.has(9).await;
    is_deployed(&operator).await;
    let mut stream = opens(&operator, ada.account).await;
    stream.at = NOON.minus_ms(DAY);
    draws(&mut stream, ada.account, 1, ada.lot);
    assert_eq!(counts(&operator, &mut stream).await, 0, "that was drawn before, and is counted only now");
    assert_eq!(ada.mail().await.held_reason.as_deref(), Some("low_before"));
    stream.at = NOON.plus_ms(1);
    draws(&mut stream, ada.account, 2, ada.lot);
    assert_eq!(counts(&operator, &mut stream).await, 1);
    let mail = ada.mail().await;
    assert_eq!((mail.state, &mail.detail["remaining"]), (MailState::Queued, &7.into()), "with the numbers of now");
    ada.is_sent(&["ada@example.com"], NOON.plus_ms(60_000)).await;
    draws(&mut stream, ada.account, 3, ada.lot);
    assert_eq!(counts(&operator, &mut stream).await, 0, "once");
}

#[tokio::test]
async fn who_was_low_and_has_risen_is_told_of_the_next_fall() {
    let operator = Operator::arrives().await;
    let ada = Payer::arrives(&operator, Some("ada@example.com")).await;
    ada.has(9).await;
    is_deployed(&operator).await;
    ada.has(90).await;
    assert_eq!(ada.looks(NOON.plus_ms(1)).await, 0);
    assert_eq!(ada.mail().await.held_reason.as_deref(), Some("low_before_over"));
    ada.has(9).await;
    assert_eq!(ada.looks(NOON.plus_ms(2)).await, 1);
    assert_eq!(ada.mail().await.state, MailState::Queued);
}
