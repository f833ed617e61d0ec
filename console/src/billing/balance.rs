//! Remaining, used, status: by the live balance where it answers, else by the book.

use std::time::Duration;

use ledger::AccountView;
use metering::live::{CreditsView, MeterError, Snapshot};
use metering::{AccountId, Credits, Status, TimeMs};
use serde::Serialize;
use tracing::debug;
use utoipa::ToSchema;

use crate::refusal::Refusal;
use crate::service::Service;

/// A page does not wait longer for live state: it shows the book then, and says so.
const LIVE_WAIT: Duration = Duration::from_millis(300);

/// Whose figures these are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The live balance: every credit drawn until now is out of it.
    Live,
    /// The book, because live state did not answer: what was drawn in the last moments may not be in it yet.
    Book,
}

impl Source {
    /// What a page says of figures that are not live.
    pub const fn says(self) -> &'static str {
        match self {
            Self::Live => "",
            Self::Book => {
                "As of the book: the live balance does not answer now, so what was drawn in the last moments may be missing."
            }
        }
    }
}

/// What the card on top shows, and how much of the budget is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Balance {
    /// What can be drawn now.
    pub remaining: Credits,
    /// Drawn less given back, in the period that ends at `resets_at`; counted with a budget and without.
    pub used: Credits,
    /// The budget; 0 = no cap.
    pub limit: Credits,
    /// First instant of the next period.
    pub resets_at: TimeMs,
    /// Where the account stands.
    pub status: Status,
    /// Whose figures these are.
    pub source: Source,
}

impl Balance {
    /// The book knows status and limit first, because they are changed there; credits are drawn in live state.
    pub fn of(view: &AccountView, snapshot: Option<&Snapshot>) -> Self {
        let book = Self {
            remaining: view.remaining,
            used: view.budget.used,
            limit: view.budget.limit,
            resets_at: view.budget.resets_at,
            status: view.status,
            source: Source::Book,
        };
        let Some(live) = snapshot else { return book };
        // A period that is over is turned by its next debit.
        let used = if live.at < live.budget_period_end { live.budget_used } else { Credits::ZERO };
        let remaining = live.drawable_at(live.at).unwrap_or(Credits::MAX);
        Self { remaining, used, source: Source::Live, ..book }
    }

    /// How it is now, for whoever only wants to know that: one small question to live state.
    pub async fn now(service: &Service, account: AccountId) -> Result<Self, Refusal> {
        match in_time(service.meter.credits(account)).await {
            Some(live) => Ok(Self::from(&live)),
            None => Ok(Self::of(&service.book.account_view(account, service.clock.now()).await?, None)),
        }
    }

    /// What of the budget is used, of a hundred; nothing of none.
    pub fn percent(&self) -> u64 {
        crate::show::share(self.used, self.limit)
    }

    /// Whether nothing is left of a budget that is set.
    pub fn is_budget_used_up(&self) -> bool {
        !self.limit.is_zero() && self.used >= self.limit
    }
}

impl From<&CreditsView> for Balance {
    fn from(live: &CreditsView) -> Self {
        Self {
            remaining: live.remaining,
            used: live.used_this_period,
            limit: live.budget.map_or(Credits::ZERO, |budget| budget.limit),
            resets_at: live.resets_at,
            status: live.status,
            source: Source::Live,
        }
    }
}

/// Everything live state has of the account; `None` where it does not answer, or has nothing of it yet.
pub async fn snapshot(service: &Service, account: AccountId) -> Option<Snapshot> {
    in_time(service.meter.snapshot(account)).await.flatten()
}

/// What it answered in time. That live state is away is the gateway's and the owner's to report: it is one line for each page here.
async fn in_time<T>(asked: impl Future<Output = Result<T, MeterError>>) -> Option<T> {
    match tokio::time::timeout(LIVE_WAIT, asked).await {
        Ok(Ok(answer)) => Some(answer),
        Ok(Err(error)) => {
            debug!(error = frame::chain(&error), "live state did not answer; the book is shown");
            None
        }
        Err(_) => {
            debug!("live state did not answer in time; the book is shown");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use metering::{LotId, LotImage, SessionVersions};

    use super::*;
    use crate::billing::lots::tests::{NOW, credits, view};

    fn snapshot(used: u64, period_end: TimeMs) -> Snapshot {
        let lot = |number: u64, remaining: u64, from: u64, until: u64| LotImage {
            lot: LotId::new(number).unwrap(),
            remaining: credits(remaining),
            granted_at: NOW.minus_ms(1_000).plus_ms(from),
            expires_at: NOW.minus_ms(1_000).plus_ms(until),
        };
        Snapshot {
            account: view(&[]).account,
            at: NOW,
            seq: 9,
            control_version: 1,
            control_row: 1,
            status: Status::Suspended,
            budget_limit: credits(7),
            budget_used: credits(used),
            budget_period_end: period_end,
            frozen: false,
            undos: 0,
            cached_total: credits(0),
            next_change: NOW,
            key_counts: Vec::new(),
            sessions: SessionVersions::default(),
            // The first ends now, the last begins now, and the one between lives.
            lots: vec![lot(1, 500, 0, 1_000), lot(2, 70, 0, 2_000), lot(3, 5, 1_000, 2_000), lot(4, 900, 1_001, 9_000)],
        }
    }

    #[test]
    fn the_live_balance_says_what_is_left_and_the_book_what_was_set() {
        let book = view(&[]);
        let balance = Balance::of(&book, Some(&snapshot(12, NOW.plus_ms(1))));
        assert_eq!((balance.remaining, balance.used, balance.source), (credits(75), credits(12), Source::Live));
        assert_eq!((balance.status, balance.limit), (book.status, book.budget.limit));
        let turned = Balance::of(&book, Some(&snapshot(12, NOW)));
        assert_eq!(turned.used, Credits::ZERO, "the period that live state counted is over");
        let away = Balance::of(&book, None);
        assert_eq!((away.remaining, away.used, away.source), (book.remaining, book.budget.used, Source::Book));
    }

    #[test]
    fn a_budget_is_used_up_at_its_limit_and_never_without_one() {
        let of = |used, limit| {
            let balance = Balance { used: credits(used), limit: credits(limit), ..Balance::of(&view(&[]), None) };
            (balance.percent(), balance.is_budget_used_up())
        };
        assert_eq!(
            [of(0, 0), of(9, 0), of(39, 40), of(40, 40), of(50, 40)],
            [(0, false), (0, false), (97, false), (100, true), (100, true)]
        );
    }
}
