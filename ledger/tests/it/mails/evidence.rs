//! What providers say: once, in any order, and never about somebody else's mails.

use ledger::mails::{Ended, EventKind, Fact, MailReport, MailState, Reported, SuppressionReason};

use super::Payer;
use crate::actors::{NOON, Operator, by};

use EventKind::{Bounced, Complained, Delayed, Delivered};

fn report(event: &str, message: &str, what: EventKind, address: &str) -> MailReport {
    MailReport {
        provider: "generic".to_owned(),
        event: event.to_owned(),
        messages: vec![message.to_owned()],
        what,
        address: Some(address.to_owned()),
        at: NOON.plus_ms(5_000),
        code: None,
        detail: Some("as they say".to_owned()),
    }
}

async fn told(payer: &Payer<'_>, reports: &[MailReport]) -> Vec<Reported> {
    payer.book().record_mail_reports(reports, NOON.plus_ms(9_000)).await.unwrap()
}

#[tokio::test]
async fn each_order_of_the_same_facts_ends_at_the_worst_of_them() {
    let operator = Operator::arrives().await;
    let facts = [Delivered, Delayed, Bounced, Complained];
    for (number, order) in orders(&facts).into_iter().enumerate() {
        let address = format!("p{number}@example.com");
        let ada = Payer::is_told(&operator, Some(&address)).await;
        let claimed = ada.claims(NOON).await.unwrap();
        ada.begins(&claimed, &[&address], NOON).await;
        let name = format!("<{}@mail.example.com>", claimed.message_id);
        let mut worst = MailState::Sending;
        for (step, what) in order.iter().enumerate() {
            let one = report(&format!("e{number}.{step}"), &name, *what, &address);
            assert!(matches!(told(&ada, std::slice::from_ref(&one)).await[0], Reported::New { mail: Some(_), .. }));
            assert_eq!(told(&ada, &[one]).await, [Reported::Known]);
            worst = worst.max(match what {
                Delivered => MailState::Delivered,
                Bounced => MailState::Bounced,
                Complained => MailState::Complained,
                _ => worst,
            });
            assert_eq!(ada.mail().await.state, worst, "{order:?} after {step}");
        }
        let ended = Ended::Sent { provider_id: None };
        ada.book()
            .end_turn(claimed.turn, &ended, &[Fact::new(EventKind::Sent, "accepted", "250")], NOON)
            .await
            .unwrap();
        let mail = ada.mail().await;
        assert_eq!((mail.state, mail.evidence.len()), (MailState::Complained, 6), "the worker's own word comes last");
    }
}

fn orders(facts: &[EventKind]) -> Vec<Vec<EventKind>> {
    if facts.is_empty() {
        return vec![vec![]];
    }
    let mut all = Vec::new();
    for (at, first) in facts.iter().enumerate() {
        let rest: Vec<EventKind> =
            facts.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, fact)| *fact).collect();
        all.extend(orders(&rest).into_iter().map(|order| std::iter::once(*first).chain(order).collect()));
    }
    all
}

#[tokio::test]
async fn a_bounce_or_a_complaint_puts_the_address_on_the_list() {
    let operator = Operator::arrives().await;
    for (what, reason) in [(Bounced, SuppressionReason::Bounced), (Complained, SuppressionReason::Complained)] {
        let address = format!("{what}@Example.com");
        let ada = Payer::is_told(&operator, Some(&address)).await;
        let mail = ada.is_sent(&[&address], NOON).await;
        let name = format!("{}@x", ada.mail().await.message_id);
        let new = Reported::New { mail: Some(mail), suppressed: true };
        assert_eq!(told(&ada, &[report(what.as_str(), &name, what, &address)]).await, [new]);
        let found = ada.book().suppressed_among(std::slice::from_ref(&address)).await.unwrap();
        assert_eq!((found[0].reason, found[0].mail, found[0].actor.as_str()), (reason, Some(mail), "generic"));
        let again = report(&format!("{what}2"), &name, what, &address);
        assert_eq!(told(&ada, &[again]).await, [Reported::New { mail: Some(mail), suppressed: false }]);
        operator.db.execute("UPDATE mails SET provider_id = NULL").await.unwrap();
    }
    let ada = Payer::is_told(&operator, Some("fine@example.com")).await;
    ada.is_sent(&["fine@example.com"], NOON).await;
    let name = ada.mail().await.message_id;
    told(&ada, &[report("d1", &name, Delayed, "fine@example.com"), report("d2", &name, Delivered, "fine@example.com")])
        .await;
    assert!(ada.book().suppressed_among(&["fine@example.com".to_owned()]).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_its_server_named_when_it_took_a_mail_names_it_too() {
    let operator = Operator::arrives().await;
    let ada = Payer::is_told(&operator, Some("ada@example.com")).await;
    let mail = ada.is_sent(&["ada@example.com"], NOON).await;
    let named = MailReport {
        messages: vec!["0100018c-cafe-0000".to_owned(), "<other@somewhere>".to_owned()],
        ..report("e1", "", Delivered, "ada@example.com")
    };
    assert_eq!(told(&ada, &[named]).await, [Reported::New { mail: Some(mail), suppressed: false }]);
    assert_eq!(ada.mail().await.state, MailState::Delivered);
}

#[tokio::test]
async fn what_is_about_none_of_our_mails_is_kept_and_changes_nothing() {
    let operator = Operator::arrives().await;
    let ada = Payer::is_told(&operator, Some("ada@example.com")).await;
    ada.is_sent(&["ada@example.com"], NOON).await;
    let stray = report("e1", "<somebody@else>", Bounced, "ada@example.com");
    assert_eq!(told(&ada, std::slice::from_ref(&stray)).await, [Reported::New { mail: None, suppressed: false }]);
    assert_eq!(told(&ada, &[stray]).await, [Reported::Known]);
    assert_eq!(ada.mail().await.state, MailState::Sent);
    assert!(ada.book().suppressions(None, 9).await.unwrap().is_empty());
    let strays = ada.book().stray_mail_events(None, 9).await.unwrap();
    assert_eq!((strays.len(), strays[0].message.as_str(), strays[0].what), (1, "<somebody@else>", Bounced));
    assert!(ada.book().stray_mail_events(Some(strays[0].number), 9).await.unwrap().is_empty());
}

#[tokio::test]
async fn of_a_mail_to_several_the_one_that_bounced_is_on_the_list() {
    let operator = Operator::arrives().await;
    let ada = Payer::is_told(&operator, Some("ada@example.com")).await;
    ada.is_sent(&["ada@example.com", "eve@example.com"], NOON).await;
    let name = ada.mail().await.message_id;
    let forwarded = report("e1", &name, Bounced, "elsewhere@example.net");
    assert!(
        matches!(told(&ada, &[forwarded]).await[0], Reported::New { suppressed: false, .. }),
        "nobody can tell whose it is"
    );
    assert!(matches!(
        told(&ada, &[report("e2", &name, Bounced, "EVE@example.com")]).await[0],
        Reported::New { suppressed: true, .. }
    ));
    assert!(matches!(told(&ada, &[report("e3", &name, Delivered, "ada@example.com")]).await[0], Reported::New { .. }));
    assert_eq!(ada.mail().await.state, MailState::Bounced);
    let list = ada.book().suppressions(None, 9).await.unwrap();
    assert_eq!(list.iter().map(|row| row.address.as_str()).collect::<Vec<_>>(), ["eve@example.com"]);
}

#[tokio::test]
async fn what_comes_late_does_not_touch_a_mail_that_is_sent_again() {
    let operator = Operator::arrives().await;
    let ada = Payer::is_told(&operator, Some("ada@example.com")).await;
    let mail = ada.is_sent(&["ada@example.com"], NOON).await;
    ada.book().resend_mail(mail, &by(NOON)).await.unwrap();
    let name = ada.mail().await.message_id;
    told(&ada, &[report("e1", &name, Delivered, "ada@example.com")]).await;
    let mail = ada.mail().await;
    assert_eq!((mail.state, mail.evidence.last().unwrap().what), (MailState::Queued, Delivered));
}

#[tokio::test]
async fn reports_that_are_none_are_refused_whole() {
    let operator = Operator::arrives().await;
    let ada = Payer::is_told(&operator, Some("ada@example.com")).await;
    let good = report("e1", "<x@y>", Delivered, "a@b");
    for bad in [
        report("", "<x@y>", Delivered, "a@b"),
        report(&"e".repeat(256), "<x@y>", Delivered, "a@b"),
        MailReport { messages: vec![], ..good.clone() },
        MailReport { messages: vec!["<x@y>".to_owned(); 17], ..good.clone() },
    ] {
        let refused = ada.book().record_mail_reports(&[good.clone(), bad], NOON).await.unwrap_err();
        assert_eq!(refused.code(), "invalid");
    }
    assert!(ada.book().stray_mail_events(None, 9).await.unwrap().is_empty());
    let odd = MailReport { detail: Some("a\0b".repeat(2_000)), ..good };
    assert!(matches!(told(&ada, &[odd]).await[0], Reported::New { .. }));
}
