//! Mails that were taken, in memory: the latest thousand.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use mail_parser::{HeaderValue, MessageParser};
use serde::Serialize;

const MAILS_MAX: usize = 1_000;
/// A notice has some kilobytes.
pub const MAIL_BYTES_MAX: usize = 4 << 20;

/// One mail as it came.
#[derive(Clone)]
pub struct Mail {
    pub number: u64,
    pub from: String,
    pub to: Vec<String>,
    pub encrypted: bool,
    pub raw: Vec<u8>,
}

/// One mail as people and tests look at it.
#[derive(Serialize)]
pub struct Read {
    pub number: u64,
    /// Whom the envelope named.
    pub from: String,
    pub to: Vec<String>,
    /// Whether it came over TLS.
    pub encrypted: bool,
    pub bytes: usize,
    pub subject: String,
    pub message_id: String,
    /// Every header, decoded, in the order of the mail.
    pub headers: Vec<(String, String)>,
    pub text: String,
    pub html: String,
}

#[derive(Default)]
pub struct Mails(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    taken: u64,
    mails: VecDeque<Mail>,
}

impl Mails {
    pub fn keep(&self, from: String, to: Vec<String>, encrypted: bool, raw: Vec<u8>) -> u64 {
        let mut kept = self.lock();
        kept.taken += 1;
        let number = kept.taken;
        kept.mails.push_back(Mail { number, from, to, encrypted, raw });
        while kept.mails.len() > MAILS_MAX {
            kept.mails.pop_front();
        }
        number
    }

    /// All of them, oldest first.
    pub fn list(&self) -> Vec<Mail> {
        self.lock().mails.iter().cloned().collect()
    }

    pub fn find(&self, number: u64) -> Option<Mail> {
        self.lock().mails.iter().find(|mail| mail.number == number).cloned()
    }

    pub fn clear(&self) {
        self.lock().mails.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // Each change is one push or one pop: sound after a panic, too.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Mail {
    pub fn read(&self) -> Read {
        let parsed = MessageParser::default().parse(&self.raw);
        let text = |body: Option<std::borrow::Cow<'_, str>>| body.unwrap_or_default().into_owned();
        let mut headers = Vec::new();
        for (name, raw) in parsed.iter().flat_map(mail_parser::Message::headers_raw) {
            headers.push((name.to_owned(), raw.trim().to_owned()));
        }
        for (at, header) in parsed.iter().flat_map(mail_parser::Message::headers).enumerate() {
            if let (HeaderValue::Text(decoded), Some(line)) = (&header.value, headers.get_mut(at)) {
                line.1 = decoded.clone().into_owned();
            }
        }
        Read {
            number: self.number,
            from: self.from.clone(),
            to: self.to.clone(),
            encrypted: self.encrypted,
            bytes: self.raw.len(),
            subject: parsed.as_ref().and_then(|message| message.subject()).unwrap_or_default().to_owned(),
            message_id: parsed.as_ref().and_then(|message| message.message_id()).unwrap_or_default().to_owned(),
            headers,
            text: text(parsed.as_ref().and_then(|message| message.body_text(0))),
            html: text(parsed.as_ref().and_then(|message| message.body_html(0))),
        }
    }
}
