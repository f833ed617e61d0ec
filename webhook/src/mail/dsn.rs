//! A mail that says what became of another (RFC 3464): as a mail server passes it on, raw.

use ledger::mails::{EventKind, MailReport};
use mail_parser::{Message, MessageParser, MimeHeaders, PartType};
use metering::TimeMs;
use sha2::{Digest, Sha256};

use super::Told;

const PROVIDER: &str = "dsn";
/// The headers of the mail that it is about are looked for this deep.
const DEEP: usize = 3;

/// One group of fields of a status.
type Group<'a> = Vec<(&'a str, &'a str)>;

/// A fact for each address that it tells of.
pub fn read(raw: &[u8], now: TimeMs) -> Result<Told, &'static str> {
    let mail = MessageParser::default().parse(raw).ok_or("it is neither JSON nor a mail")?;
    let status = mail.parts.iter().find(|part| is_of(*part, "message", "delivery-status"));
    let status = status.ok_or("it is a mail, and no delivery status")?;
    let fields = String::from_utf8_lossy(status.contents());
    let groups = groups(&fields);
    let messages: Vec<String> = about(&mail, DEEP).into_iter().collect();
    if messages.is_empty() {
        return Err("it does not say which message it is about");
    }
    let event = number(&mail, &fields);
    let sent = mail.date().and_then(|date| u64::try_from(date.to_timestamp()).ok());
    let at = sent.map_or(now, |seconds| TimeMs::new(seconds.saturating_mul(1_000)));
    // The first group is about the message as a whole.
    let reports = groups.iter().skip(1).enumerate().filter_map(|(index, group)| {
        let what = what(group)?;
        let address = value(group, "original-recipient").or_else(|| value(group, "final-recipient"));
        Some(MailReport {
            provider: PROVIDER.to_owned(),
            event: format!("{event}/{index}"),
            messages: messages.clone(),
            what,
            address: address.map(|address| typed(address).to_owned()),
            at,
            code: value(group, "status").map(str::to_owned),
            detail: value(group, "diagnostic-code").map(|code| typed(code).to_owned()),
        })
    });
    let reports: Vec<MailReport> = reports.collect();
    if reports.is_empty() {
        return Ok(Told::Nothing("mail.other"));
    }
    Ok(Told::Reports(reports))
}

fn is_of<'a>(part: &impl MimeHeaders<'a>, kind: &str, subtype: &str) -> bool {
    part.content_type().is_some_and(|found| {
        found.ctype().eq_ignore_ascii_case(kind)
            && found.subtype().is_some_and(|found| found.eq_ignore_ascii_case(subtype))
    })
}

/// What became of an address: failed for good, not yet, or delivered. A failure whose status is not for good may pass.
fn what(group: &Group<'_>) -> Option<EventKind> {
    let is_for_good = value(group, "status").is_none_or(|status| status.starts_with('5'));
    match value(group, "action")?.to_ascii_lowercase().as_str() {
        "failed" if is_for_good => Some(EventKind::Bounced),
        "failed" | "delayed" => Some(EventKind::Delayed),
        "delivered" => Some(EventKind::Delivered),
        // Relayed and expanded: it went on to others, who say no more.
        _ => None,
    }
}

/// The Message-ID of the mail that it is about: that stands in the part that quotes it, whole or only its headers.
fn about(mail: &Message<'_>, deep: usize) -> Option<String> {
    mail.parts.iter().skip(1).find_map(|part| match &part.body {
        PartType::Message(quoted) => {
            let own = quoted.message_id().map(str::to_owned);
            own.or_else(|| if deep > 0 { about(quoted, deep - 1) } else { None })
        }
        _ if is_of(part, "text", "rfc822-headers") || is_of(part, "message", "rfc822-headers") => {
            let quoted = MessageParser::default().parse(part.contents())?;
            quoted.message_id().map(str::to_owned)
        }
        _ => None,
    })
}

/// It is the same delivery while it has the same Message-ID; without one, while its status is the same.
fn number(mail: &Message<'_>, fields: &str) -> String {
    let mut digest = Sha256::new();
    match mail.message_id() {
        Some(id) => digest.update(id),
        None => digest.update(fields),
    }
    metering::hex(&digest.finalize()[..16])
}

/// Groups of fields with empty lines between them; a line that begins with a space goes on with the field before it, and is left out.
fn groups(fields: &str) -> Vec<Group<'_>> {
    let mut groups = vec![Group::new()];
    for line in fields.lines() {
        if line.trim().is_empty() {
            if groups.last().is_some_and(|group| !group.is_empty()) {
                groups.push(Group::new());
            }
        } else if !line.starts_with([' ', '\t'])
            && let (Some((name, value)), Some(group)) = (line.split_once(':'), groups.last_mut())
        {
            group.push((name.trim(), value.trim()));
        }
    }
    groups.retain(|group| !group.is_empty());
    groups
}

fn value<'a>(group: &Group<'a>, name: &str) -> Option<&'a str> {
    let found = group.iter().find(|(found, _)| found.eq_ignore_ascii_case(name));
    found.map(|(_, value)| *value).filter(|value| !value.is_empty())
}

/// What stands behind the type of an address or a code: `rfc822; a@x`.
fn typed(value: &str) -> &str {
    value.split_once(';').map_or(value, |(_, rest)| rest).trim()
}

#[cfg(test)]
mod tests;
