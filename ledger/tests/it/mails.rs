//! Mails: queued once, handed over by one worker at a time, and what became of each.

mod evidence;
mod low_balance;
mod low_before;
mod settings;
mod work;

use std::time::Duration;

use ledger::mails::{ClaimedMail, Ended, EventKind, Fact, Handover, MailFilter, MailState, MailView};
use ledger::{Ledger, NewAccount};
use metering::{AccountId, BudgetAnchor, LotId, Status, TimeMs};

use crate::actors::{NOON, Operator, by};

pub const LEASE: Duration = Duration::from_mins(1);
const HOUR: u64 = 3_600_000;

/// An account whose credits run low, and who reads its mails.
pub struct Payer<'a> {
    pub operator: &'a Operator,
    pub account: AccountId,
    pub lot: LotId,
}

impl<'a> Payer<'a> {
    /// With a hundred credits, all of them there.
    pub async fn arrives(operator: &'a Operator, email: Option<&str>) -> Self {
        let new = NewAccount {
            name: "Ada".to_owned(),
            email: email.map(str::to_owned),
            status: Status::Active,
            anchor: BudgetAnchor::FIRST,
        };
        let account = operator.db.ledger.create_account(&new, &by(NOON)).await.unwrap();
        let lot = operator.grants(account, 100, 30).await;
        Self { operator, account, lot }
    }

    /// One that is told of its low balance now.
    pub async fn is_told(operator: &'a Operator, email: Option<&str>) -> Self {
        let payer = Self::arrives(operator, email).await;
        payer.has(20).await;
        assert_eq!(payer.looks(NOON).await, 1);
        payer
    }

    pub fn book(&self) -> &Ledger {
        &self.operator.db.ledger
    }

    /// So many of the hundred are left.
    pub async fn has(&self, remaining: u64) {
        let sql = format!("UPDATE lots SET remaining = {remaining} WHERE lot_id = {}", self.lot.as_u64());
        self.operator.db.execute(&sql).await.unwrap();
    }

    /// What the roll-up does after its debits.
    pub async fn looks(&self, at: TimeMs) -> u64 {
        self.book().queue_low_balance_mails(&[self.account], at, None).await.unwrap()
    }

    pub async fn mails(&self) -> Vec<MailView> {
        let filter = MailFilter { account: Some(self.account), limit: 100, ..MailFilter::default() };
        self.book().mails(&filter).await.unwrap()
    }

    /// The only mail that it has.
    pub async fn mail(&self) -> MailView {
        let mut mails = self.mails().await;
        assert_eq!(mails.len(), 1, "{mails:?}");
        mails.remove(0)
    }

    /// How far that is, and all that happened to it.
    pub async fn story(&self) -> (MailState, Vec<EventKind>) {
        let mail = self.mail().await;
        (mail.state, mail.evidence.iter().map(|event| event.what).collect())
    }

    pub async fn claims(&self, at: TimeMs) -> Option<ClaimedMail> {
        let claimed = self.book().claim_mails(10, LEASE, at).await.unwrap();
        assert!(claimed.len() <= 1, "{claimed:?}");
        claimed.into_iter().next()
    }

    /// The mail is handed over and taken.
    pub async fn is_sent(&self, to: &[&str], at: TimeMs) -> u64 {
        let claimed = self.claims(at).await.expect("a mail that waits");
        self.begins(&claimed, to, at).await;
        let ended = Ended::Sent { provider_id: Some("0100018c-cafe-0000".to_owned()) };
        let facts = [Fact::new(EventKind::Sent, "accepted", "250 2.0.0 Ok 0100018c-cafe-0000")];
        assert!(self.book().end_turn(claimed.turn, &ended, &facts, at).await.unwrap());
        claimed.turn.mail
    }

    pub async fn begins(&self, claimed: &ClaimedMail, to: &[&str], at: TimeMs) {
        let handover = self.hands_over(claimed, to, at).await;
        assert_eq!(handover, Handover::Begun);
    }

    pub async fn hands_over(&self, claimed: &ClaimedMail, to: &[&str], at: TimeMs) -> Handover {
        let to: Vec<String> = to.iter().map(|address| (*address).to_owned()).collect();
        self.book().begin_handover(claimed.turn, &to, 3, at.plus_ms(60_000), at).await.unwrap()
    }
}
