//! Deliveries of Stripe's as operators ask for them: one by its event, or a list narrowed to a state and a type, page by page.

use ledger::stripe::{DeliveryCursor, DeliveryState, StoredDelivery};
use metering::TimeMs;

use super::plain;
use crate::input;
use crate::refusal::Refusal;
use crate::service::Service;

/// The delivery of an event.
pub async fn delivery(service: &Service, event: String) -> Result<StoredDelivery, Refusal> {
    let none = || Refusal::not_found("delivery");
    let event = plain::name(event).ok_or_else(none)?;
    service.book.delivery(&event).await?.ok_or_else(none)
}

/// A type of deliveries, as it was typed; empty = any.
pub fn kind(text: &str) -> Result<String, Refusal> {
    plain::name(text.trim().to_owned()).ok_or_else(|| Refusal::bad_request("`kind` is no type of a delivery."))
}

/// A state by its word; none where nothing was chosen.
pub fn state(word: &str) -> Result<Option<DeliveryState>, Refusal> {
    match word {
        "" => Ok(None),
        word => {
            let state = DeliveryState::from_word(word);
            state.map(Some).ok_or_else(|| Refusal::bad_request("`state` is no state of a delivery."))
        }
    }
}

/// Where the page after a delivery begins: when it came, and its event.
pub fn place(stored: &StoredDelivery) -> String {
    let at = stored.cursor();
    format!("{}.{}", at.received_at.as_u64(), at.event)
}

/// Reads such a place.
pub fn cursor(after: Option<&str>) -> Result<Option<DeliveryCursor>, Refusal> {
    let read = |after: &str| {
        let (at, event) = after.split_once('.')?;
        let fits = (1..=255).contains(&event.len()) && event.bytes().all(|byte| byte.is_ascii_graphic());
        let received_at = at.parse().ok().filter(|at| *at < 253_402_300_800_000).map(TimeMs::new)?;
        fits.then(|| DeliveryCursor { received_at, event: event.to_owned() })
    };
    after.map(|after| read(after).ok_or_else(input::no_place)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_the_list_is_read_as_it_was_written() {
        let at = cursor(Some("1795665600000.evt_1.x")).unwrap().unwrap();
        assert_eq!((at.received_at.as_u64(), at.event.as_str()), (1_795_665_600_000, "evt_1.x"));
        assert!(cursor(None).unwrap().is_none());
        for wrong in ["", "1", "1.", ".evt", "x.evt", "999999999999999.evt", "1.a b", "1.ü"] {
            assert_eq!(cursor(Some(wrong)).unwrap_err().code, "bad_request", "{wrong}");
        }
    }
}
