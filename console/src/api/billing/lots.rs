//! `GET /api/billing/lots`: every lot, in burn order.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use ledger::{LotState, LotView};
use metering::LotId;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::list::{List, ListQuery};
use crate::api::refused::ReadRefused;
use crate::billing::lots;
use crate::caller::Caller;
use crate::input::{self, Query};
use crate::refusal::Refusal;
use crate::service::Service;
use crate::show;

/// A grant of credits.
#[derive(Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the field is what the word means in the API")]
pub struct Lot {
    /// The lot.
    lot: String,
    /// What it is, for people.
    product: String,
    /// `live`, `upcoming`, `exhausted`, `expired` or `swept` (expired, and what was left was taken out).
    state: &'static str,
    /// Credits granted.
    original: u64,
    /// Credits left.
    remaining: u64,
    /// First instant at which it can be drawn.
    granted_at: String,
    /// First instant at which it can no longer be drawn.
    expires_at: String,
}

/// Every lot in burn order: what expires first is drawn first. Those that are over stand among them.
#[utoipa::path(get, path = "/api/billing/lots", tag = "billing", operation_id = "lots_list", params(ListQuery),
    responses(ReadRefused, (status = 200, body = List<Lot>)))]
pub async fn list(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Query(asked): Query<ListQuery>,
) -> Result<Json<List<Lot>>, Refusal> {
    let limit = input::limit(asked.limit)?;
    let all = lots::read(&service, caller.account, service.clock.now()).await?.lots;
    let begin = begin(&all, asked.after.as_deref())?;
    let page = all.into_iter().skip(begin).take(usize::try_from(limit).unwrap_or(usize::MAX).saturating_add(1));
    Ok(Json(List::of(page.collect(), limit, |lot: &LotView| lot.lot.to_string(), Lot::from)))
}

/// Behind the lot that the page before ended with.
pub fn begin(all: &[LotView], after: Option<&str>) -> Result<usize, Refusal> {
    let Some(after) = after else { return Ok(0) };
    let known = after.parse::<LotId>().ok().and_then(|after| all.iter().position(|lot| lot.lot == after));
    known.map(|known| known.saturating_add(1)).ok_or_else(input::no_place)
}

/// The word for a state.
pub const fn state(state: LotState) -> &'static str {
    match state {
        LotState::Upcoming => "upcoming",
        LotState::Live => "live",
        LotState::Exhausted => "exhausted",
        LotState::Expired => "expired",
        LotState::Swept => "swept",
    }
}

impl From<LotView> for Lot {
    fn from(lot: LotView) -> Self {
        Self {
            lot: lot.lot.to_string(),
            product: lot.product,
            state: state(lot.state),
            original: lot.original.get(),
            remaining: lot.remaining.get(),
            granted_at: show::machine(lot.granted_at),
            expires_at: show::machine(lot.expires_at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::billing::lots::tests::view;

    #[test]
    fn a_page_begins_behind_the_lot_that_ended_the_one_before() {
        let lots = view(&[(LotState::Live, 1), (LotState::Live, 2), (LotState::Live, 3)]).lots;
        assert_eq!(begin(&lots, None).unwrap(), 0);
        assert_eq!(begin(&lots, Some("lot_2")).unwrap(), 2);
        for wrong in ["lot_4", "2", ""] {
            assert_eq!(begin(&lots, Some(wrong)).unwrap_err().code, "bad_request", "{wrong}");
        }
    }
}
