//! The pretend mailbox as a program: a conversation byte by byte, what is shown of it, and what goes wrong on order.
#![expect(clippy::unwrap_used, reason = "a test whose parts are not there has failed")]

mod mailbox;

use mailbox::Mailbox;

const TEXT: &str = "From: a@b.example\r\nTo: c@d.example\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nMessage-ID: <m1@b.example>\r\n\
                    Content-Type: text/html\r\n\r\n<p>Hello\r\n..leading dot\r\n.\r\n";

fn sent(mailbox: &Mailbox) -> Vec<String> {
    let mut line = mailbox.smtp();
    let commands =
        ["EHLO me\r\n", "MAIL FROM:<a@b.example>\r\n", "RCPT TO:<c@d.example>\r\n", "DATA\r\n", TEXT, "QUIT\r\n"];
    let mut answers = vec![line.answer()];
    answers.extend(commands.map(|command| line.says(command)));
    answers
}

#[test]
fn a_mail_is_taken_and_shown_as_it_is_meant() {
    let mailbox = Mailbox::start(&[]);
    let codes: Vec<String> = sent(&mailbox).iter().map(|answer| answer[..3].to_owned()).collect();
    assert_eq!(codes, ["220", "250", "250", "250", "354", "250", "221"]);
    let mails = mailbox.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!((&mails[0]["from"], &mails[0]["to"][0]), (&"a@b.example".into(), &"c@d.example".into()));
    assert_eq!((&mails[0]["subject"], &mails[0]["message_id"]), (&"Grüße".into(), &"m1@b.example".into()));
    assert_eq!(mails[0]["html"], "<p>Hello\r\n.leading dot\r\n");
    assert!(mailbox.get("/").contains("Grüße"));
    assert!(mailbox.get("/mails/1").contains("<iframe sandbox"));
    let framed = mailbox.get("/mails/1/html");
    assert!(framed.contains("content-security-policy: sandbox; default-src 'none'") && framed.contains("<p>Hello"));
    assert!(mailbox.get("/mails/1/raw").contains("Content-Type: text/html\r\n\r\n<p>Hello"));
    assert!(mailbox.get("/mails/2").starts_with("HTTP/1.1 404"));
    mailbox.call("DELETE", "/_mails", "");
    assert!(mailbox.mails().is_empty());
}

#[test]
fn faults_come_as_ordered_and_as_often() {
    let mailbox = Mailbox::start(&[]);
    mailbox.order(r#"{"at":"rcpt","reply":"550 5.1.1 no such user","to":"c@d.example","times":1}"#);
    mailbox.order(r#"{"at":"mail","reply":"451 4.3.0 later","times":1}"#);
    let answers = sent(&mailbox);
    assert_eq!((answers[2].as_str(), &answers[3][..3]), ("451 4.3.0 later\r\n", "503"));
    let answers = sent(&mailbox);
    assert_eq!((answers[3].as_str(), &answers[4][..3]), ("550 5.1.1 no such user\r\n", "503"));
    assert!(mailbox.mails().is_empty());
    mailbox.order(r#"{"at":"end","reply":"554 5.6.0 no","times":1}"#);
    assert_eq!(sent(&mailbox)[5], "554 5.6.0 no\r\n");
    assert!(mailbox.mails().is_empty());
    assert!(sent(&mailbox)[5].starts_with("250 2.0.0 Ok"));
    assert_eq!(mailbox.mails().len(), 1);
}

#[test]
fn a_connection_ends_before_the_answer_with_the_mail_or_without_it() {
    let mailbox = Mailbox::start(&[]);
    for (order, kept) in [
        (r#"{"at":"end","hang_up":true,"lose":true,"times":1}"#, 0),
        (r#"{"at":"end","hang_up":true,"times":1}"#, 1),
        (r#"{"at":"connect","hang_up":true,"times":1}"#, 1),
    ] {
        mailbox.order(order);
        let answers = sent(&mailbox);
        assert!(answers.iter().any(String::is_empty), "{answers:?}");
        assert_eq!(mailbox.mails().len(), kept, "{order}");
    }
}

#[test]
fn an_order_that_is_none_is_refused_and_others_are_taken_back() {
    let mailbox = Mailbox::start(&[]);
    for bad in ["", "{}", r#"{"at":"rcpt"}"#, r#"{"at":"rcpt","reply":"250 fine"}"#, r#"{"at":"never","hang_up":true}"#]
    {
        assert!(mailbox.call("POST", "/_fault", bad).starts_with("HTTP/1.1 400"), "{bad}");
    }
    mailbox.order(r#"{"at":"connect","reply":"421 closed"}"#);
    assert_eq!(sent(&mailbox)[0], "421 closed\r\n");
    mailbox.call("DELETE", "/_fault", "");
    assert!(sent(&mailbox)[0].starts_with("220"));
}

#[test]
fn with_a_user_nothing_is_taken_of_anybody_else() {
    let mailbox = Mailbox::start(&["--user", "ada:word"]);
    let mut line = mailbox.smtp();
    line.answer();
    assert!(line.says("EHLO me\r\n").contains("AUTH PLAIN LOGIN"));
    assert!(line.says("MAIL FROM:<a@b>\r\n").starts_with("503"));
    assert!(line.says("AUTH PLAIN AGFkYQB3cm9uZw==\r\n").starts_with("535"));
    assert!(line.says("AUTH PLAIN AGFkYQB3b3Jk\r\n").starts_with("235"));
    assert!(line.says("MAIL FROM:<a@b>\r\n").starts_with("250"));
}

#[test]
fn it_is_for_this_machine_only() {
    assert!(Mailbox::fails(&["--smtp", "0.0.0.0:0"]).contains("not on loopback"));
}
