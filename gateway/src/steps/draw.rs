//! Draws the price: status, caps, budget and lots are checked where they are true, in one script call.

use std::sync::Arc;
use std::time::Duration;

use metering::live::{Debit, DebitOutcome, Meter, RateState, Refusal};
use metering::{Credits, TimeMs};
use pingora::http::RequestHeader;

use crate::confirmations::Confirmations;
use crate::journal::Journal;
use crate::key_cache::Caller;
use crate::meter_call::Unanswered;
use crate::metrics::{DebitLabel, Metrics};
use crate::open_debit::OpenDebit;
use crate::rejection::{KeyFault, Rejection, Unmetered};
use crate::request::Request;
use crate::restitution::Restitutions;
use crate::route_table::Route;
use crate::steps::authenticate::Authenticated;
use crate::steps::canonical_target::CanonicalTarget;
use crate::steps::durable::{certificate, until_durable};
use crate::steps::idempotency::draws_under;
use crate::steps::key_policy::{pass_rates, rate_limited};
use crate::traces::Step;

/// Pause before a debit asks again for an account that is being installed.
const INSTALL_PAUSE: Duration = Duration::from_millis(10);

/// Debits that come within this time of each other have one deadline: what asks for the same goes as one.
const DEADLINE_STEP_MS: u64 = 64;

/// The live balance as requests use it.
pub struct Balance {
    pub meter: Meter,
    pub restitutions: Restitutions,
    pub confirmations: Confirmations,
    pub journal: Journal,
    /// How long a request waits for one answer.
    pub wait_max: Duration,
    /// How long one waits for its debit to be on disk, where its route says so.
    pub fsync_max: Duration,
    /// How long after it was asked for a debit may still happen, at least.
    pub op_lifetime_ms: u64,
    /// How long the first request under an `Idempotency-Key` counts as in flight when nobody says that it is over.
    pub in_use_ms_max: u64,
    pub metrics: Arc<Metrics>,
}

impl Balance {
    /// From when on a debit that is asked for now is refused.
    pub fn not_after(&self, now: TimeMs) -> TimeMs {
        let exactly = now.plus_ms(self.op_lifetime_ms);
        TimeMs::new(exactly.as_u64().checked_next_multiple_of(DEADLINE_STEP_MS).unwrap_or(exactly.as_u64()))
    }
}

/// The finding that a request is paid for, or free, and within the rates of its key.
pub struct Payment {
    debit: Option<OpenDebit>,
    rates: Vec<RateState>,
}

impl Payment {
    pub fn debit(&self) -> Option<&OpenDebit> {
        self.debit.as_ref()
    }

    pub fn debit_mut(&mut self) -> Option<&mut OpenDebit> {
        self.debit.as_mut()
    }

    /// How the rates of the key stand; empty where it has none.
    pub fn rates(&self) -> &[RateState] {
        &self.rates
    }
}

pub async fn draw(
    balance: &Balance,
    caller: &Authenticated,
    route: &Route,
    price: Option<Credits>,
    header: &RequestHeader,
    target: &CanonicalTarget,
    request: &Request,
) -> Result<Payment, Rejection> {
    let Some(credits) = price else { return Ok(Payment { debit: None, rates: pass_rates(balance, caller).await? }) };
    let Some(principal) = caller.principal() else { return Err(Rejection::InvalidApiKey(KeyFault::Missing)) };
    let now = balance.meter.shard_now_of(&principal.account()); // by which the script judges deadlines
    let ask = Debit {
        op: request.op,
        account: principal.account(),
        key: principal.key(),
        rates: principal.caller().and_then(|caller| caller.rates.clone()),
        credits,
        not_after: balance.not_after(now),
        route: route.name.clone(),
        hold_until: route.held_ms().map(|ms| now.plus_ms(ms)),
        idempotency: draws_under(balance, header, target, request, now)?,
    };
    let unreported = route.hold().map(|hold| hold.unreported);
    let under = certificate(balance, route, &ask.account).await?;
    let (mut debit, rates) = take(balance, &ask, principal.caller(), unreported, request.step("draw")).await?;
    if let Some(deadline) = route.confirm {
        let expected = balance.confirmations.expect(ask.op, ask.account, credits, deadline, request.started);
        debit.await_confirmation(expected);
        config::failpoint("draw.expected");
    }
    until_durable(balance, under, &mut debit).await?;
    Ok(Payment { debit: Some(debit), rates })
}

/// Asks for one debit, once. A hold says what it costs when its price is not reported.
pub async fn take(
    balance: &Balance,
    ask: &Debit,
    caller: Option<&Caller>,
    unreported: Option<Credits>,
    step: Step<'_>,
) -> Result<(OpenDebit, Vec<RateState>), Rejection> {
    // Open before it is asked for: if this request is cut off while it waits, what may have been drawn is undone.
    let mut debit = OpenDebit::asked(ask, unreported, balance.restitutions.clone(), balance.journal.clone());
    config::failpoint("draw.before");
    let outcome = once_installed(balance, ask).await;
    balance.metrics.debit_seconds.observe(debit.asked_since().elapsed().as_secs_f64());
    balance.metrics.debit(DebitLabel::of(&outcome));
    step.end(DebitLabel::of(&outcome).as_str());
    match outcome {
        Ok(DebitOutcome::Drawn(mut drawn)) => {
            let rates = std::mem::take(&mut drawn.rates);
            config::failpoint("draw.drawn");
            balance.journal.drawn(ask, &drawn);
            debit.drawn(drawn);
            config::failpoint("draw.noted");
            Ok((debit, rates))
        }
        Ok(DebitOutcome::Refused(refusal)) => {
            debit.refused();
            Err(rejection(refusal, caller))
        }
        Err(Unanswered::Unknown) => {
            // Dropped while open: undone by its op. It must never be sent again.
            drop(debit);
            Err(Rejection::MeterUnavailable(Unmetered::Away))
        }
        Err(nothing_written) => {
            debit.refused();
            Err(Rejection::MeterUnavailable(nothing_written.why()))
        }
    }
}

/// Asks, and again while the account is being installed, which takes some tens of milliseconds: such a refusal has written nothing.
async fn once_installed(balance: &Balance, ask: &Debit) -> Result<DebitOutcome, Unanswered> {
    let outcome = balance.meter.debit(ask).await.map_err(Unanswered::from);
    if is_installed_soon(&outcome) { Box::pin(ask_again(balance, ask)).await } else { outcome }
}

async fn ask_again(balance: &Balance, ask: &Debit) -> Result<DebitOutcome, Unanswered> {
    let mut waited = Duration::ZERO;
    loop {
        tokio::time::sleep(INSTALL_PAUSE).await;
        waited += INSTALL_PAUSE;
        let outcome = balance.meter.debit(ask).await.map_err(Unanswered::from);
        if !is_installed_soon(&outcome) || waited >= balance.wait_max {
            return outcome;
        }
    }
}

fn is_installed_soon(outcome: &Result<DebitOutcome, Unanswered>) -> bool {
    matches!(outcome, Ok(DebitOutcome::Refused(Refusal::Frozen | Refusal::Installing)))
}

fn rejection(refusal: Refusal, caller: Option<&Caller>) -> Rejection {
    match refusal {
        Refusal::Status(status) => Rejection::Blocked(status),
        Refusal::KeyRevoked => Rejection::InvalidApiKey(KeyFault::Revoked),
        Refusal::RateLimited { place, wait_ms } => rate_limited(caller, place, wait_ms),
        Refusal::Repeated { first, how } => Rejection::Repeated { first, how },
        Refusal::KeyCapExhausted { which, cap, used, resets_at, price } => {
            Rejection::KeyCapExhausted { which, cap, used, resets_at, price }
        }
        Refusal::BudgetExhausted { budget, price } => Rejection::BudgetExhausted { budget, price },
        Refusal::CreditsExhausted { remaining, price } => Rejection::CreditsExhausted { remaining, price },
        Refusal::Installing | Refusal::Frozen => Rejection::MeterUnavailable(Unmetered::Rebuilding),
        Refusal::ExposureCap { .. } => Rejection::MeterUnavailable(Unmetered::ExposureCap),
        Refusal::TooLate | Refusal::Closed => Rejection::MeterUnavailable(Unmetered::TooLate),
    }
}
