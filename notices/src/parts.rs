//! What the settings stand for, checked before anything is opened: the mail server, and what stands in every mail.

use config::ConfigError;
use config::notices::Settings;
use ledger::mails::check_address;
use lettre::message::Mailbox;

use crate::compose::Stationery;
use crate::smtp::{Smtp, is_ascii};

/// Everything that mails are made and sent by.
pub struct Parts {
    /// What stands in every mail.
    pub stationery: Stationery,
    /// Who takes them.
    pub smtp: Smtp,
}

impl Parts {
    /// Makes them, or says which setting is wrong.
    pub fn of(settings: &Settings) -> Result<Self, ConfigError> {
        settings.check()?;
        let letter = &settings.letter;
        let from = mailbox("letter.from", &letter.from)?;
        let reply_to = match letter.reply_to.as_str() {
            "" => None,
            written => Some(mailbox("letter.reply_to", written)?),
        };
        let smtp = Smtp::of(&settings.smtp, from.email.domain())?;
        Ok(Self { stationery: Stationery::new(letter, from, reply_to), smtp })
    }
}

/// `Name <address>`, or an address.
fn mailbox(key: &str, written: &str) -> Result<Mailbox, ConfigError> {
    let refused = |why: String| ConfigError::about_key(key, why);
    let has_controls = written.chars().any(char::is_control);
    let parsed = written.parse::<Mailbox>().ok().filter(|_| !has_controls);
    let mailbox = parsed.ok_or_else(|| refused("is `Name <address>` or an address".to_owned()))?;
    check_address(mailbox.email.as_ref()).map_err(|error| refused(error.to_string()))?;
    if !is_ascii(&mailbox.email) {
        return Err(refused("has an address with other letters than those of ASCII".to_owned()));
    }
    Ok(mailbox)
}
