//! Mending a lot: its end moved, ended now, credits taken out.

use std::sync::Arc;

use ledger::{AccountView, LotView};
use metering::{AccountId, Credits, LotId, TimeMs};

use super::super::account::{crumb, path};
use super::super::deed::{Confirmed, Deed};
use super::super::sent::{Sent, field_of};
use super::super::tabs::Tab;
use super::super::words::{Change, Field, Form, Kind, Outcome, Plan, Stop};
use crate::operator::lots::{self, check_end, check_move, check_take};
use crate::refusal::Refusal;
use crate::service::Service;
use crate::show;

/// A lot of an account, as it is now.
#[derive(Clone)]
pub struct OneLot {
    view: AccountView,
    lot: LotView,
    now: TimeMs,
}

impl OneLot {
    async fn load(service: &Service, (account, lot): (AccountId, LotId)) -> Result<Self, Refusal> {
        let now = service.clock.now();
        let view = crate::billing::lots::read(service, account, now).await?;
        let lot = lots::find(&view, lot)?.clone();
        Ok(Self { view, lot, now })
    }

    fn form(&self, title: &str, lead: &str, fields: Vec<Field>, button: &'static str) -> Form {
        let (lot, left) = (&self.lot, show::credits_in_words(self.lot.remaining));
        let until = show::instant(lot.expires_at);
        Form {
            title: title.to_owned(),
            lead: format!("{} of {} ({}): {left} left, expires {until}. {lead}", lot.lot, self.view.name, lot.product),
            back: crumb(&self.view),
            fields,
            button,
        }
    }

    fn done(&self, word: &str) -> Outcome {
        Outcome::See(format!("{}?done={word}#lots", path(self.view.account)))
    }
}

/// Its end, moved.
#[derive(Clone)]
pub struct MoveExpiry(OneLot);

impl Deed for MoveExpiry {
    type Of = (AccountId, LotId);
    const TAB: Tab = Tab::Accounts;
    type Ready = TimeMs;

    async fn load(service: &Arc<Service>, of: Self::Of) -> Result<Self, Refusal> {
        OneLot::load(service, of).await.map(Self)
    }

    fn form(&self, sent: &Sent) -> Form {
        let sent = sent.clone().or("expires_at", field_of(self.0.lot.expires_at));
        let field = Field::new("expires_at", "New expiry (UTC)", Kind::Instant, &sent)
            .hinted("First instant at which it can no longer be drawn.");
        self.0.form("Move a lot's expiry", "", vec![field], "Preview change")
    }

    async fn plan(&self, _: &Arc<Service>, sent: &Sent) -> Result<(Plan, Self::Ready), Stop> {
        let (lot, to) = (&self.0.lot, sent.instant("expires_at")?);
        check_move(lot, to, self.0.now)?;
        let (from, until) = (show::instant(lot.expires_at), show::instant(to));
        let mut says = vec![format!("{} left in it can be drawn until then.", show::credits_in_words(lot.remaining))];
        if lot.expires_at <= self.0.now {
            says.push("It has expired, and what was left is still there: it can be drawn again.".to_owned());
        }
        let plan = Plan {
            title: format!("Move the expiry of {}", lot.lot),
            says,
            rows: vec![Change::new("Expires", from.clone(), until)],
            seen: format!("expiry {}", show::machine(lot.expires_at)),
            button: "Move expiry",
            is_danger: to < lot.expires_at,
        };
        Ok((plan, to))
    }

    async fn carry_out(
        &self,
        service: &Arc<Service>,
        ready: Self::Ready,
        confirmed: Confirmed<'_>,
    ) -> Result<Outcome, Refusal> {
        let lot = &self.0.lot;
        service.book.move_lot_expiry_from(lot.lot, Some(lot.expires_at), ready, &confirmed.by).await?;
        Ok(self.0.done("lot_moved"))
    }
}

/// Voided: ended now, with whatever is left in it.
#[derive(Clone)]
pub struct EndLot(OneLot);

impl Deed for EndLot {
    type Of = (AccountId, LotId);
    const TAB: Tab = Tab::Accounts;
    type Ready = ();

    async fn load(service: &Arc<Service>, of: Self::Of) -> Result<Self, Refusal> {
        OneLot::load(service, of).await.map(Self)
    }

    fn form(&self, _: &Sent) -> Form {
        let lead = "Whatever is left in it can't be drawn any more, by chat or API.";
        self.0.form("Void a lot", lead, Vec::new(), "Preview")
    }

    async fn plan(&self, _: &Arc<Service>, _: &Sent) -> Result<(Plan, Self::Ready), Stop> {
        let lot = &self.0.lot;
        check_end(lot, self.0.now)?;
        let until = show::instant(lot.expires_at);
        let plan = Plan {
            title: format!("Void {}", lot.lot),
            says: vec![
                "It ends now. What was drawn from it stays drawn, and what comes back to it later lapses.".to_owned(),
                "What is left is taken out of it a moment later. That can't be undone; grant another lot instead."
                    .to_owned(),
            ],
            rows: vec![
                Change::new("Expires", until.clone(), "now"),
                Change::new("Can be drawn from it", show::credits(lot.remaining), "0"),
            ],
            seen: format!("expiry {}", show::machine(lot.expires_at)),
            button: "Void lot",
            is_danger: true,
        };
        Ok((plan, ()))
    }

    async fn carry_out(&self, service: &Arc<Service>, (): (), confirmed: Confirmed<'_>) -> Result<Outcome, Refusal> {
        let lot = &self.0.lot;
        service.book.move_lot_expiry_from(lot.lot, Some(lot.expires_at), confirmed.by.at, &confirmed.by).await?;
        Ok(self.0.done("lot_voided"))
    }
}

/// Corrected downwards: credits taken out.
#[derive(Clone)]
pub struct TakeOut(OneLot);

impl Deed for TakeOut {
    type Of = (AccountId, LotId);
    const TAB: Tab = Tab::Accounts;
    type Ready = Credits;

    async fn load(service: &Arc<Service>, of: Self::Of) -> Result<Self, Refusal> {
        OneLot::load(service, of).await.map(Self)
    }

    fn form(&self, sent: &Sent) -> Form {
        let field = Field::new("credits", "Credits to take out", Kind::Number, sent)
            .hinted("At most what is left in it. To add credits, grant an adjustment lot.");
        self.0.form("Take credits out of a lot", "", vec![field], "Preview change")
    }

    async fn plan(&self, _: &Arc<Service>, sent: &Sent) -> Result<(Plan, Self::Ready), Stop> {
        let (lot, credits) = (&self.0.lot, sent.credits("credits")?);
        check_take(lot, credits)?;
        let after = lot.remaining.checked_sub(credits).unwrap_or_default();
        let plan = Plan {
            title: format!("Take {} out of {}", show::credits_in_words(credits), lot.lot),
            says: vec![
                "Calls go on meanwhile, so a little less may be left. If it is less than what is to be taken, you are asked again."
                    .to_owned(),
            ],
            rows: vec![Change::new("Remaining in it", show::credits(lot.remaining), show::credits(after))],
            // Whether all of them are there is what decides; `check_take` says so anew.
            seen: format!("{} can be taken out", show::credits_in_words(credits)),
            button: "Take credits out",
            is_danger: true,
        };
        Ok((plan, credits))
    }

    async fn carry_out(
        &self,
        service: &Arc<Service>,
        ready: Self::Ready,
        confirmed: Confirmed<'_>,
    ) -> Result<Outcome, Refusal> {
        service.book.reduce_lot_in_full(self.0.lot.lot, ready, &confirmed.by).await?;
        Ok(self.0.done("lot_reduced"))
    }
}
