//! Approving, suspending, reopening an account.

use std::sync::Arc;

use ledger::AccountView;
use metering::AccountId;

use super::super::account::{crumb, path};
use super::super::deed::{Confirmed, Deed};
use super::super::sent::Sent;
use super::super::tabs::Tab;
use super::super::words::{Change, Form, Outcome, Plan, Stop};
use crate::operator::status::{self, Turn, Word};
use crate::refusal::Refusal;
use crate::service::Service;
use crate::show;

#[derive(Clone)]
pub struct SetStatus {
    view: AccountView,
    word: Word,
}

impl Deed for SetStatus {
    type Of = (AccountId, Word);
    const TAB: Tab = Tab::Accounts;
    type Ready = Turn;

    async fn load(service: &Arc<Service>, (account, word): Self::Of) -> Result<Self, Refusal> {
        Ok(Self { view: service.book.account_view(account, service.clock.now()).await?, word })
    }

    fn form(&self, _: &Sent) -> Form {
        let (title, lead) = match self.word {
            Word::Approve => (
                "Approve an account",
                "It may draw credits and set a budget without a plan, and what Stripe says changes nothing, until it is reopened.",
            ),
            Word::Suspend => (
                "Suspend an account",
                "Chat messages and API calls are refused within a second and draw nothing, whatever Stripe says, until it is reopened.",
            ),
            Word::Reopen => (
                "Reopen an account",
                "What Stripe has said of it counts again. Where Stripe has said nothing that counts, it is what it was before an operator \
                 approved or suspended it; where it never was anything else, it is pending.",
            ),
        };
        Form {
            title: title.to_owned(),
            lead: format!("{} is {} now. {lead}", self.view.name, show::status(self.view.status).to_lowercase()),
            back: crumb(&self.view),
            fields: Vec::new(),
            button: "Preview change",
        }
    }

    async fn plan(&self, service: &Arc<Service>, _: &Sent) -> Result<(Plan, Self::Ready), Stop> {
        let turn = status::turn(&service.book, self.view.account, self.word).await??;
        let (from, to) = (show::status(turn.from), show::status(turn.to));
        let draws = |status: metering::Status| if status.may_spend() { "may draw" } else { "refused, draws nothing" };
        let (verb, button) = match self.word {
            Word::Approve => ("Approve", "Approve account"),
            Word::Suspend => ("Suspend", "Suspend account"),
            Word::Reopen => ("Reopen", "Reopen account"),
        };
        let plan = Plan {
            title: format!("{verb} {}", self.view.name),
            says: vec!["It holds within a second, for chat and for each API key.".to_owned()],
            rows: vec![
                Change::new("Status", from, to),
                Change::new("Chat messages and API calls", draws(turn.from), draws(turn.to)),
            ],
            seen: format!("{from} becomes {to}"),
            button,
            is_danger: !turn.to.may_spend(),
        };
        Ok((plan, turn))
    }

    async fn carry_out(
        &self,
        service: &Arc<Service>,
        ready: Self::Ready,
        confirmed: Confirmed<'_>,
    ) -> Result<Outcome, Refusal> {
        let account = self.view.account;
        status::say(&service.book, account, self.word, ready, &confirmed.by).await?;
        Ok(Outcome::See(format!("{}?done=status_set", path(account))))
    }
}
