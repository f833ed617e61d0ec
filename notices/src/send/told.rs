//! How a turn ended, on its way into the book, the log and the metrics.

use std::time::Duration;

use frame::chain;
use ledger::LedgerError;
use ledger::mails::{ClaimedMail, Ended, EventKind, Fact};
use metering::TimeMs;
use tracing::{error, info, warn};

use crate::mask::masked;
use crate::service::Service;

/// That a mail was taken is worth waiting for a book that is away for a moment.
const WRITES_MAX: u32 = 60;
const WRITE_PAUSE: Duration = Duration::from_secs(1);

/// How a turn ended, and all that happened in it.
pub struct Told {
    end: End,
    pub facts: Vec<Fact>,
    reason: Option<&'static str>,
    /// In words that the log may have.
    words: String,
}

enum End {
    Turn(Ended),
    /// It waits, which is nobody's fault.
    Waits(TimeMs),
    /// There is nothing to write: its lease runs out, or it is somebody else's.
    Nothing,
}

impl Told {
    pub fn ended(ended: Ended, facts: Vec<Fact>) -> Self {
        Self { end: End::Turn(ended), facts, reason: None, words: String::new() }
    }

    pub fn failed(code: &'static str, words: String) -> Self {
        Self::ended(Ended::Failed, vec![Fact::new(EventKind::Failed, code, words)]).because(code)
    }

    pub fn waits(until: TimeMs, words: &str) -> Self {
        Self { end: End::Waits(until), facts: Vec::new(), reason: None, words: words.to_owned() }
    }

    pub fn nothing(words: &str) -> Self {
        Self { end: End::Nothing, facts: Vec::new(), reason: None, words: words.to_owned() }
    }

    #[expect(clippy::needless_pass_by_value, reason = "it is what an error is mapped to")]
    pub fn book_away(error: LedgerError) -> Self {
        Self::nothing(&chain(&error)).because("book_away")
    }

    /// With what happened before. Of a mail that is tried again, what was decided about its addresses is decided again then.
    pub fn after(mut self, mut facts: Vec<Fact>) -> Self {
        if matches!(self.end, End::Turn(Ended::PutOff { .. })) {
            facts.retain(|fact| matches!(fact.what, EventKind::PutOff | EventKind::Bounced));
        }
        facts.append(&mut self.facts);
        self.facts = facts;
        self
    }

    pub fn because(mut self, reason: &'static str) -> Self {
        self.reason = Some(reason);
        self
    }

    pub fn with(mut self, words: impl Into<String>) -> Self {
        self.words = words.into();
        self
    }

    /// Into the book, then into the log and the metrics.
    pub async fn write(self, service: &Service, mail: &ClaimedMail) {
        let result = match &self.end {
            End::Turn(ended) => self.end_turn(service, mail, ended).await,
            End::Waits(until) => {
                let waits = service.book.let_mail_wait(mail.turn, *until, &self.words).await;
                waits.map(|()| "waits")
            }
            End::Nothing => Ok("let_go"),
        };
        config::failpoint("send.told");
        match result {
            Ok(result) => self.say(service, mail, result),
            Err(error) => {
                let (number, kind) = (mail.turn.mail, mail.kind);
                error!(mail = number, %kind, error = chain(&error), "how mail {number} ({kind}) ended could not be written down: {}", chain(&error));
            }
        }
    }

    async fn end_turn(
        &self,
        service: &Service,
        mail: &ClaimedMail,
        ended: &Ended,
    ) -> Result<&'static str, LedgerError> {
        let mut writes = 1;
        loop {
            match service.book.end_turn(mail.turn, ended, &self.facts, service.clock.now()).await {
                Ok(true) => return Ok(result(ended)),
                Ok(false) => return Ok("late"),
                Err(error) if error.is_passing() && writes < WRITES_MAX => {
                    writes += 1;
                    tokio::time::sleep(WRITE_PAUSE).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn say(&self, service: &Service, mail: &ClaimedMail, result: &'static str) {
        let (number, kind, reason) = (mail.turn.mail, mail.kind, self.reason);
        service.metrics.ended(kind, result, reason);
        if result == "sent" {
            service.metrics.took(service.clock.now().since(mail.queued_at));
        }
        let to = mail.settings.recipients.first().or(mail.address.as_ref()).or(mail.account_email.as_ref());
        let to = to.map_or_else(|| "nobody".to_owned(), |address| masked(address));
        let words = match (&self.words, reason) {
            (words, _) if !words.is_empty() => format!(": {words}"),
            (_, Some(reason)) => format!(": {reason}"),
            _ => String::new(),
        };
        if matches!(result, "failed" | "unknown" | "put_off" | "bounced") {
            warn!(mail = number, %kind, result, reason, "mail {number} ({kind}) to {to} is {result}{words}");
        } else {
            info!(mail = number, %kind, result, reason, "mail {number} ({kind}) to {to} is {result}{words}");
        }
    }
}

fn result(ended: &Ended) -> &'static str {
    match ended {
        Ended::Sent { .. } => "sent",
        Ended::PutOff { .. } => "put_off",
        Ended::HeldBack { .. } => "held_back",
        Ended::Suppressed => "suppressed",
        Ended::Bounced => "bounced",
        Ended::Failed => "failed",
        Ended::Unknown => "unknown",
    }
}
