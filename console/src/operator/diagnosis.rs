//! What became of a mail, in a sentence: so that a setting that keeps it back can be told from a delivery that failed.

use ledger::mails::{EventKind, MailState, MailView};
use serde::Serialize;
use utoipa::ToSchema;

/// Where the trouble is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// None: it arrived, or is on its way.
    None,
    /// A setting: of the account, or of this installation. Nothing was sent because nothing was to be sent.
    Setting,
    /// The delivery: it was to be sent, and did not arrive as far as is known.
    Delivery,
    /// Nobody knows whether it was sent.
    Unknown,
}

impl Trouble {
    /// For people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "No trouble known",
            Self::Setting => "Setting",
            Self::Delivery => "Delivery",
            Self::Unknown => "Unknown",
        }
    }

    /// How its badge looks.
    pub const fn tone(self) -> &'static str {
        match self {
            Self::None => "good",
            Self::Setting | Self::Unknown => "warn",
            Self::Delivery => "bad",
        }
    }
}

/// Where the trouble of a mail is, and what to say of it.
pub fn of(mail: &MailView) -> (Trouble, String) {
    match mail.state {
        MailState::Queued if mail.last_error.is_some() => {
            let error = mail.last_error.as_deref().unwrap_or_default();
            (Trouble::Delivery, format!("It was not taken yet and is tried again: {error}"))
        }
        MailState::Queued => (Trouble::None, "It waits to be sent.".to_owned()),
        MailState::Sending => (Trouble::None, "It is being handed over to the mail server.".to_owned()),
        MailState::Sent => {
            (Trouble::None, "The mail server took it. The provider has not said yet that it arrived.".to_owned())
        }
        MailState::Delivered => (Trouble::None, "The provider says that it arrived.".to_owned()),
        MailState::HeldBack => (Trouble::Setting, held_back(mail.held_reason.as_deref().unwrap_or_default())),
        MailState::Bounced => (Trouble::Delivery, told(mail, EventKind::Bounced, "An address does not take it.")),
        MailState::Complained => {
            (Trouble::Delivery, told(mail, EventKind::Complained, "Whoever got it says that it is not wanted."))
        }
        MailState::Suppressed => {
            let said = "Each of its addresses is on the list that nothing is sent to: it bounced there, or somebody complained.";
            (Trouble::Delivery, said.to_owned())
        }
        MailState::Failed => (Trouble::Delivery, told(mail, EventKind::Failed, "The mail server did not take it.")),
        MailState::Unknown => {
            let said = "Whoever handed it over did not tell how that ended: it may have arrived. Sending it again may send it twice.";
            (Trouble::Unknown, said.to_owned())
        }
    }
}

fn held_back(reason: &str) -> String {
    match reason {
        "settings_off" => "The account has turned these notices off in its settings.".to_owned(),
        "switched_off" => "Notices of this kind are switched off in this installation.".to_owned(),
        "no_address" => "Nobody's address is known: the account has none, and has set no recipients.".to_owned(),
        "low_before" => {
            "The balance was low before low balances were looked at. It is sent when the account draws, or falls again.".to_owned()
        }
        "low_before_over" => {
            "The balance was low before low balances were looked at, and has risen since. It is sent when it falls again.".to_owned()
        }
        "before_sending" => "It was queued before there was anything that sends mails.".to_owned(),
        other => format!("It was held back: {}.", other.replace('_', " ")),
    }
}

/// The sentence, with what the mail server or the provider said the last time.
fn told(mail: &MailView, what: EventKind, sentence: &str) -> String {
    let latest = mail.evidence.iter().rev().find(|event| event.what == what);
    match latest.and_then(|event| event.detail.as_deref()).filter(|detail| !detail.is_empty()) {
        Some(detail) => format!("{sentence} It was said: {detail}"),
        None => sentence.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use ledger::mails::{MailEvent, MailKind};
    use metering::{AccountId, TimeMs};
    use serde_json::Value;
    use uuid::Uuid;

    use super::*;

    fn mail(state: MailState) -> MailView {
        MailView {
            mail: 1,
            account: AccountId::from_uuid(Uuid::nil()),
            kind: MailKind::LowBalance,
            detail: Value::Null,
            address: None,
            addresses: Vec::new(),
            state,
            message_id: "tollgate.1".to_owned(),
            queued_at: TimeMs::EPOCH,
            next_try_at: None,
            attempts: 0,
            last_error: None,
            held_reason: None,
            handed_over_at: None,
            evidence: Vec::new(),
        }
    }

    #[test]
    fn a_setting_is_told_from_a_delivery() {
        for state in MailState::ALL {
            let (trouble, _) = of(&mail(*state));
            let expected = match state {
                MailState::HeldBack => Trouble::Setting,
                MailState::Bounced | MailState::Complained | MailState::Suppressed | MailState::Failed => {
                    Trouble::Delivery
                }
                MailState::Unknown => Trouble::Unknown,
                _ => Trouble::None,
            };
            assert_eq!(trouble, expected, "{state}");
        }
        let off = MailView { held_reason: Some("settings_off".to_owned()), ..mail(MailState::HeldBack) };
        assert_eq!(of(&off).1, "The account has turned these notices off in its settings.");
    }

    #[test]
    fn what_was_said_the_last_time_is_told() {
        let event = |detail: &str| MailEvent {
            at: TimeMs::EPOCH,
            what: EventKind::Bounced,
            address: None,
            code: None,
            detail: Some(detail.to_owned()),
            actor: None,
            provider: None,
        };
        let bounced =
            MailView { evidence: vec![event("450 later"), event("550 no such user")], ..mail(MailState::Bounced) };
        assert_eq!(of(&bounced).1, "An address does not take it. It was said: 550 no such user");
    }
}
