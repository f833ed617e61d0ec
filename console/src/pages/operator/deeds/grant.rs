//! Granting a lot: credits for goodwill, or added to mend a mistake.

use std::sync::Arc;

use ledger::AccountView;
use metering::{AccountId, TimeMs};

use super::super::account::{crumb, path};
use super::super::deed::{Confirmed, Deed};
use super::super::sent::{Sent, field_of};
use super::super::tabs::Tab;
use super::super::words::{Change, Field, Form, Kind, Outcome, Plan, Stop};
use crate::operator::lots::{self, NewLot, PRODUCT_LETTERS_MAX};
use crate::operator::wrong::Wrong;
use crate::refusal::Refusal;
use crate::service::Service;
use crate::show;

/// How long a lot lasts where nobody says otherwise.
const MONTH_MS: u64 = 30 * 86_400_000;

#[derive(Clone)]
pub struct GrantLot {
    view: AccountView,
    now: TimeMs,
}

impl GrantLot {
    fn lot(&self, sent: &Sent) -> Result<NewLot, Wrong> {
        let (credits, expires_at) = (sent.credits("credits")?, sent.instant("expires_at")?);
        NewLot::of(credits, sent.one("product"), expires_at, self.now)
    }
}

impl Deed for GrantLot {
    type Of = AccountId;
    const TAB: Tab = Tab::Accounts;
    type Ready = NewLot;

    async fn load(service: &Arc<Service>, of: AccountId) -> Result<Self, Refusal> {
        let now = service.clock.now();
        Ok(Self { view: service.book.account_view(of, now).await?, now })
    }

    fn form(&self, sent: &Sent) -> Form {
        let sent = sent.clone().or("product", "Adjustment").or("expires_at", field_of(self.now.plus_ms(MONTH_MS)));
        Form {
            title: "Grant credits".to_owned(),
            lead: format!("A lot for {}. It can be drawn as soon as it is granted.", self.view.name),
            back: crumb(&self.view),
            fields: vec![
                Field::new("credits", "Credits", Kind::Number, &sent).hinted("A whole number from 1."),
                Field::new("product", "Product", Kind::Line, &sent)
                    .hinted(format!("What the account's people see it called: 1 to {PRODUCT_LETTERS_MAX} letters.")),
                Field::new("expires_at", "Expires (UTC)", Kind::Instant, &sent)
                    .hinted("First instant at which it can no longer be drawn."),
            ],
            button: "Preview grant",
        }
    }

    async fn plan(&self, _: &Arc<Service>, sent: &Sent) -> Result<(Plan, Self::Ready), Stop> {
        let lot = self.lot(sent)?;
        let after = self.view.remaining.checked_add(lot.credits());
        let too_many = || Wrong::new("credits", "With these the account would have more than can be counted.");
        let after = after.ok_or_else(too_many)?;
        let live = self.view.lots.iter().filter(|lot| crate::billing::lots::is_open(lot)).count();
        let count = |lots: usize| show::number(u64::try_from(lots).unwrap_or(u64::MAX));
        let plan = Plan {
            title: format!("Grant {} to {}", show::credits_in_words(lot.credits()), self.view.name),
            says: vec![
                "The credits can be drawn by chat and API within a second. What expires first is drawn first."
                    .to_owned(),
            ],
            rows: vec![
                Change::new("Remaining", show::credits(self.view.remaining), show::credits(after)),
                Change::new("Lots to draw from", count(live), count(live.saturating_add(1))),
                Change::new("Product of the new lot", "", lot.product()),
                Change::new("Its expiry", "", show::instant(lot.expires_at())),
            ],
            // It adds to whatever is there, so nothing that is there decides about it.
            seen: String::new(),
            button: "Grant credits",
            is_danger: false,
        };
        Ok((plan, lot))
    }

    async fn carry_out(
        &self,
        service: &Arc<Service>,
        ready: Self::Ready,
        confirmed: Confirmed<'_>,
    ) -> Result<Outcome, Refusal> {
        let source = lots::source(confirmed.caller, confirmed.key);
        lots::grant(&service.book, self.view.account, &ready, source, &confirmed.by).await?;
        Ok(Outcome::See(format!("{}?done=lot_granted", path(self.view.account))))
    }
}
