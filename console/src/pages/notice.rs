//! What a page says after a form has sent somebody there: a word in the address, never a text, so that nobody can make a page say theirs.

use serde::Deserialize;

/// The query of pages that forms lead back to.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct NoticeQuery {
    /// What was done.
    pub done: Option<String>,
}

/// A sentence on top of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// For people.
    pub text: &'static str,
}

/// Each word that forms leave behind, and its sentence.
const DONE: [(&str, &str); 14] = [
    ("budget_saved", "Budget saved. It holds from now on, for chat and API alike."),
    ("key_revoked", "Key revoked. Calls with it are refused within a second."),
    ("key_changed", "Key changed."),
    ("settings_saved", "Settings saved."),
    ("lot_granted", "Credits granted."),
    ("lot_moved", "Expiry moved."),
    ("lot_voided", "Lot voided: what was left of it can't be drawn any more."),
    ("lot_reduced", "Credits taken out."),
    ("status_set", "Status set. It holds within a second."),
    ("letters_decided", "Decision taken. The owner of the shard carries it out."),
    ("delivery_decided", "Delivery decided."),
    ("mail_queued", "The mail will be sent again."),
    ("address_suppressed", "Nothing is sent to the address any more."),
    ("address_released", "The address may be written to again."),
];

impl NoticeQuery {
    /// The sentence, if the word is known.
    pub fn notice(&self) -> Option<Notice> {
        let word = self.done.as_deref()?;
        DONE.iter().find(|(known, _)| *known == word).map(|(_, text)| Notice { text })
    }
}
