//! Notifications as Amazon documents them.

use metering::TimeMs;
use serde_json::json;

use super::*;

const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:mails";

fn envelope(message: &Value) -> Value {
    json!({
        "Type": "Notification", "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324", "TopicArn": TOPIC, "Message": message.to_string(),
        "Timestamp": "2026-11-26T04:00:00.000Z", "SignatureVersion": "1", "Signature": "EXAMPLE",
        "SigningCertURL": "https://sns.eu-west-1.amazonaws.com/x.pem", "UnsubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=U",
    })
}

fn mail() -> Value {
    json!({
        "timestamp": "2026-11-26T03:59:00.000Z", "messageId": "0100018c1a2b3c4d-000000", "source": "billing@console.example",
        "headersTruncated": false, "headers": [{ "name": "Message-ID", "value": "<tollgate.1@console.example>" }],
        "commonHeaders": { "messageId": "<0100018c1a2b3c4d-000000@email.amazonses.com>" },
    })
}

fn reports(message: &Value) -> Vec<MailReport> {
    match read(&envelope(message), TOPIC) {
        Ok(Told::Reports(reports)) => reports,
        Ok(Told::Nothing(what)) => panic!("ignored: {what}"),
        Err(why) => panic!("{why}"),
    }
}

#[test]
fn a_bounce_is_a_fact_for_each_of_its_addresses() {
    let told = reports(&json!({
        "notificationType": "Bounce", "mail": mail(), "bounce": {
            "bounceType": "Permanent", "bounceSubType": "General", "timestamp": "2026-11-26T03:59:01.000Z", "feedbackId": "f",
            "bouncedRecipients": [
                { "emailAddress": "Ada <ada@example.com>", "action": "failed", "status": "5.1.1", "diagnosticCode": "smtp; 550 no" },
                { "emailAddress": "eve@example.com" },
            ] } }));
    assert_eq!(told.len(), 2);
    let (ada, eve) = (&told[0], &told[1]);
    assert_eq!(
        (ada.event.as_str(), eve.event.as_str()),
        ("22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324/0", "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324/1")
    );
    assert_eq!((ada.what, ada.address.as_deref()), (EventKind::Bounced, Some("ada@example.com")));
    assert_eq!((ada.code.as_deref(), ada.detail.as_deref()), (Some("Permanent/General"), Some("5.1.1 smtp; 550 no")));
    assert_eq!(ada.at, TimeMs::new(1_795_665_541_000));
    let names =
        ["<tollgate.1@console.example>", "<0100018c1a2b3c4d-000000@email.amazonses.com>", "0100018c1a2b3c4d-000000"];
    assert_eq!(ada.messages, names);
    assert_eq!((eve.address.as_deref(), eve.detail.as_deref()), (Some("eve@example.com"), None));
}

#[test]
fn what_may_pass_is_a_delay_and_the_other_kinds_are_what_they_say() {
    let at = "2026-11-26T03:59:01.000Z";
    let people = json!([{ "emailAddress": "ada@example.com" }]);
    for (kind, part, what) in [
        (
            "Bounce",
            json!({ "bounce": { "bounceType": "Transient", "timestamp": at, "bouncedRecipients": people } }),
            EventKind::Delayed,
        ),
        (
            "Bounce",
            json!({ "bounce": { "bounceType": "Undetermined", "timestamp": at, "bouncedRecipients": people } }),
            EventKind::Delayed,
        ),
        (
            "Complaint",
            json!({ "complaint": { "timestamp": at, "complainedRecipients": people } }),
            EventKind::Complained,
        ),
        (
            "Delivery",
            json!({ "delivery": { "timestamp": at, "recipients": ["ada@example.com"], "smtpResponse": "250 ok" } }),
            EventKind::Delivered,
        ),
        (
            "DeliveryDelay",
            json!({ "deliveryDelay": { "timestamp": at, "delayedRecipients": people } }),
            EventKind::Delayed,
        ),
    ] {
        for key in ["notificationType", "eventType"] {
            let mut message = part.clone();
            message["mail"] = mail();
            message[key] = kind.into();
            let told = reports(&message);
            assert_eq!(
                (told.len(), told[0].what, told[0].address.as_deref()),
                (1, what, Some("ada@example.com")),
                "{kind}"
            );
        }
    }
    let sent = json!({ "eventType": "Send", "mail": mail(), "send": {} });
    assert!(matches!(read(&envelope(&sent), ""), Ok(Told::Nothing("mail.other"))));
}

#[test]
fn what_is_not_of_amazon_or_of_another_topic_is_refused() {
    let good = json!({ "eventType": "Complaint", "mail": mail(), "complaint": { "complainedRecipients": [] } });
    assert!(read(&envelope(&good), "arn:aws:sns:eu-west-1:123456789012:others").is_err());
    for (key, bad) in [
        ("Type", json!("Other")),
        ("MessageId", json!(null)),
        ("Message", json!("{")),
        ("Message", json!("{}")),
        ("Message", json!(7)),
    ] {
        let mut envelope = envelope(&good);
        envelope[key] = bad.clone();
        assert!(read(&envelope, TOPIC).is_err(), "{key} {bad}");
    }
    let nameless = json!({ "eventType": "Complaint", "mail": {}, "complaint": { "complainedRecipients": [] } });
    assert_eq!(read(&envelope(&nameless), TOPIC).err(), Some("it names no message"));
}

#[test]
fn a_link_that_an_operator_shall_open_leads_to_amazon() {
    for good in [
        "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=1",
        "https://sns.cn-north-1.amazonaws.com.cn/?a",
    ] {
        assert!(is_of_amazon(good), "{good}");
    }
    for bad in [
        "http://sns.eu-west-1.amazonaws.com/",
        "https://sns.eu-west-1.amazonaws.com.evil.example/",
        "https://evil.example/sns.amazonaws.com",
        "https://sns.evil@x.amazonaws.com/ x",
        "https://s3.amazonaws.com/",
        "https://evil.example#.amazonaws.com",
    ] {
        assert!(!is_of_amazon(bad), "{bad}");
    }
}
