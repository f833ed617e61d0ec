//! Mails in words: what each is about, how far it is, and the evidence for it.

use ledger::mails::{EventKind, MailEvent, MailKind, MailState};

/// What a mail is about.
pub fn kind(kind: MailKind) -> String {
    crate::activity::words::plain(kind.as_str())
}

/// How far it is, and how its badge looks.
pub const fn state(state: MailState) -> (&'static str, &'static str) {
    match state {
        MailState::Queued => ("Waits", ""),
        MailState::Sending => ("Being sent", ""),
        MailState::Sent => ("Sent", "good"),
        MailState::Delivered => ("Delivered", "good"),
        MailState::Bounced => ("Bounced", "bad"),
        MailState::Complained => ("Unwanted", "bad"),
        MailState::Suppressed => ("Suppressed", "warn"),
        MailState::HeldBack => ("Held back", "warn"),
        MailState::Failed => ("Failed", "bad"),
        MailState::Unknown => ("Unknown", "warn"),
    }
}

/// Why it was held back, from the stable word.
pub fn held(reason: &str) -> String {
    match reason {
        "settings_off" => "these settings say not to send it".to_owned(),
        "switched_off" => "the installation does not send mails of this kind".to_owned(),
        "no_address" => "there is no address to send it to".to_owned(),
        "low_before" => "the balance was low before such mails were sent".to_owned(),
        "low_before_over" => "the balance was low before such mails were sent, and has risen since".to_owned(),
        "before_sending" => "it was queued before anything was sent".to_owned(),
        other => other.replace('_', " "),
    }
}

/// One fact, in words.
pub fn event(event: &MailEvent) -> String {
    let what = match event.what {
        EventKind::Queued => "Queued",
        EventKind::HeldBack => "Held back",
        EventKind::PutOff => "Not taken yet, tried again later",
        EventKind::Sent => "Taken by the mail server",
        EventKind::Failed => "Not taken, and not tried again",
        EventKind::Delivered => "Delivered",
        EventKind::Delayed => "Delayed on its way",
        EventKind::Bounced => "Bounced",
        EventKind::Complained => "Marked as unwanted",
        EventKind::Suppressed => "Not sent to an address that takes no mail any more",
        EventKind::Unknown => "Nobody knows whether it arrived",
        EventKind::Resent => "Sent again by an operator",
    };
    let to = event.address.as_ref().map(|to| format!(" ({to})")).unwrap_or_default();
    let why = match (&event.code, &event.detail) {
        (Some(code), None) => format!(": {}", held(code)),
        (_, Some(detail)) => format!(": {detail}"),
        (None, None) => String::new(),
    };
    format!("{what}{to}{why}")
}

#[cfg(test)]
mod tests {
    use metering::TimeMs;

    use super::*;

    #[test]
    fn a_fact_says_to_whom_and_why() {
        let of = |what, address: Option<&str>, code: Option<&str>, detail: Option<&str>| {
            event(&MailEvent {
                at: TimeMs::EPOCH,
                what,
                address: address.map(str::to_owned),
                code: code.map(str::to_owned),
                detail: detail.map(str::to_owned),
                actor: None,
                provider: None,
            })
        };
        assert_eq!(of(EventKind::Queued, None, None, None), "Queued");
        assert_eq!(
            of(EventKind::Bounced, Some("ann@example.org"), Some("5.1.1"), Some("no such user")),
            "Bounced (ann@example.org): no such user"
        );
        assert_eq!(
            of(EventKind::HeldBack, None, Some("settings_off"), None),
            "Held back: these settings say not to send it"
        );
    }

    #[test]
    fn every_state_has_words_and_the_bad_ones_look_bad() {
        for each in MailState::ALL {
            assert!(!state(*each).0.is_empty());
        }
        assert_eq!(
            [state(MailState::Bounced).1, state(MailState::Failed).1, state(MailState::Sent).1],
            ["bad", "bad", "good"]
        );
    }
}
