//! A pretend mail server, and what sends mails to it.

use metering::testing::free_port;
use serde_json::Value;

use super::{House, Program, Stack, wait_until};

/// What a mail provider shows at the webhook.
const PASSWORD: &str = "the-password-of-a-mail-provider-in-a-test";

/// What webhooks must know to believe the provider.
pub fn webhook_settings() -> String {
    format!("mail.password = \"{PASSWORD}\"\n")
}

pub struct Notices {
    _mailbox: Program,
    _program: Program,
    mailbox: String,
    http: reqwest::Client,
}

impl Notices {
    pub async fn start(house: &House<'_>, console: &str) -> Self {
        let port = free_port();
        let (smtp, listen) = (format!("127.0.0.1:{port}"), format!("127.0.0.1:{}", free_port()));
        let mailbox = format!("http://{listen}");
        let arguments = [["--smtp", &smtp], ["--listen", &listen]].concat();
        let arguments = arguments.into_iter().map(str::to_owned).collect();
        let named = ("pretend-mailbox", "mailbox");
        let box_program = house.ground.program(named, arguments, mailbox.clone()).started();
        let text = format!(
            "postgres.url = \"{}\"\nsmtp.port = {port}\nworker.interval_ms = 100\n\
             letter.brand = \"ArchibotChat\"\nletter.public_url = \"{console}\"\n",
            house.postgres
        );
        let program = house.ground.service(("notices", "notices"), free_port(), &text).started();
        program.wait_ready().await;
        Self { _mailbox: box_program, _program: program, mailbox, http: house.ground.http.clone() }
    }

    /// Every mail that has arrived, in the order in which they came.
    pub async fn mails(&self) -> Vec<Value> {
        let answer = self.http.get(format!("{}/_mails", self.mailbox)).send().await.unwrap();
        let told: Value = answer.json().await.unwrap();
        told["mails"].as_array().unwrap().clone()
    }

    /// The only mail whose subject holds these words, once it has arrived.
    pub async fn mail(&self, words: &str) -> Value {
        let about = |mail: &Value| mail["subject"].as_str().is_some_and(|subject| subject.contains(words));
        wait_until(&format!("a mail arrives: {words}"), async || self.mails().await.iter().any(about)).await;
        let mut found: Vec<Value> = self.mails().await.into_iter().filter(about).collect();
        assert_eq!(found.len(), 1, "{found:?}");
        found.remove(0)
    }
}

impl Stack {
    pub fn notices(&self) -> &Notices {
        self.notices.as_ref().expect("the plan says `notices: true`")
    }

    /// The mail provider tells what became of a mail.
    pub async fn provider_tells(&self, report: &Value) {
        let url = self.webhooks[0].url().replace("/webhooks/stripe", "/webhooks/mail");
        let answer = self.http.post(url).basic_auth("mail", Some(PASSWORD)).json(report).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 200, "{}", answer.text().await.unwrap());
    }
}
