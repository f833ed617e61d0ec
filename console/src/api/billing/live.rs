//! `GET /api/billing/live`: remaining, used and status as they change, as server-sent events.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::{Stream, stream};
use prometheus::IntGauge;
use serde::Serialize;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use utoipa::ToSchema;

use crate::api::refused::ReadRefused;
use crate::billing::balance::{Balance, Source};
use crate::caller::LastingCaller;
use crate::refusal::Refusal;
use crate::service::Service;
use crate::show;

/// Something is said at least so often, so that whatever stands between does not take the stream for dead.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How soon a browser asks anew after a stream has ended.
const RETRY: Duration = Duration::from_secs(2);
/// While live state is away each look is one at the book, which changes seldom then.
const BOOK_PAUSE: Duration = Duration::from_secs(5);
/// A session that is over is told nothing more after so long.
const SESSION_PAUSE: Duration = Duration::from_secs(1);

/// One event: the figures, and as the page writes them.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LiveBalance {
    /// Credits that can be drawn now.
    remaining: u64,
    /// Credits drawn in this period, less given back.
    used: u64,
    /// The account's status.
    status: &'static str,
    /// The monthly budget; 0 = no cap.
    budget_limit: u64,
    /// What of the budget is used, of a hundred.
    budget_percent: u64,
    /// Whose figures these are.
    source: Source,
    remaining_shown: String,
    used_shown: String,
    budget_used_shown: String,
    status_shown: &'static str,
    budget_percent_shown: String,
    source_shown: &'static str,
}

impl From<Balance> for LiveBalance {
    fn from(balance: Balance) -> Self {
        Self {
            remaining: balance.remaining.get(),
            used: balance.used.get(),
            status: balance.status.as_str(),
            budget_limit: balance.limit.get(),
            budget_percent: balance.percent(),
            source: balance.source,
            remaining_shown: show::credits(balance.remaining),
            used_shown: show::credits(balance.used),
            budget_used_shown: show::credits_in_words(balance.used),
            status_shown: show::status(balance.status),
            budget_percent_shown: format!("{} %", balance.percent()),
            source_shown: balance.source.says(),
        }
    }
}

/// The balance as it changes: server-sent events, each a `LiveBalance`; the first comes at once. The stream ends with the session, and else after a while: then it is to be asked for anew.
#[utoipa::path(get, path = "/api/billing/live", tag = "billing", operation_id = "balance_live",
    responses(ReadRefused, (status = 200, body = LiveBalance, content_type = "text/event-stream")))]
pub async fn follow(
    State(service): State<Arc<Service>>,
    caller: LastingCaller,
) -> Result<Sse<impl Stream<Item = Told>>, Refusal> {
    let place = Arc::clone(&service.live).try_acquire_owned().map_err(|_| {
        let detail = "As many pages are told of changes as can be. Load the page again to see what has changed.";
        Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "live_places_taken", detail)
    })?;
    let until = Instant::now() + Duration::from_millis(service.settings.limits.live_ms_max);
    let seat = Seat::take(place, service.metrics.live.clone());
    let follower = Follower { service, caller, told: None, look_at: None, until, _seat: seat };
    Ok(Sse::new(stream::unfold(follower, Follower::next)).keep_alive(KeepAlive::new().interval(HEARTBEAT)))
}

type Told = Result<Event, Infallible>;

/// A place among the pages that are told, given up with the stream.
struct Seat {
    seats: IntGauge,
    _place: OwnedSemaphorePermit,
}

impl Seat {
    fn take(place: OwnedSemaphorePermit, seats: IntGauge) -> Self {
        seats.inc();
        Self { seats, _place: place }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.dec();
    }
}

/// One page that is told of changes.
struct Follower {
    service: Arc<Service>,
    caller: LastingCaller,
    /// What it was told last.
    told: Option<LiveBalance>,
    /// When the balance is looked at again; at once before the first time.
    look_at: Option<Instant>,
    until: Instant,
    _seat: Seat,
}

impl Follower {
    /// The next change; `None` ends the stream.
    async fn next(mut self) -> Option<(Told, Self)> {
        loop {
            self.waited_for_a_look().await?;
            // Where neither store answers, what was told stands, and the next look may find more.
            let seen = Balance::now(&self.service, self.caller.caller.account).await.ok();
            self.look_at = Some(Instant::now() + self.pause_after(seen.as_ref()));
            let changed = seen.map(LiveBalance::from).filter(|seen| self.told.as_ref() != Some(seen));
            if let Some(changed) = changed {
                let event = Event::default().retry(RETRY).json_data(&changed).ok()?;
                self.told = Some(changed);
                return Some((Ok(event), self));
            }
        }
    }

    /// Until the balance is to be looked at; `None` when the stream is over: its time is up, the service stops, or its session is over, which is
    /// looked at at least every second.
    async fn waited_for_a_look(&self) -> Option<()> {
        let stop = &self.service.stop;
        while let Some(look_at) = self.look_at {
            let wake_at = look_at.min(Instant::now() + SESSION_PAUSE);
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep_until(wake_at) => {}
            }
            if stop.is_cancelled() || Instant::now() >= self.until || self.caller.is_over(&self.service).await {
                return None;
            }
            if Instant::now() >= look_at {
                break;
            }
        }
        Some(())
    }

    fn pause_after(&self, seen: Option<&Balance>) -> Duration {
        let usual = Duration::from_millis(self.service.settings.limits.live_ms);
        let is_live = seen.is_some_and(|seen| seen.source == Source::Live);
        if is_live { usual } else { usual.max(BOOK_PAUSE) }
    }
}
