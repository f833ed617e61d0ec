//! A low balance is told within seconds, and once.

use std::time::{Duration, Instant};

use ledger::mails::{EventKind, MailState, NoticeSettings};
use tokio::task::JoinSet;

use crate::mailbox::header;
use crate::payer::{count, story};
use crate::{House, Mailbox, Notices};

#[tokio::test]
async fn an_account_at_a_fifth_gets_one_mail_within_seconds_with_evidence() {
    let (house, mailbox) = (House::new().await, Mailbox::start(&[]));
    let notices = Notices::start(&house.db.url, mailbox.port(), "letter.support_url = \"https://help.example/\"\n");
    notices.wait_ready().await;
    let ada = house.account("Ada Ltd", Some("ada@example.com")).await;
    house.has(ada, 21).await;
    let began = Instant::now();
    house.has(ada, 20).await;
    let mails = mailbox.holds(1).await;
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    let mail = house.is(ada, MailState::Sent).await;
    assert_eq!(story(&mail), ["queued", "sent accepted"]);
    let reply = mail.evidence[1].detail.as_deref().unwrap();
    assert_eq!(reply, "250 2.0.0 Ok: kept as pretend-mailbox-00000001");
    assert_eq!((mail.addresses.as_slice(), mail.attempts), (&["ada@example.com".to_owned()][..], 1));
    let got = &mails[0];
    assert_eq!((&got["from"], &got["to"][0]), (&"billing@console.example".into(), &"ada@example.com".into()));
    assert_eq!(got["subject"], "Tollgate: 20 of 100 credits left (Ada Ltd)");
    assert_eq!(header(got, "message-id"), Some(format!("{}@console.example", mail.message_id).as_str()));
    assert_eq!(header(got, "auto-submitted"), Some("auto-generated"));
    assert_eq!(header(got, "list-unsubscribe"), Some("<https://console.example/settings>"));
    for (part, expiry) in [("text", "20 credits on 20"), ("html", "20 credits on <time datetime=\"20")] {
        let part = got[part].as_str().unwrap();
        assert!(part.contains("20 of 100 credits") && part.contains(expiry), "{part}");
        assert!(part.contains("https://console.example/billing") && part.contains("https://help.example/"), "{part}");
    }
    let (log, sent) = (notices.log(), "tollgate_notices_mails_total{kind=\"low_balance\",result=\"sent\"}");
    assert!(log.contains("to a***@example.com is sent: 250 2.0.0") && !log.contains("ada@example.com"), "{log}");
    assert_eq!((notices.metric(sent).await, notices.metric("tollgate_notices_seconds_count").await), (1, 1));
    assert_eq!(notices.metric("tollgate_notices_server_answers").await, 1);
}

#[tokio::test]
async fn racing_workers_and_hovering_balances_make_one_mail_an_account() {
    const ACCOUNTS: usize = 12;
    let (house, mailbox) = (House::new().await, Mailbox::start(&[]));
    let workers: Vec<Notices> = (0..3).map(|_| Notices::start(&house.db.url, mailbox.port(), "")).collect();
    let mut accounts = Vec::new();
    for number in 0..ACCOUNTS {
        accounts.push(house.account("Ada", Some(&format!("p{number}@example.com"))).await);
    }
    let mut looks = JoinSet::new();
    for round in 0..8 {
        let (book, accounts) = (house.book().clone(), accounts.clone());
        let hover = format!("UPDATE lots SET remaining = {}", 18 + round % 5);
        house.db.execute(&hover).await.unwrap();
        let now = house.now().await;
        looks.spawn(async move { book.queue_low_balance_mails(&accounts, now, None).await.unwrap() });
    }
    let queued: u64 = looks.join_all().await.into_iter().sum();
    assert_eq!(queued, u64::try_from(ACCOUNTS).unwrap());
    mailbox.holds(ACCOUNTS).await;
    for account in &accounts {
        house.has(*account, 5).await;
        let mail = house.is(*account, MailState::Sent).await;
        assert_eq!((count(&mail, EventKind::Sent), house.mails(*account).await.len()), (1, 1));
    }
    mailbox.holds(ACCOUNTS).await;
    drop(workers);
}

#[tokio::test]
async fn what_an_account_or_the_installation_does_not_want_is_held_back_with_the_reason() {
    let (house, mailbox) = (House::new().await, Mailbox::start(&[]));
    let off = NoticeSettings { low_balance: false, ..NoticeSettings::default() };
    let ada = house.account("Ada", Some("ada@example.com")).await;
    house.chooses(ada, &off).await;
    house.has(ada, 10).await;
    let nobody = house.account("Nobody", None).await;
    house.has(nobody, 10).await;
    let lifecycle = house.account("Eve", Some("eve@example.com")).await;
    house.queues(lifecycle, "plan_active", "{}").await;
    let notices = Notices::start(&house.db.url, mailbox.port(), "notices.lifecycle = false\n");
    for (account, reason) in [(ada, "settings_off"), (nobody, "no_address"), (lifecycle, "switched_off")] {
        let mail = house.is(account, MailState::HeldBack).await;
        assert_eq!(story(&mail), ["queued".to_owned(), format!("held_back {reason}")]);
        assert_eq!(mail.held_reason.as_deref(), Some(reason));
    }
    assert!(mailbox.mails().await.is_empty());
    house.chooses(ada, &NoticeSettings { low_balance: true, ..off.clone() }).await;
    let told = NoticeSettings { recipients: vec!["team@example.com".to_owned()], ..NoticeSettings::default() };
    house.chooses(nobody, &told).await;
    assert_eq!(story(&house.is(ada, MailState::Sent).await)[2..], ["queued reason_gone", "sent accepted"]);
    house.is(nobody, MailState::Sent).await;
    let mut to: Vec<String> =
        mailbox.holds(2).await.iter().map(|mail| mail["to"][0].as_str().unwrap().to_owned()).collect();
    to.sort();
    assert_eq!(to, ["ada@example.com", "team@example.com"]);
    let held = "tollgate_notices_not_sent_total{reason=\"settings_off\"}";
    assert_eq!(notices.metric(held).await, 1);
}

#[tokio::test]
async fn an_installation_that_is_switched_on_later_tells_who_is_low_by_then() {
    let (house, mailbox) = (House::new().await, Mailbox::start(&[]));
    let (ada, eve) = (house.low("ada@example.com").await, house.low("eve@example.com").await);
    let mut off = Notices::start(&house.db.url, mailbox.port(), "notices.low_balance = false\n");
    for account in [ada, eve] {
        assert_eq!(house.is(account, MailState::HeldBack).await.held_reason.as_deref(), Some("switched_off"));
    }
    off.signal("TERM");
    assert!(off.ended().await.success());
    house.has(eve, 80).await;
    let _on = Notices::start(&house.db.url, mailbox.port(), "");
    house.is(ada, MailState::Sent).await;
    assert_eq!(mailbox.holds(1).await[0]["to"][0], "ada@example.com");
    house.has(eve, 8).await;
    house.is(eve, MailState::Sent).await;
}
