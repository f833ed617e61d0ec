//! Whether a mail is to be sent, and to whom.

use std::collections::BTreeSet;

use config::notices::Notices;
use ledger::mails::{ClaimedMail, EventKind, Fact, MailKind, Suppression, check_address, fold_address};
use lettre::Address;

/// What is to be done with a mail, and what is to be written down about it in any case.
pub struct Decision {
    pub what: What,
    pub facts: Vec<Fact>,
}

/// What is to be done with a mail.
#[derive(Debug, PartialEq, Eq)]
pub enum What {
    /// It goes to these.
    Send(Vec<Address>),
    /// It is not to be sent; a word for why.
    HoldBack(&'static str),
    /// All who would get it are on the list.
    Suppress,
}

impl Decision {
    fn hold_back(reason: &'static str, words: &str, mut facts: Vec<Fact>) -> Self {
        facts.push(Fact::new(EventKind::HeldBack, reason, words));
        Self { what: What::HoldBack(reason), facts }
    }
}

/// The installation, the account, and whether there is an address: in this order, so that the first reason that stands is the one that is told.
pub fn wanted(mail: &ClaimedMail, notices: Notices) -> Result<Vec<String>, Decision> {
    let (switch, setting) = match mail.kind {
        MailKind::LowBalance => (notices.low_balance, mail.settings.low_balance),
        _ => (notices.lifecycle, mail.settings.lifecycle),
    };
    if !switch {
        return Err(Decision::hold_back("switched_off", "this installation sends no mails of this kind", Vec::new()));
    }
    if !setting {
        return Err(Decision::hold_back("settings_off", "the account wants no mails of this kind", Vec::new()));
    }
    let own = mail.address.as_ref().or(mail.account_email.as_ref());
    let recipients: Vec<String> = if mail.settings.recipients.is_empty() {
        own.cloned().into_iter().collect()
    } else {
        mail.settings.recipients.clone()
    };
    if recipients.is_empty() {
        return Err(Decision::hold_back("no_address", "nobody's address is known", Vec::new()));
    }
    Ok(recipients)
}

/// Those of the recipients that are addresses and not on the list, each once.
pub fn reachable(recipients: &[String], suppressed: &[Suppression]) -> Decision {
    let (mut to, mut facts, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    let mut on_the_list = false;
    for recipient in recipients {
        let folded = fold_address(recipient);
        if !seen.insert(folded.clone()) {
            continue;
        }
        if let Some(found) = suppressed.iter().find(|found| found.address == folded) {
            on_the_list = true;
            let words = format!("nothing is sent to this address any more: {} told by {}", found.reason, found.actor);
            facts.push(Fact::new(EventKind::Suppressed, found.reason.as_str(), words).of(recipient));
            continue;
        }
        if let (Ok(()), Ok(address)) = (check_address(recipient), recipient.parse::<Address>()) {
            to.push(address);
        } else {
            let words = "mails can't be sent to what stands here";
            facts.push(Fact::new(EventKind::Failed, "bad_address", words).of(recipient));
        }
    }
    if !to.is_empty() {
        return Decision { what: What::Send(to), facts };
    }
    if on_the_list {
        return Decision { what: What::Suppress, facts };
    }
    Decision::hold_back("bad_address", "there is no address that mails can be sent to", facts)
}

#[cfg(test)]
mod tests {
    use ledger::mails::{MailTurn, NoticeSettings, SuppressionReason};
    use metering::{AccountId, TimeMs};
    use serde_json::json;

    use super::*;

    const ALL: Notices = Notices { low_balance: true, lifecycle: true, per_hour_max: 1 };

    fn mail(kind: MailKind) -> ClaimedMail {
        let account: AccountId = "acct_00000000000070008000000000000001".parse().unwrap();
        ClaimedMail {
            turn: MailTurn { mail: 1, turn: 1 },
            attempts: 1,
            account,
            account_name: "Ada".to_owned(),
            account_email: Some("account@x".to_owned()),
            address: Some("mail@x".to_owned()),
            settings: NoticeSettings::default(),
            kind,
            detail: json!({}),
            message_id: "m".to_owned(),
            queued_at: TimeMs::new(0),
        }
    }

    fn held(mail: &ClaimedMail, notices: Notices) -> Option<What> {
        wanted(mail, notices).err().map(|decision| decision.what)
    }

    #[test]
    fn each_kind_has_its_switch_and_its_setting_and_the_switch_is_told_first() {
        for kind in MailKind::ALL {
            let of_low_balance = *kind == MailKind::LowBalance;
            let mut mail = mail(*kind);
            let (no_low, no_life) = (Notices { low_balance: false, ..ALL }, Notices { lifecycle: false, ..ALL });
            let (off, other) = if of_low_balance { (no_low, no_life) } else { (no_life, no_low) };
            assert_eq!(held(&mail, off), Some(What::HoldBack("switched_off")), "{kind}");
            assert_eq!(held(&mail, other), None);
            mail.settings = NoticeSettings { low_balance: !of_low_balance, lifecycle: of_low_balance, ..mail.settings };
            assert_eq!(held(&mail, ALL), Some(What::HoldBack("settings_off")));
            assert_eq!(held(&mail, off), Some(What::HoldBack("switched_off")));
        }
    }

    #[test]
    fn a_mail_goes_where_settings_say_else_where_it_was_queued_to_else_to_the_account() {
        let mut mail = mail(MailKind::PlanActive);
        mail.settings.recipients = vec!["one@x".to_owned(), "two@x".to_owned()];
        assert_eq!(wanted(&mail, ALL).ok().unwrap(), ["one@x", "two@x"]);
        mail.settings.recipients.clear();
        assert_eq!(wanted(&mail, ALL).ok().unwrap(), ["mail@x"]);
        mail.address = None;
        assert_eq!(wanted(&mail, ALL).ok().unwrap(), ["account@x"]);
        mail.account_email = None;
        assert_eq!(held(&mail, ALL), Some(What::HoldBack("no_address")));
    }

    #[test]
    fn the_list_and_what_is_no_address_leave_the_others_alone() {
        let listed = |address: &str| Suppression {
            address: address.to_owned(),
            reason: SuppressionReason::Bounced,
            detail: None,
            mail: None,
            actor: "ses".to_owned(),
            at: TimeMs::new(0),
        };
        let decide = |recipients: &[&str], list: &[&str]| {
            let recipients: Vec<String> = recipients.iter().map(|one| (*one).to_owned()).collect();
            let list: Vec<Suppression> = list.iter().map(|address| listed(address)).collect();
            let Decision { what, facts } = reachable(&recipients, &list);
            (what, facts.iter().map(|fact| fact.code.clone()).collect::<Vec<_>>())
        };
        let send = |to: &[&str]| What::Send(to.iter().map(|one| one.parse().unwrap()).collect());
        assert_eq!(decide(&["a@x", "A@X", "b@x"], &[]), (send(&["a@x", "b@x"]), vec![]));
        assert_eq!(decide(&["A@x", "b@x"], &["a@x"]), (send(&["b@x"]), vec!["bounced".to_owned()]));
        assert_eq!(decide(&["a@x"], &["a@x"]), (What::Suppress, vec!["bounced".to_owned()]));
        assert_eq!(decide(&["a@x\r\nBcc: b@x", "b@x"], &[]), (send(&["b@x"]), vec!["bad_address".to_owned()]));
        let bad = (What::HoldBack("bad_address"), vec!["bad_address".to_owned(), "bad_address".to_owned()]);
        assert_eq!(decide(&["no address"], &[]), bad);
    }
}
