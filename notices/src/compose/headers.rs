//! The headers of a mail: each of them ours, whatever stands in its values.

use std::time::{Duration, SystemTime};

use lettre::message::header::{HeaderName, HeaderValue, MessageId};
use lettre::message::{Mailbox, MessageBuilder};
use lettre::{Address, Message};
use metering::TimeMs;

use super::words::one_line;
use super::{Letter, Stationery};

/// Longer subjects are cut off on every screen.
pub const SUBJECT_CHARS_MAX: usize = 160;

/// A message with its headers, which waits for its text.
pub fn headers(
    stationery: &Stationery,
    letter: &Letter<'_>,
    message_id: &str,
    to: &[Address],
    now: TimeMs,
) -> MessageBuilder {
    // What looks like an encoded word is decoded by whoever shows it: it would say something else than what is written.
    let subject = format!("{}: {} ({})", stationery.brand, letter.title, letter.account).replace("=?", "= ?");
    let mut message = Message::builder()
        .from(stationery.from.clone())
        .subject(one_line(&subject, SUBJECT_CHARS_MAX))
        .date(SystemTime::UNIX_EPOCH + Duration::from_millis(now.as_u64()))
        .header(MessageId::from(format!("<{message_id}@{}>", stationery.from.email.domain())))
        // Nobody's absence note answers it (RFC 3834), and programs can show where it is turned off (RFC 2369).
        .raw_header(plain(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated"))
        .raw_header(plain(
            HeaderName::new_from_ascii_str("List-Unsubscribe"),
            &format!("<{}>", stationery.settings_url),
        ));
    for address in to {
        message = message.to(Mailbox::new(None, address.clone()));
    }
    if let Some(reply_to) = &stationery.reply_to {
        message = message.reply_to(reply_to.clone());
    }
    message
}

/// A value of ours: letters of ASCII, checked with the settings.
fn plain(name: HeaderName, value: &str) -> HeaderValue {
    HeaderValue::new(name, value.to_owned())
}
