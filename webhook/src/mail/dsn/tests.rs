//! Delivery statuses as mail servers write them.

use super::*;

const NOW: TimeMs = TimeMs::new(1_795_665_600_000);

/// As Postfix writes it.
fn bounce() -> String {
    "Date: Thu, 26 Nov 2026 03:59:00 +0000 (UTC)\r\nFrom: MAILER-DAEMON@mail.example\r\nTo: billing@console.example\r\n\
     Subject: Undelivered Mail Returned to Sender\r\nMessage-Id: <20261126@mail.example>\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n\
     Content-Type: multipart/report; report-type=delivery-status; boundary=\"b/1\"\r\n\r\n\
     --b/1\r\nContent-Description: Notification\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nThis is the mail system.\r\n\r\n\
     --b/1\r\nContent-Description: Delivery report\r\nContent-Type: message/delivery-status\r\n\r\n\
     Reporting-MTA: dns; mail.example\r\nX-Postfix-Queue-ID: 4F2A19C0\r\nArrival-Date: Thu, 26 Nov 2026 03:58:59 +0000 (UTC)\r\n\r\n\
     Final-Recipient: rfc822; gone@example.com\r\nOriginal-Recipient: rfc822;ada@example.com\r\nAction: failed\r\nStatus: 5.1.1\r\n\
     Remote-MTA: dns; mx.example.com\r\nDiagnostic-Code: smtp; 550 5.1.1 <gone@example.com>: no such user\r\n    here\r\n\r\n\
     Final-Recipient: rfc822; eve@example.com\r\nAction: delayed\r\nStatus: 4.4.1\r\n\r\n\
     --b/1\r\nContent-Description: Undelivered Message\r\nContent-Type: message/rfc822\r\n\r\n\
     From: billing@console.example\r\nMessage-ID: <tollgate.1@console.example>\r\nSubject: x\r\n\r\nHello\r\n\r\n--b/1--\r\n"
        .to_owned()
}

fn reports(raw: &str) -> Vec<MailReport> {
    match read(raw.as_bytes(), NOW) {
        Ok(Told::Reports(reports)) => reports,
        Ok(Told::Nothing(what)) => panic!("ignored: {what}"),
        Err(why) => panic!("{why}"),
    }
}

#[test]
fn a_bounce_of_a_mail_server_is_read_address_by_address() {
    let told = reports(&bounce());
    assert_eq!(told.len(), 2);
    let (ada, eve) = (&told[0], &told[1]);
    assert_eq!((ada.what, ada.address.as_deref()), (EventKind::Bounced, Some("ada@example.com")), "as we knew it");
    assert_eq!(
        (ada.code.as_deref(), ada.detail.as_deref()),
        (Some("5.1.1"), Some("550 5.1.1 <gone@example.com>: no such user"))
    );
    assert_eq!(
        (ada.messages.as_slice(), ada.at),
        (&["tollgate.1@console.example".to_owned()][..], TimeMs::new(1_795_665_540_000))
    );
    assert_eq!((eve.what, eve.address.as_deref()), (EventKind::Delayed, Some("eve@example.com")));
    assert_ne!(ada.event, eve.event);
    assert_eq!(
        reports(&format!("Received: from x\r\n{}", bounce()))[0].event,
        ada.event,
        "the same one on another way"
    );
}

#[test]
fn headers_alone_tell_which_message_it_is_about() {
    let quoted = "Content-Type: message/rfc822\r\n\r\n";
    let raw = bounce().replace(quoted, "Content-Type: text/rfc822-headers\r\n\r\n");
    assert_eq!(reports(&raw)[0].messages, ["tollgate.1@console.example"]);
}

#[test]
fn a_failure_that_may_pass_is_a_delay_and_what_went_on_is_nothing() {
    assert_eq!(reports(&bounce().replace("Status: 5.1.1", "Status: 4.2.2"))[0].what, EventKind::Delayed);
    assert_eq!(reports(&bounce().replace("Action: failed", "Action: delivered"))[0].what, EventKind::Delivered);
    let relayed = bounce().replace("Action: failed", "Action: relayed").replace("Action: delayed", "Action: expanded");
    assert!(matches!(read(relayed.as_bytes(), NOW), Ok(Told::Nothing("mail.other"))));
}

#[test]
fn without_a_date_it_is_of_now_and_without_an_id_it_is_known_by_what_it_says() {
    let raw = bounce()
        .replace("Date: Thu, 26 Nov 2026 03:59:00 +0000 (UTC)\r\n", "")
        .replace("Message-Id: <20261126@mail.example>\r\n", "");
    let told = reports(&raw);
    assert_eq!(told[0].at, NOW);
    assert_eq!(told[0].event, reports(&raw)[0].event);
    assert_ne!(told[0].event, reports(&raw.replace("gone@", "away@"))[0].event);
}

#[test]
fn any_other_mail_is_refused() {
    let plain = "From: a@x\r\nSubject: hello\r\nMessage-ID: <1@x>\r\n\r\nHello\r\n";
    let nameless = bounce().replace("Message-ID: <tollgate.1@console.example>\r\n", "");
    for (raw, why) in [
        (plain.to_owned(), "it is a mail, and no delivery status"),
        (nameless, "it does not say which message it is about"),
        ("\0\u{1}\u{2}".to_owned(), ""),
        ("hello".to_owned(), ""),
    ] {
        let told = read(raw.as_bytes(), NOW).err().unwrap_or_else(|| panic!("{raw:?} must be refused"));
        assert!(told.contains(why), "{told}");
    }
}

#[test]
fn whatever_is_cut_off_anywhere_is_read_or_refused_and_nothing_else() {
    let whole = bounce();
    for at in 0..whole.len() {
        let _ = read(&whole.as_bytes()[..at], NOW);
        let mut spoilt = whole.clone().into_bytes();
        spoilt[at] = b'\0';
        let _ = read(&spoilt, NOW);
    }
}
