//! Having an account's live state written anew from the book.

use std::sync::Arc;

use ledger::AccountView;
use metering::AccountId;

use super::super::account::{crumb, path};
use super::super::deed::{Confirmed, Deed};
use super::super::sent::Sent;
use super::super::tabs::Tab;
use super::super::words::{Change, Form, Link, Outcome, Plan, Stop, Told};
use crate::operator::rebuild::{self, Before, Rebuilt, WAIT};
use crate::refusal::Refusal;
use crate::service::Service;

/// More changes than these nobody reads, and what is kept of an answer has a limit.
const ROWS_MAX: usize = 100;

#[derive(Clone)]
pub struct Rebuild {
    view: AccountView,
}

impl Deed for Rebuild {
    type Of = AccountId;
    const TAB: Tab = Tab::Accounts;
    type Ready = Before;

    async fn load(service: &Arc<Service>, of: AccountId) -> Result<Self, Refusal> {
        Ok(Self { view: service.book.account_view(of, service.clock.now()).await? })
    }

    fn form(&self, _: &Sent) -> Form {
        Form {
            title: "Rebuild live state".to_owned(),
            lead: format!(
                "The live balance of {} is written anew from the book. The book must agree with itself; verify it first.",
                self.view.name
            ),
            back: crumb(&self.view),
            fields: Vec::new(),
            button: "Look what differs",
        }
    }

    async fn plan(&self, service: &Arc<Service>, _: &Sent) -> Result<(Plan, Self::Ready), Stop> {
        let before = rebuild::before(service, self.view.account).await?;
        let differs = |drift: &ledger::Drift| Change::new("Differs", drift.to_string(), "as the book says");
        let mut rows: Vec<Change> = before.drifts.iter().take(ROWS_MAX).map(differs).collect();
        if rows.is_empty() {
            rows.push(Change::new("Live state", "agrees with the book", "written anew all the same"));
        }
        let plan = Plan {
            title: format!("Rebuild the live state of {}", self.view.name),
            says: vec![
                "Calls of the account wait meanwhile, for some milliseconds. Nothing in the book changes.".to_owned(),
                format!("The owner of its shard does it; this page waits {} s at most.", WAIT.as_secs()),
            ],
            seen: rows.iter().map(|row| row.before.as_str()).collect::<Vec<_>>().join("; "),
            rows,
            button: "Rebuild",
            is_danger: false,
        };
        Ok((plan, before))
    }

    async fn carry_out(
        &self,
        service: &Arc<Service>,
        ready: Self::Ready,
        confirmed: Confirmed<'_>,
    ) -> Result<Outcome, Refusal> {
        let rebuilt = rebuild::rebuild(service, self.view.account, ready, &confirmed.by).await?;
        Ok(Outcome::Told(self.told(rebuilt)))
    }
}

impl Rebuild {
    fn told(&self, rebuilt: Rebuilt) -> Told {
        let back = Link::new(path(self.view.account), self.view.name.clone());
        if !rebuilt.is_done {
            let says = "The owner of the shard has not come to it yet. It will once it runs: verify the account then."
                .to_owned();
            return Told {
                title: "Rebuild is still under way".to_owned(),
                is_good: false,
                says: vec![says],
                rows: Vec::new(),
                back,
            };
        }
        let mut says = vec![format!(
            "Differences before: {}, after: {}. Control version {}.",
            rebuilt.differed.len(),
            rebuilt.left.len(),
            rebuilt.version
        )];
        says.extend(rebuilt.left.iter().map(|drift| format!("Still wrong: {drift}.")));
        says.extend(rebuilt.unsure.iter().map(|why| format!("Not compared afterwards: {why}")));
        if rebuilt.changed.is_empty() {
            says.push("Nothing in live state is another than before.".to_owned());
        } else {
            says.push("This is another than before; calls that went on meanwhile change some of it, too.".to_owned());
        }
        let shown = |value: Option<String>| value.unwrap_or_else(|| "nothing".to_owned());
        let rows = rebuilt.changed.into_iter().take(ROWS_MAX);
        Told {
            title: "Live state was written anew".to_owned(),
            is_good: rebuilt.left.is_empty(),
            says,
            rows: rows.map(|change| Change::new(change.field, shown(change.before), shown(change.after))).collect(),
            back,
        }
    }
}
