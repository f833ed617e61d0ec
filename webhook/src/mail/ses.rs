//! What Amazon SES tells through SNS: bounces, complaints, deliveries and delays, in both of its shapes.

use ledger::mails::{EventKind, MailReport};
use serde_json::Value;
use tracing::warn;

use super::{Told, text, time};

const PROVIDER: &str = "ses";

/// An envelope of SNS: a notification with a message of SES in it, or the question whether this endpoint wants any.
pub fn read(envelope: &Value, topic: &str) -> Result<Told, &'static str> {
    if !topic.is_empty() && envelope["TopicArn"] != topic {
        return Err("it is of another SNS topic than mail.sns_topic");
    }
    match text(&envelope["Type"]) {
        Some("Notification") => notification(envelope),
        Some("SubscriptionConfirmation") => {
            ask_operator(envelope);
            Ok(Told::Nothing("mail.subscription"))
        }
        Some("UnsubscribeConfirmation") => Ok(Told::Nothing("mail.subscription")),
        _ => Err("its Type is none of SNS"),
    }
}

/// Nothing is fetched on the word of a delivery: whoever set up the topic opens the link.
fn ask_operator(envelope: &Value) {
    let url = text(&envelope["SubscribeURL"]).filter(|url| is_of_amazon(url)).unwrap_or("none that leads to Amazon");
    warn!("Amazon SNS asks whether evidence about mails shall come here; open its link to say yes: {url}");
}

fn is_of_amazon(url: &str) -> bool {
    let host = url.strip_prefix("https://").and_then(|rest| rest.split('/').next());
    host.is_some_and(|host| {
        let of_amazon = host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn");
        host.starts_with("sns.") && of_amazon && url.bytes().all(|byte| byte.is_ascii_graphic())
    })
}

fn notification(envelope: &Value) -> Result<Told, &'static str> {
    let number = text(&envelope["MessageId"]).ok_or("it has no MessageId")?;
    let message = text(&envelope["Message"]).ok_or("it has no Message")?;
    let message: Value = serde_json::from_str(message).map_err(|_| "its Message is no JSON")?;
    // Feedback notifications say notificationType, event publishing says eventType.
    let kind = text(&message["notificationType"]).or_else(|| text(&message["eventType"]));
    let (what, part, people) = match kind.ok_or("its Message is none of SES")? {
        "Bounce" => (bounce(&message["bounce"]), &message["bounce"], "bouncedRecipients"),
        "Complaint" => (EventKind::Complained, &message["complaint"], "complainedRecipients"),
        "Delivery" => (EventKind::Delivered, &message["delivery"], "recipients"),
        "DeliveryDelay" => (EventKind::Delayed, &message["deliveryDelay"], "delayedRecipients"),
        _ => return Ok(Told::Nothing("mail.other")),
    };
    let at = time(&part["timestamp"]).or_else(|| time(&envelope["Timestamp"])).ok_or("it has no time")?;
    let messages = names(&message["mail"]);
    if messages.is_empty() {
        return Err("it names no message");
    }
    let people = part[people].as_array().map(Vec::as_slice).unwrap_or_default();
    let reports = people.iter().enumerate().map(|(index, person)| MailReport {
        provider: PROVIDER.to_owned(),
        event: format!("{number}/{index}"),
        messages: messages.clone(),
        what,
        address: text(&person["emailAddress"]).or_else(|| text(person)).map(bare),
        at,
        code: code(part),
        detail: detail(part, person),
    });
    Ok(Told::Reports(reports.collect()))
}

/// Only what Amazon calls permanent is for good; what it can't tell may pass.
fn bounce(part: &Value) -> EventKind {
    if part["bounceType"] == "Permanent" { EventKind::Bounced } else { EventKind::Delayed }
}

/// How the message is called: by the id that Amazon gave it, which its mail server answered, and by our own where it passes headers on.
fn names(mail: &Value) -> Vec<String> {
    let headers = mail["headers"].as_array().map(Vec::as_slice).unwrap_or_default();
    let own =
        headers.iter().find(|header| text(&header["name"]).is_some_and(|name| name.eq_ignore_ascii_case("message-id")));
    let own = own.and_then(|header| text(&header["value"]));
    let names = [own, text(&mail["commonHeaders"]["messageId"]), text(&mail["messageId"])];
    names.into_iter().flatten().map(str::to_owned).collect()
}

/// `a@x` of `Ada <a@x>`.
fn bare(address: &str) -> String {
    let inside = address.rsplit_once('<').and_then(|(_, rest)| rest.strip_suffix('>'));
    inside.unwrap_or(address).to_owned()
}

fn code(part: &Value) -> Option<String> {
    let words = ["bounceType", "bounceSubType", "complaintFeedbackType", "delayType"];
    let said: Vec<&str> = words.iter().filter_map(|word| text(&part[*word])).collect();
    (!said.is_empty()).then(|| said.join("/"))
}

fn detail(part: &Value, person: &Value) -> Option<String> {
    let said = [&person["status"], &person["diagnosticCode"], &part["smtpResponse"]];
    let said: Vec<&str> = said.into_iter().filter_map(text).collect();
    (!said.is_empty()).then(|| said.join(" "))
}

#[cfg(test)]
mod tests;
