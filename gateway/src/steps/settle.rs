//! Settles what is held to the price that the upstream reports, once; what the route gives back is given back whole before.

use metering::Credits;
use pingora::Error;

use crate::admission::Admission;
use crate::open_debit::{OpenDebit, Settlement};
use crate::request::Request;
use crate::steps::draw::Balance;
use crate::steps::give_back::{after_end, after_header, give_back};
use crate::steps::price_report::PriceReport;

/// The upstream's answer begins. Comes before its header goes on, so that what it says about credits is true.
pub async fn settle_after_header(balance: &Balance, request: &mut Request) {
    if let Some(reason) = after_header(request) {
        Box::pin(give_back(balance, request, reason)).await;
    } else if request.price_report.as_ref().is_some_and(PriceReport::is_final) {
        Box::pin(settle(balance, request)).await;
    }
}

/// The request is over, well or with an error.
pub async fn settle_after_end(balance: &Balance, request: &mut Request, error: Option<&Error>) {
    if let Some(reason) = after_end(request, error) {
        Box::pin(give_back(balance, request, reason)).await;
    }
    if held(request).is_some() {
        Box::pin(settle(balance, request)).await;
    }
}

/// What is still to be settled.
fn held(request: &mut Request) -> Option<&mut OpenDebit> {
    let debit = request.admission.as_mut().and_then(Admission::debit_mut)?;
    (debit.is_drawn() && debit.unreported().is_some()).then_some(debit)
}

/// Does nothing unless something is held.
async fn settle(balance: &Balance, request: &mut Request) {
    let reported = request.price_report.as_ref().and_then(PriceReport::price);
    let Some(debit) = held(request) else { return };
    let Some(unreported) = debit.unreported() else { return };
    let (held, holds) = (debit.credits(), &balance.metrics.holds);
    let price = match reported {
        None => {
            holds.unreported.inc();
            unreported
        }
        Some(price) if price > held.get() => {
            holds.capped.inc();
            held
        }
        // Below what is held it is a number of credits.
        Some(price) => Credits::new(price).unwrap_or(held),
    };
    if price == Credits::ZERO {
        holds.settled_to_zero.inc();
    }
    if debit.settle(price, &balance.meter, balance.wait_max).await == Settlement::TooLate {
        holds.released_before.inc();
    }
}
