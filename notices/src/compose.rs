//! A mail as it goes out: what it says, in text and in HTML, and its headers.

mod body;
mod headers;
mod words;

#[cfg(test)]
mod hostile;

use askama::Template;
use config::notices::Letter as Settings;
use ledger::mails::ClaimedMail;
use lettre::Address;
use lettre::message::{Mailbox, MultiPart};
use metering::TimeMs;

use body::Body;
use words::{NAME_CHARS_MAX, one_line};

pub use body::Unreadable;

/// What stands in every mail.
pub struct Stationery {
    pub from: Mailbox,
    reply_to: Option<Mailbox>,
    brand: String,
    billing_url: String,
    settings_url: String,
    support_url: Option<String>,
}

/// One mail, as templates see it.
struct Letter<'a> {
    stationery: &'a Stationery,
    /// Whom it is about, in one line.
    account: String,
    title: String,
    body: Body,
}

#[derive(Template)]
#[template(path = "letter.html")]
struct Html<'a> {
    letter: &'a Letter<'a>,
}

#[derive(Template)]
#[template(path = "letter.txt")]
struct Text<'a> {
    letter: &'a Letter<'a>,
}

impl Stationery {
    pub fn new(settings: &Settings, from: Mailbox, reply_to: Option<Mailbox>) -> Self {
        let site = settings.public_url.trim_end_matches('/');
        Self {
            from,
            reply_to,
            brand: settings.brand.clone(),
            billing_url: format!("{site}/billing"),
            settings_url: format!("{site}/settings"),
            support_url: (!settings.support_url.is_empty()).then(|| settings.support_url.clone()),
        }
    }

    /// The whole message, as it is handed over.
    pub fn compose(&self, mail: &ClaimedMail, to: &[Address], now: TimeMs) -> Result<Vec<u8>, Unreadable> {
        let body = Body::read(mail.kind, &mail.detail)?;
        let account = match one_line(&mail.account_name, NAME_CHARS_MAX) {
            name if name.is_empty() => "your account".to_owned(),
            name => name,
        };
        let title = body.title();
        let letter = Letter { stationery: self, account, title, body };
        let text = Text { letter: &letter }.render().map_err(|_| Unreadable)?;
        let html = Html { letter: &letter }.render().map_err(|_| Unreadable)?;
        let message = headers::headers(self, &letter, &mail.message_id, to, now)
            .multipart(MultiPart::alternative_plain_html(text, html));
        Ok(message.map_err(|_| Unreadable)?.formatted())
    }
}
