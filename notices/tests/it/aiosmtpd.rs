//! Against a mail server that is not ours: aiosmtpd, where the test runner could fetch it.

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};

use ledger::mails::MailState;
use mail_parser::MessageParser;
use metering::testing::free_port;
use serde_json::Value;

use crate::{House, Notices};

struct Server {
    child: Child,
    port: u16,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Server {
    /// `None` where it was not fetched: then its tests are left out.
    fn start() -> Option<Self> {
        let library = std::env::var_os("TOLLGATE_TEST_AIOSMTPD")?;
        let port = free_port();
        let mut child = Command::new("python3")
            .args(["-c", include_str!("aiosmtpd.py"), &port.to_string()])
            .env("PYTHONPATH", library)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.next().unwrap().unwrap().contains("port"), "it says where it listens");
        Some(Self { child, port, lines })
    }

    fn next(&mut self) -> Value {
        serde_json::from_str(&self.lines.next().unwrap().unwrap()).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn a_server_that_is_not_ours_takes_every_mail_as_it_is_meant() {
    let Some(mut server) = Server::start() else { return };
    let house = House::new().await;
    let ada = house.account("Ada & Söhne", Some("ada@example.com")).await;
    house.has(ada, 10).await;
    let mut first = Notices::start(&house.db.url, server.port, "");
    let mail = house.is(ada, MailState::Sent).await;
    assert_eq!(mail.evidence[1].detail.as_deref(), Some("250 2.0.0 Ok: kept by aiosmtpd-000000001"));
    let got = server.next();
    assert_eq!(
        (&got["from"], &got["to"]),
        (&"billing@console.example".into(), &serde_json::json!(["ada@example.com"]))
    );
    let raw = got["raw"].as_str().unwrap();
    let message = MessageParser::default().parse(raw.as_bytes()).unwrap();
    assert_eq!(message.subject(), Some("Tollgate: 10 of 100 credits left (Ada & Söhne)"));
    assert!(message.body_text(0).unwrap().contains("Ada & Söhne has 10 of 100 credits left"));
    assert!(message.body_html(0).unwrap().contains("<strong>10 of 100 credits</strong>"));
    // An address of other letters goes to a server that says it knows them.
    let eve = house.account("Eve", Some("jürgen@bücher.example")).await;
    house.has(eve, 10).await;
    house.is(eve, MailState::Sent).await;
    assert_eq!(server.next()["to"], serde_json::json!(["jürgen@bücher.example"]));
    first.signal("KILL");
    first.ended().await;
    let second = Notices::start(&house.db.url, server.port, "");
    second.wait_ready().await;
    let bob = house.low("bob@example.com").await;
    house.is(bob, MailState::Sent).await;
    assert_eq!(server.next()["to"], serde_json::json!(["bob@example.com"]), "nothing came twice");
}
