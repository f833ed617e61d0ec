//! A low balance is told once, whoever looks and however often.

use futures::future::join_all;
use ledger::Grant;
use ledger::mails::{Ended, EventKind, Fact, MailFilter, MailKind, MailState, NoticeSettings, Rearm};
use serde_json::json;

use super::Payer;
use crate::actors::{DAY, NOON, Operator, by, credits};

#[tokio::test]
async fn one_mail_at_a_fifth_or_below_and_none_above() {
    let operator = Operator::arrives().await;
    let ada = Payer::arrives(&operator, Some("ada@example.com")).await;
    ada.has(21).await;
    assert_eq!(ada.looks(NOON).await, 0, "21 of 100 is above a fifth");
    ada.has(20).await;
    assert_eq!(ada.looks(NOON).await, 1, "20 of 100 is a fifth");
    let mail = ada.mail().await;
    assert_eq!(
        (mail.kind, mail.state, mail.address.as_deref()),
        (MailKind::LowBalance, MailState::Queued, Some("ada@example.com"))
    );
    let ahead = json!([{ "expires_at": NOON.plus_ms(30 * DAY), "remaining": 20 }]);
    let detail = json!({ "remaining": 20, "original": 100, "percent": 20, "as_of": NOON, "ahead": ahead });
    assert_eq!(mail.detail, detail);
}

#[tokio::test]
async fn a_balance_that_hovers_at_the_threshold_for_a_day_is_told_once() {
    let operator = Operator::arrives().await;
    let ada = Payer::arrives(&operator, Some("ada@example.com")).await;
    for minute in 0..1_440_u64 {
        if minute % 48 == 0 {
            ada.has(18 + minute / 48 % 5).await;
        }
        ada.looks(NOON.plus_ms(minute * 60_000)).await;
    }
    assert_eq!(ada.mails().await.len(), 1);
}

#[tokio::test]
async fn many_who_look_at_once_queue_one() {
    let operator = Operator::arrives().await;
    let ada = Payer::arrives(&operator, Some("ada@example.com")).await;
    ada.has(3).await;
    let looks = (0..16).map(|_| ada.looks(NOON));
    let queued: u64 = join_all(looks).await.into_iter().sum();
    assert_eq!((queued, ada.mails().await.len()), (1, 1));
}

#[tokio::test]
async fn only_lots_that_can_be_drawn_at_that_instant_count() {
    let operator = Operator::arrives().await;
    let ada = Payer::arrives(&operator, Some("ada@example.com")).await;
    let later = |granted, expires| Grant {
        credits: credits(1_000),
        product: "later".to_owned(),
        granted_at: NOON.plus_ms(granted),
        expires_at: NOON.plus_ms(expires),
        source: None,
    };
    ada.book().grant_lot(ada.account, &later(DAY, 3 * DAY), &by(NOON)).await.unwrap();
    assert_eq!(ada.looks(NOON).await, 0, "100 of 100: the other lot has not begun");
    ada.has(20).await;
    assert_eq!(ada.looks(NOON.plus_ms(DAY)).await, 0, "1020 of 1100");
    assert_eq!(ada.looks(NOON.plus_ms(2 * DAY)).await, 0);
    assert_eq!(ada.looks(NOON.plus_ms(3 * DAY - 1)).await, 0);
    assert_eq!(ada.looks(NOON.plus_ms(3 * DAY)).await, 1, "20 of 100: at its expiry the other lot counts no more");
}

#[tokio::test]
async fn an_account_without_credits_that_could_be_drawn_is_not_low() {
    let operator = Operator::arrives().await;
    let ada = Payer::arrives(&operator, Some("ada@example.com")).await;
    ada.has(0).await;
    assert_eq!(ada.looks(NOON.plus_ms(30 * DAY)).await, 0, "all of its lots have expired");
    assert_eq!(ada.looks(NOON.plus_ms(30 * DAY - 1)).await, 1, "nothing is left of one that has not");
}

#[tokio::test]
async fn sums_beyond_what_a_column_holds_are_exact() {
    let operator = Operator::arrives().await;
    let ada = Payer::arrives(&operator, Some("ada@example.com")).await;
    let most = (1_u64 << 53) - 1;
    operator.db.execute("UPDATE lots SET original = 9007199254740991").await.unwrap();
    let sql = "INSERT INTO lots (account_id, shard, product, original, remaining, granted_at, expires_at, control_version) \
               SELECT account_id, shard, product, original, 0, granted_at, expires_at, control_version FROM lots, generate_series(1, 999)";
    operator.db.execute(sql).await.unwrap();
    ada.has(most).await;
    assert_eq!(ada.looks(NOON).await, 1, "a thousandth is left of 2^63");
    assert_eq!(ada.mail().await.detail["original"], most * 1_000);
}

#[tokio::test]
async fn a_notice_that_was_off_at_the_threshold_is_not_the_one() {
    let operator = Operator::arrives().await;
    let ada = Payer::arrives(&operator, Some("ada@example.com")).await;
    let off = NoticeSettings { low_balance: false, ..NoticeSettings::default() };
    ada.book().set_notice_settings(ada.account, &off, None, &by(NOON)).await.unwrap();
    ada.has(10).await;
    assert_eq!(ada.looks(NOON).await, 1, "it is queued all the same, so that the worker can say why it is not sent");
    is_held(&ada, "settings_off").await;
    assert_eq!(ada.looks(NOON.plus_ms(1)).await, 0, "while it is off nothing is queued again");
    ada.has(50).await;
    let on = NoticeSettings { low_balance: true, ..off.clone() };
    ada.book().set_notice_settings(ada.account, &on, None, &by(NOON)).await.unwrap();
    assert_eq!(ada.mail().await.state, MailState::HeldBack, "the balance is not low by now");
    ada.has(7).await;
    assert_eq!(ada.looks(NOON.plus_ms(2)).await, 1);
    let mail = ada.mail().await;
    assert_eq!((mail.state, &mail.detail["remaining"]), (MailState::Queued, &json!(7)), "with the numbers of now");
    let what: Vec<EventKind> = mail.evidence.iter().map(|event| event.what).collect();
    assert_eq!(what, [EventKind::Queued, EventKind::HeldBack, EventKind::Queued]);
    assert_eq!(mail.evidence[2].code.as_deref(), Some("reason_gone"));
}

#[tokio::test]
async fn turning_it_on_while_the_balance_is_low_queues_the_one() {
    let operator = Operator::arrives().await;
    let ada = Payer::arrives(&operator, None).await;
    ada.has(10).await;
    ada.looks(NOON).await;
    is_held(&ada, "no_address").await;
    assert_eq!(ada.looks(NOON).await, 0, "there is no address still");
    let told = NoticeSettings { recipients: vec!["team@example.com".to_owned()], ..NoticeSettings::default() };
    ada.book().set_notice_settings(ada.account, &told, None, &by(NOON)).await.unwrap();
    assert_eq!(ada.mail().await.state, MailState::Queued);
    let sent = ada.is_sent(&["team@example.com"], NOON).await;
    let off = NoticeSettings { low_balance: false, ..told.clone() };
    for settings in [&off, &told] {
        ada.book().set_notice_settings(ada.account, settings, None, &by(NOON)).await.unwrap();
    }
    let mail = ada.mail().await;
    assert_eq!((mail.mail, mail.state), (sent, MailState::Sent), "what was sent is the one, whatever is turned");
}

#[tokio::test]
async fn an_installation_that_is_switched_on_tells_those_who_are_low_by_then() {
    let operator = Operator::arrives().await;
    let (ada, eve) = (Payer::arrives(&operator, Some("a@b")).await, Payer::arrives(&operator, Some("e@b")).await);
    for payer in [&ada, &eve] {
        payer.has(10).await;
        payer.looks(NOON).await;
        is_held(payer, "switched_off").await;
        assert_eq!(payer.looks(NOON).await, 0);
    }
    eve.has(90).await;
    assert_eq!(ada.book().low_balance_switched_on(NOON).await.unwrap(), 1);
    assert_eq!((ada.mail().await.state, eve.mail().await.state), (MailState::Queued, MailState::HeldBack));
    eve.has(5).await;
    assert_eq!((eve.looks(NOON).await, eve.mail().await.state), (1, MailState::Queued));
}

async fn is_held(payer: &Payer<'_>, reason: &str) {
    let claimed = payer.claims(NOON).await.unwrap();
    let ended = Ended::HeldBack { reason: reason.to_owned() };
    let facts = [Fact::new(EventKind::HeldBack, reason, "in words")];
    assert!(payer.book().end_turn(claimed.turn, &ended, &facts, NOON).await.unwrap());
}

#[tokio::test]
async fn where_it_is_allowed_another_one_follows_once_the_balance_has_risen_and_the_pause_is_over() {
    let operator = Operator::arrives().await;
    let ada = Payer::arrives(&operator, Some("ada@example.com")).await;
    let rearm = Some(Rearm { above_percent: 50, pause_ms: DAY });
    let looks = async |remaining, days: u64| {
        ada.has(remaining).await;
        ada.book().queue_low_balance_mails(&[ada.account], NOON.plus_ms(days * DAY), rearm).await.unwrap()
    };
    assert_eq!(looks(20, 0).await, 1);
    ada.is_sent(&["ada@example.com"], NOON).await;
    assert_eq!(looks(49, 2).await + looks(20, 3).await, 0, "it has not risen enough");
    assert_eq!(looks(51, 0).await + looks(20, 0).await, 0, "it has risen, and the pause is not over");
    assert_eq!(looks(20, 1).await, 1, "now it is");
    assert_eq!(looks(20, 9).await, 0, "it has not risen since");
    let filter = MailFilter { account: Some(ada.account), limit: 9, ..MailFilter::default() };
    assert_eq!(ada.book().mails(&filter).await.unwrap().len(), 2);
    let keys = "SELECT string_agg(replace(dedupe_key, replace(account_id::text, '-', ''), 'ada'), ' ' ORDER BY mail_id) FROM mails";
    assert_eq!(operator.db.text(keys).await, "low_balance:ada:20 low_balance:ada:20:1");
}

#[tokio::test]
async fn a_grant_that_is_drawn_at_once_counts_as_a_rise() {
    let operator = Operator::arrives().await;
    let ada = Payer::is_told(&operator, Some("ada@example.com")).await;
    ada.is_sent(&["ada@example.com"], NOON).await;
    let (rearm, at) = (Some(Rearm { above_percent: 50, pause_ms: 0 }), NOON.plus_ms(DAY));
    let grant = |count| Grant {
        credits: credits(count),
        product: "pack".to_owned(),
        granted_at: at,
        expires_at: at.plus_ms(DAY),
        source: None,
    };
    for (granted, queued) in [(90, 0), (300, 1)] {
        ada.book().grant_lot(ada.account, &grant(granted), &by(at)).await.unwrap();
        operator.db.execute("UPDATE lots SET remaining = 0").await.unwrap();
        assert_eq!(ada.book().queue_low_balance_mails(&[ada.account], at, rearm).await.unwrap(), queued, "{granted}");
    }
}
