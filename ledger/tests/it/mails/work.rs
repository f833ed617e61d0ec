//! The sender's side: nobody hands a mail over that is somebody else's by now, and what may have arrived is not sent again.

use futures::future::join_all;
use ledger::mails::{Ended, EventKind, Fact, Handover, MailFilter, MailState};

use super::{HOUR, Payer};
use crate::actors::{NOON, Operator, by};

#[tokio::test]
async fn a_mail_is_one_workers_until_its_lease_is_over() {
    let operator = Operator::arrives().await;
    let ada = Payer::is_told(&operator, Some("ada@example.com")).await;
    let first = ada.claims(NOON).await.unwrap();
    assert_eq!((first.attempts, first.account_name.as_str(), first.settings.version), (1, "Ada", 0));
    assert!(ada.claims(NOON.plus_ms(59_999)).await.is_none());
    let second = ada.claims(NOON.plus_ms(60_000)).await.unwrap();
    assert_eq!((second.attempts, &second.message_id), (2, &first.message_id));
    let at = NOON.plus_ms(60_001);
    assert_eq!(ada.hands_over(&first, &["ada@example.com"], at).await, Handover::Lost, "the second has it");
    ada.begins(&second, &["ada@example.com"], at).await;
    assert_eq!(ada.hands_over(&second, &["ada@example.com"], at).await, Handover::Lost, "it has been begun");
    let late = Ended::PutOff { until: at };
    assert!(
        !ada.book().end_turn(first.turn, &late, &[Fact::new(EventKind::PutOff, "late", "late")], at).await.unwrap()
    );
    assert_eq!(ada.mail().await.state, MailState::Sending);
}

#[tokio::test]
async fn a_worker_that_dies_in_the_window_leaves_unknown_and_nobody_sends_it_again() {
    let operator = Operator::arrives().await;
    let ada = Payer::is_told(&operator, Some("ada@example.com")).await;
    let claimed = ada.claims(NOON).await.unwrap();
    ada.begins(&claimed, &["ada@example.com"], NOON).await;
    assert_eq!(ada.book().lapse_handovers(10, NOON.plus_ms(59_999)).await.unwrap(), [0; 0]);
    let after = NOON.plus_ms(60_000);
    assert!(ada.claims(after).await.is_none());
    assert_eq!(ada.book().lapse_handovers(10, after).await.unwrap(), [claimed.turn.mail]);
    assert_eq!(ada.book().lapse_handovers(10, after).await.unwrap(), [0; 0]);
    assert!(ada.claims(NOON.plus_ms(HOUR)).await.is_none());
    assert_eq!(ada.story().await, (MailState::Unknown, vec![EventKind::Queued, EventKind::Unknown]));
    let (ended, fact) = (Ended::Sent { provider_id: None }, Fact::new(EventKind::Sent, "accepted", "250 Ok"));
    assert!(ada.book().end_turn(claimed.turn, &ended, &[fact], after).await.unwrap());
    assert_eq!(ada.mail().await.state, MailState::Sent, "it lived after all, and knows");
}

#[tokio::test]
async fn an_operator_sends_again_what_is_unknown_under_the_same_message_id() {
    let operator = Operator::arrives().await;
    let ada = Payer::is_told(&operator, Some("ada@example.com")).await;
    let first = ada.claims(NOON).await.unwrap();
    let refused = ada.book().resend_mail(first.turn.mail, &by(NOON)).await.unwrap_err();
    assert_eq!(refused.code(), "mail_under_way");
    ada.begins(&first, &["ada@example.com"], NOON).await;
    assert_eq!(ada.book().resend_mail(first.turn.mail, &by(NOON)).await.unwrap_err().code(), "mail_under_way");
    ada.book().lapse_handovers(10, NOON.plus_ms(60_000)).await.unwrap();
    ada.book().resend_mail(first.turn.mail, &by(NOON.plus_ms(HOUR))).await.unwrap();
    let second = ada.claims(NOON.plus_ms(HOUR)).await.unwrap();
    assert_eq!((second.attempts, &second.message_id), (1, &first.message_id));
    let resent = &ada.mail().await.evidence[2];
    assert_eq!(
        (resent.what, resent.actor.as_deref(), resent.detail.as_deref()),
        (EventKind::Resent, Some("olga"), Some("a test"))
    );
    let audit = "SELECT concat(actor, ' ', subject, ' ', before->>'state', '>', after->>'state') FROM audit WHERE action = 'mail_resent'";
    assert_eq!(operator.db.text(audit).await, format!("olga mail {} unknown>queued", first.turn.mail));
    assert_eq!(ada.book().resend_mail(99, &by(NOON)).await.unwrap_err().code(), "mail_not_found");
}

#[tokio::test]
async fn what_was_surely_not_taken_is_tried_again_and_does_not_count_for_the_rate() {
    let operator = Operator::arrives().await;
    let ada = Payer::is_told(&operator, Some("ada@example.com")).await;
    for (number, what) in ["421 busy", "451 grey", "450 full"].into_iter().enumerate() {
        let at = NOON.plus_ms(u64::try_from(number).unwrap() * 60_000);
        let claimed = ada.claims(at).await.unwrap();
        ada.begins(&claimed, &["ada@example.com"], at).await;
        let until = at.plus_ms(30_000);
        let fact = Fact::new(EventKind::PutOff, "server_busy", what);
        assert!(ada.book().end_turn(claimed.turn, &Ended::PutOff { until }, &[fact], at).await.unwrap());
        let mail = ada.mail().await;
        assert_eq!(
            (mail.state, mail.next_try_at, mail.last_error.as_deref()),
            (MailState::Queued, Some(until), Some(what))
        );
    }
    assert_eq!(ada.book().mail_room(ada.account, 1, NOON.plus_ms(180_000)).await.unwrap(), None);
    ada.is_sent(&["ada@example.com"], NOON.plus_ms(180_000)).await;
    let mail = ada.mail().await;
    assert_eq!((mail.state, mail.attempts, mail.last_error), (MailState::Sent, 4, None));
}

#[tokio::test]
async fn an_accounts_rate_is_of_the_last_hour_and_two_workers_do_not_both_take_its_last_place() {
    let operator = Operator::arrives().await;
    let ada = Payer::is_told(&operator, Some("ada@example.com")).await;
    let copies = "INSERT INTO mails (account_id, address, kind, detail, dedupe_key, queued_at) \
                  SELECT account_id, address, kind, detail, 'copy' || number, queued_at FROM mails, generate_series(1, 9) AS number";
    operator.db.execute(copies).await.unwrap();
    let claimed = ada.book().claim_mails(10, super::LEASE, NOON).await.unwrap();
    assert_eq!(claimed.len(), 10);
    let (mut begun, mut later) = (0, 0);
    let mut waiting = Vec::new();
    for mail in &claimed {
        waiting.push(ada.hands_over(mail, &["ada@example.com"], NOON));
    }
    for handover in join_all(waiting).await {
        match handover {
            Handover::Begun => begun += 1,
            Handover::NotBefore(at) => {
                assert_eq!(at, NOON.plus_ms(HOUR));
                later += 1;
            }
            Handover::Lost => panic!("nobody else has it"),
        }
    }
    assert_eq!((begun, later), (3, 7));
    assert_eq!(ada.book().mail_room(ada.account, 3, NOON.plus_ms(HOUR - 1)).await.unwrap(), Some(NOON.plus_ms(HOUR)));
    assert_eq!(ada.book().mail_room(ada.account, 3, NOON.plus_ms(HOUR)).await.unwrap(), None);
    let backlog = ada.book().mail_backlog().await.unwrap();
    assert_eq!((backlog.queued, backlog.sending, backlog.unknown, backlog.failed), (7, 3, 0, 0));
    assert!(backlog.queued_age_ms > 0, "by the clock of Postgres");
}

#[tokio::test]
async fn a_mail_that_waits_for_its_accounts_rate_has_not_been_tried() {
    let operator = Operator::arrives().await;
    let ada = Payer::is_told(&operator, Some("ada@example.com")).await;
    let claimed = ada.claims(NOON).await.unwrap();
    ada.book().let_mail_wait(claimed.turn, NOON.plus_ms(HOUR), "rate").await.unwrap();
    assert!(ada.claims(NOON.plus_ms(HOUR - 1)).await.is_none());
    let mail = ada.mail().await;
    assert_eq!((mail.attempts, mail.next_try_at, mail.evidence.len()), (0, Some(NOON.plus_ms(HOUR)), 1));
    assert_eq!(ada.claims(NOON.plus_ms(HOUR)).await.unwrap().attempts, 1);
}

#[tokio::test]
async fn an_address_that_the_server_does_not_know_is_on_the_list_from_then_on() {
    let operator = Operator::arrives().await;
    let ada = Payer::is_told(&operator, Some("gone@example.com")).await;
    let claimed = ada.claims(NOON).await.unwrap();
    let fact = Fact::no_such_address("gone@example.com", "550 5.1.1 no such user");
    assert!(ada.book().end_turn(claimed.turn, &Ended::Bounced, &[fact], NOON).await.unwrap());
    assert_eq!(ada.story().await, (MailState::Bounced, vec![EventKind::Queued, EventKind::Bounced]));
    let list = ada.book().suppressions(None, 9).await.unwrap();
    assert_eq!(
        (list[0].address.as_str(), list[0].actor.as_str(), list[0].mail),
        ("gone@example.com", "mail server", Some(claimed.turn.mail))
    );
}

#[tokio::test]
async fn mails_are_listed_latest_first_page_by_page_and_by_state() {
    let operator = Operator::arrives().await;
    let (ada, eve) = (Payer::is_told(&operator, Some("a@b")).await, Payer::is_told(&operator, None).await);
    let list = async |account, states: &[MailState], after, limit| {
        let filter = MailFilter { account, states: states.to_vec(), after, limit };
        ada.book().mails(&filter).await.unwrap().into_iter().map(|mail| mail.mail).collect::<Vec<_>>()
    };
    let (first, second) = (ada.mail().await.mail, eve.mail().await.mail);
    assert_eq!(list(None, &[], None, 9).await, [second, first]);
    assert_eq!(list(None, &[], None, 1).await, [second]);
    assert_eq!(list(None, &[], Some(second), 9).await, [first]);
    assert_eq!(list(Some(ada.account), &[], None, 9).await, [first]);
    assert_eq!(list(None, &[MailState::Queued, MailState::Failed], None, 9).await, [second, first]);
    assert_eq!(list(None, &[MailState::Failed], None, 9).await, [0; 0]);
    assert_eq!(ada.book().mail(first).await.unwrap(), ada.mail().await);
    assert_eq!(ada.book().mail(77).await.unwrap_err().code(), "mail_not_found");
}

#[tokio::test]
async fn evidence_is_never_changed() {
    let operator = Operator::arrives().await;
    let ada = Payer::is_told(&operator, Some("a@b")).await;
    for sql in ["UPDATE mail_events SET what = 'sent'", "DELETE FROM mail_events", "TRUNCATE mail_events"] {
        let refused = operator.db.execute(sql).await.unwrap_err().to_string();
        assert!(refused.contains("append-only"), "{refused}");
    }
    assert_eq!(ada.mail().await.evidence.len(), 1);
}
