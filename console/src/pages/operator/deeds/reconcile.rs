//! Mending what Stripe and the book differ in.

use std::sync::Arc;

use ledger::Day;

use super::super::deed::{Confirmed, Deed};
use super::super::sent::Sent;
use super::super::tabs::Tab;
use super::super::words::{Change, Field, Form, Kind, Link, Outcome, Plan, Stop, Told};
use crate::operator::wrong::Wrong;
use crate::operator::{plain, reconcile};
use crate::refusal::Refusal;
use crate::service::Service;
use crate::show;

const ROWS_MAX: usize = 100;

#[derive(Clone)]
pub struct Repair;

impl Deed for Repair {
    type Of = ();
    const TAB: Tab = Tab::Reconcile;
    type Ready = Option<Day>;

    async fn load(_: &Arc<Service>, (): ()) -> Result<Self, Refusal> {
        Ok(Self)
    }

    fn form(&self, sent: &Sent) -> Form {
        Form {
            title: "Repair what differs from Stripe".to_owned(),
            lead: "What Stripe says is put into the book on the same path as a delivery: paid credits are granted, refunded ones clawed back."
                .to_owned(),
            back: Link::new("/operator/reconcile", "Reconcile"),
            fields: vec![
                Field::new("since", "Since (UTC)", Kind::Line, sent)
                    .hinted("A day, as 2026-11-26. Empty: since the last look that left nothing."),
            ],
            button: "Look what differs",
        }
    }

    async fn plan(&self, service: &Arc<Service>, sent: &Sent) -> Result<(Plan, Self::Ready), Stop> {
        let by = ledger::By { actor: "console".to_owned(), reason: String::new(), at: service.clock.now() };
        let since = sent.day("since")?;
        let look = reconcile::look(service, since, false, &by).await?;
        let open: Vec<_> = look.found.open().collect();
        if open.is_empty() {
            return Err(Wrong::new("since", "Nothing differs since then: there is nothing to mend.").into());
        }
        let row = |found: &&payments::Difference| {
            let account = found.account.map_or_else(|| "no account".to_owned(), |account| account.to_string());
            let said = format!("{}: {}", found.kind().replace('_', " "), plain::lines(&found.detail));
            Change::new(format!("{} of {account}", plain::lines(&found.id)), said, "mended where it can be")
        };
        let plan = Plan {
            title: "Repair what differs".to_owned(),
            says: vec![format!("Found since {}. What can't be mended stays, and is told.", show::instant(look.since))],
            seen: open.iter().map(|found| format!("{} {}", found.kind(), found.id)).collect::<Vec<_>>().join(", "),
            rows: open.iter().take(ROWS_MAX).map(row).collect(),
            button: "Repair",
            is_danger: true,
        };
        Ok((plan, since))
    }

    async fn carry_out(
        &self,
        service: &Arc<Service>,
        ready: Self::Ready,
        confirmed: Confirmed<'_>,
    ) -> Result<Outcome, Refusal> {
        let look = reconcile::look(service, ready, true, &confirmed.by).await?;
        let (all, left) = (look.found.differences.len(), look.found.open().count());
        let row = |found: &payments::Difference| {
            let said = format!("{}: {}", found.kind().replace('_', " "), plain::lines(&found.detail));
            Change::new(plain::lines(&found.id), said, if found.mended { "mended" } else { "still there" })
        };
        let told = Told {
            title: "Repaired".to_owned(),
            is_good: left == 0,
            says: vec![format!("Mended: {} of {all}. Left: {left}.", all.saturating_sub(left))],
            rows: look.found.differences.iter().take(ROWS_MAX).map(row).collect(),
            back: Link::new("/operator/reconcile", "Reconcile"),
        };
        Ok(Outcome::Told(told))
    }
}
