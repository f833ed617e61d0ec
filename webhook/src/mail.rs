//! One delivery of a mail provider, on one page: proven, read, recorded once, answered.
//!
//! What it says is evidence for one of our mails, and nothing else follows from it than that mail's state and the list of addresses that
//! nothing is sent to. So it is written down as it comes, without a worker: who is answered 200 need never come again.

mod dsn;
mod generic;
mod proof;
mod ses;

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::response::Response;
use frame::chain;
use ledger::LedgerError;
use ledger::mails::{MailReport, Reported};
use metering::TimeMs;
use serde_json::Value;
use tracing::{info, warn};

use crate::receive;
use crate::refusal::Refusal;
use crate::service::Service;

pub use proof::Proof;

/// Amazon names 50 recipients at most; a mail of ours has ten.
const REPORTS_MAX: usize = 100;

/// What a delivery turned out to be.
pub enum Told {
    /// Facts about messages.
    Reports(Vec<MailReport>),
    /// Something that nobody acts on; the word says what.
    Nothing(&'static str),
}

/// Answers one delivery.
pub async fn take(State(service): State<Arc<Service>>, request: Request) -> Response {
    let inside = Arc::clone(&service);
    receive::answer(&service, async move { receive(&inside, request).await }).await
}

async fn receive(service: &Service, request: Request) -> Result<(), Refusal> {
    let proof = service.parts.mail.as_ref().ok_or(Refusal::NothingHere)?;
    let (head, body) = request.into_parts();
    // A password is looked at before anything is read; a signature can only be looked at with the body.
    proof.has_any(&head.headers)?;
    let body = receive::read(service, body).await?;
    let now = service.clock.now();
    proof.believe(&head.headers, &body, now)?;
    match read(service, &body, now)? {
        Told::Reports(reports) => record(service, &reports).await,
        Told::Nothing(what) => {
            service.metrics.delivered(what, "ignored");
            info!("a delivery of the mail provider is ignored: {what}");
            Ok(())
        }
    }
}

/// By its shape: JSON of Amazon, JSON of our own form, or a mail that says what became of another.
fn read(service: &Service, body: &Bytes, now: TimeMs) -> Result<Told, Refusal> {
    let begins = body.iter().find(|byte| !byte.is_ascii_whitespace());
    let told = match begins {
        None => return Err(Refusal::Unreadable("it is empty")),
        Some(b'{') => {
            let value: Value = serde_json::from_slice(body).map_err(|_| Refusal::Unreadable("it is no JSON"))?;
            if value["Type"].is_string() && value["TopicArn"].is_string() {
                ses::read(&value, &service.settings.mail.sns_topic)
            } else {
                generic::read(&value)
            }
        }
        Some(_) => dsn::read(body, now),
    };
    match told {
        Ok(Told::Reports(reports)) if reports.len() > REPORTS_MAX => {
            Err(Refusal::Unreadable("it is about more addresses than a mail has"))
        }
        Ok(Told::Reports(reports)) if reports.is_empty() => Err(Refusal::Unreadable("it is about no address")),
        told => told.map_err(Refusal::Unreadable),
    }
}

/// Keeps all of it, once.
async fn record(service: &Service, reports: &[MailReport]) -> Result<(), Refusal> {
    let _turn = receive::turn(service)?;
    config::failpoint("mail.read");
    let recorded = service.book.record_mail_reports(reports, service.clock.now()).await;
    let recorded = recorded.map_err(|error| {
        warn!("evidence about mails could not be recorded: {}", chain(&error));
        match error {
            LedgerError::Invalid(_) => Refusal::Unreadable("it names what can't be kept"),
            _ => Refusal::BookAway,
        }
    })?;
    config::failpoint("mail.recorded");
    for (report, reported) in reports.iter().zip(recorded) {
        say(service, report, reported);
    }
    Ok(())
}

fn say(service: &Service, report: &MailReport, reported: Reported) {
    let (what, provider) = (report.what, &report.provider);
    let (how, mail) = match reported {
        Reported::New { mail: Some(mail), .. } => ("recorded", Some(mail)),
        Reported::New { mail: None, .. } => ("stray", None),
        Reported::Known => ("known", None),
    };
    service.metrics.delivered(&format!("mail.{what}"), how);
    let about = mail.map_or_else(|| "a message".to_owned(), |mail| format!("mail {mail}"));
    let and = if matches!(reported, Reported::New { suppressed: true, .. }) {
        "; nothing is sent to its address any more"
    } else {
        ""
    };
    info!(mail, provider, %what, how, "evidence of {provider}: {about} is {what} ({how}){and}");
}

/// A text of a JSON value, if it is one and not empty.
fn text(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| !text.is_empty())
}

/// A time as providers write it: RFC 3339, or seconds since 1970.
fn time(value: &Value) -> Option<TimeMs> {
    let millis = match value {
        Value::String(text) => text.parse::<jiff::Timestamp>().ok()?.as_millisecond(),
        Value::Number(seconds) => seconds.as_i64()?.checked_mul(1_000)?,
        _ => return None,
    };
    u64::try_from(millis).ok().map(TimeMs::new)
}
