//! Mails as operators ask for them.

use ledger::mails::{MailState, MailView};

use crate::refusal::Refusal;

/// Whether it goes out by itself: then it can't be sent again.
pub const fn is_under_way(mail: &MailView) -> bool {
    matches!(mail.state, MailState::Queued | MailState::Sending)
}

/// States by a word; all where none was chosen.
pub fn states(word: &str) -> Result<Vec<MailState>, Refusal> {
    match word {
        "" => Ok(Vec::new()),
        word => {
            let state = MailState::from_word(word);
            state.map(|state| vec![state]).ok_or_else(|| Refusal::bad_request("`state` is no state of a mail."))
        }
    }
}
