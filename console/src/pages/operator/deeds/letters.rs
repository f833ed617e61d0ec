//! Deciding about dead letters: tried again, or given up.

use std::sync::Arc;

use ledger::{DeadLetter, LetterId};

use super::super::deed::{Confirmed, Deed};
use super::super::sent::Sent;
use super::super::tabs::Tab;
use super::super::words::{Change, Field, Form, Kind, Link, Outcome, Plan, Stop};
use crate::operator::letters::{named, siblings};
use crate::operator::plain;
use crate::operator::wrong::Wrong;
use crate::refusal::Refusal;
use crate::service::Service;
use crate::show;

#[derive(Clone)]
pub struct OneLetter {
    letter: DeadLetter,
    /// Open ones that can be given up with it.
    siblings: Vec<LetterId>,
}

impl OneLetter {
    async fn load(service: &Service, (shard, event): (String, String)) -> Result<Self, Refusal> {
        let (letter, _) = service.book.dead_letter(named(&shard, &event)?).await?;
        let siblings = siblings(&service.book, &letter).await?;
        Ok(Self { letter, siblings })
    }

    fn form(&self, title: &str, lead: &str, fields: Vec<Field>) -> Form {
        let (letter, kind) = (self.letter.letter, plain::lines(&self.letter.kind));
        Form {
            title: title.to_owned(),
            lead: format!("{letter}, {kind}: {}. {lead}", plain::lines(&self.letter.reason)),
            back: Link::new(format!("/operator/letters/{letter}"), format!("Dead letter {letter}")),
            fields,
            button: "Preview decision",
        }
    }

    fn is_open(&self) -> Result<(), Stop> {
        if self.letter.state == "open" {
            return Ok(());
        }
        Err(Wrong::new("letter", format!("It is {} already.", self.letter.state)).into())
    }

    fn count(&self) -> String {
        show::number(u64::try_from(self.siblings.len()).unwrap_or(u64::MAX))
    }

    fn done(&self) -> Outcome {
        Outcome::See(format!("/operator/letters/{}?done=letters_decided", self.letter.letter))
    }
}

/// Every open letter of the account, applied in order.
#[derive(Clone)]
pub struct RetryLetter(OneLetter);

const SKIPS: &str = "skip";

impl Deed for RetryLetter {
    type Of = (String, String);
    const TAB: Tab = Tab::Letters;
    type Ready = bool;

    async fn load(service: &Arc<Service>, of: Self::Of) -> Result<Self, Refusal> {
        OneLetter::load(service, of).await.map(Self)
    }

    fn form(&self, sent: &Sent) -> Form {
        let lead = "Every open letter of its account is applied, in order, all or none of them.";
        let choices = vec![
            ("wait", "refuse, where a number of the account is in no letter".to_owned()),
            (SKIPS, "give up numbers that are in no letter, and write live state anew from the book".to_owned()),
        ];
        let sent = sent.clone().or("missing", "wait");
        let missing = Field::new("missing", "Missing numbers", Kind::Choice(choices), &sent)
            .hinted("Each event of an account has a number. One that was lost is in no letter.");
        self.0.form("Try a dead letter again", lead, vec![missing])
    }

    async fn plan(&self, _: &Arc<Service>, sent: &Sent) -> Result<(Plan, Self::Ready), Stop> {
        self.0.is_open()?;
        let letter = &self.0.letter;
        if letter.superseded {
            let said =
                "Live state was built anew without it: what came after does not build on it. It can only be discarded.";
            return Err(Wrong::new("letter", said).into());
        }
        let mut says = vec!["The owner of the shard carries it out, within seconds where it runs.".to_owned()];
        let skips = sent.one("missing") == SKIPS;
        if skips {
            says.push(
                "Numbers that are in no letter are given up: what those events drew or gave back is never in the book."
                    .to_owned(),
            );
        }
        let account = letter.account.map_or_else(|| "as its bytes say".to_owned(), |account| account.to_string());
        let plan = Plan {
            title: format!("Try {} again", letter.letter),
            says,
            rows: vec![
                Change::new("Account", account.clone(), account),
                Change::new("Open letters of it", self.0.count(), "applied in order"),
            ],
            seen: format!("{} open letters", self.0.count()),
            button: "Try again",
            is_danger: skips,
        };
        Ok((plan, skips))
    }

    async fn carry_out(
        &self,
        service: &Arc<Service>,
        ready: Self::Ready,
        confirmed: Confirmed<'_>,
    ) -> Result<Outcome, Refusal> {
        service.book.retry_dead_letter(self.0.letter.letter, ready, &confirmed.by).await?;
        Ok(self.0.done())
    }
}

/// One letter, or all that can be given up with it.
#[derive(Clone)]
pub struct DiscardLetters(OneLetter);

const ALL: &str = "all";

impl DiscardLetters {
    fn chosen(&self, sent: &Sent) -> Vec<LetterId> {
        if sent.one("which") == ALL { self.0.siblings.clone() } else { vec![self.0.letter.letter] }
    }
}

impl Deed for DiscardLetters {
    type Of = (String, String);
    const TAB: Tab = Tab::Letters;
    type Ready = Vec<LetterId>;

    async fn load(service: &Arc<Service>, of: Self::Of) -> Result<Self, Refusal> {
        OneLetter::load(service, of).await.map(Self)
    }

    fn form(&self, sent: &Sent) -> Form {
        let lead = "What is discarded never reaches the book: what it drew is drawn for nobody's account.";
        let choices = vec![
            ("this", "this one; the account's other open letters are applied".to_owned()),
            (ALL, format!("all {} open letters of its account that are of the same life of the shard", self.0.count())),
        ];
        let sent = sent.clone().or("which", "this");
        let which = Field::new("which", "Which", Kind::Choice(choices), &sent);
        self.0.form("Discard a dead letter", lead, vec![which])
    }

    async fn plan(&self, _: &Arc<Service>, sent: &Sent) -> Result<(Plan, Self::Ready), Stop> {
        self.0.is_open()?;
        let chosen = self.chosen(sent);
        let given_up = show::number(u64::try_from(chosen.len()).unwrap_or(u64::MAX));
        let credits = self.0.letter.credits.map_or_else(|| "can't be read".to_owned(), show::credits_in_words);
        let plan = Plan {
            title: format!("Discard {}", self.0.letter.letter),
            says: vec![
                "The owner of the shard carries it out, and writes live state of the account anew from the book."
                    .to_owned(),
                "That can't be undone.".to_owned(),
            ],
            rows: vec![
                Change::new("Letters that are given up", given_up, "discarded"),
                Change::new("What this one drew", credits, "drawn for nobody's account"),
            ],
            seen: format!("{} open letters", self.0.count()),
            button: "Discard",
            is_danger: true,
        };
        Ok((plan, chosen))
    }

    async fn carry_out(
        &self,
        service: &Arc<Service>,
        ready: Self::Ready,
        confirmed: Confirmed<'_>,
    ) -> Result<Outcome, Refusal> {
        service.book.discard_dead_letters(&ready, &confirmed.by).await?;
        Ok(self.0.done())
    }
}
