//! A mail as a row, with its evidence.

use ledger::mails::MailView;

use crate::notices::mail;
use crate::pages::when::When;

/// One mail.
pub struct MailRow {
    pub queued: When,
    pub kind: String,
    pub state: &'static str,
    pub tone: &'static str,
    /// Whom it was handed over for; before that, where it was queued to.
    pub to: String,
    /// Why it was held back.
    pub held: Option<String>,
    pub next_try: Option<When>,
    pub facts: Vec<Fact>,
}

/// One thing that happened to it.
pub struct Fact {
    pub at: When,
    pub says: String,
}

impl From<MailView> for MailRow {
    fn from(view: MailView) -> Self {
        let (state, tone) = mail::state(view.state);
        let is_held = view.state == ledger::mails::MailState::HeldBack;
        let to = if view.addresses.is_empty() { view.address.unwrap_or_default() } else { view.addresses.join(", ") };
        Self {
            queued: When::instant(view.queued_at),
            kind: mail::kind(view.kind),
            state,
            tone,
            to,
            held: view.held_reason.filter(|_| is_held).map(|reason| mail::held(&reason)),
            next_try: view.next_try_at.map(When::instant),
            facts: view
                .evidence
                .iter()
                .map(|event| Fact { at: When::instant(event.at), says: mail::event(event) })
                .collect(),
        }
    }
}
