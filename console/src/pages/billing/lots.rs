//! The table of credit lots: those of use in burn order, the others folded away, latest end first.

use ledger::{LotState, LotView};

use crate::billing::lots::is_open;
use crate::pages::when::When;
use crate::show;

/// Most lots that are over; older ones are in the API's list.
const PAST_MAX: usize = 100;

/// What the table shows.
pub struct LotTable {
    pub open: Vec<LotRow>,
    pub past: Vec<LotRow>,
    /// How many older ones are not shown.
    pub older: usize,
}

/// One lot.
pub struct LotRow {
    pub lot: String,
    pub granted: When,
    pub expires: When,
    pub product: String,
    pub original: String,
    pub remaining: String,
    /// What is left, of a hundred.
    pub percent: u64,
    /// The state in a word, where it is not simply there to be drawn.
    pub badge: Option<&'static str>,
}

impl LotTable {
    pub fn of(lots: &[LotView]) -> Self {
        let past: Vec<&LotView> = lots.iter().filter(|lot| !is_open(lot)).collect();
        Self {
            open: lots.iter().filter(|lot| is_open(lot)).map(LotRow::from).collect(),
            older: past.len().saturating_sub(PAST_MAX),
            past: past.into_iter().rev().take(PAST_MAX).map(LotRow::from).collect(),
        }
    }
}

impl From<&LotView> for LotRow {
    fn from(lot: &LotView) -> Self {
        Self {
            lot: lot.lot.to_string(),
            granted: When::instant(lot.granted_at),
            expires: When::instant(lot.expires_at),
            product: lot.product.clone(),
            original: show::credits(lot.original),
            remaining: show::credits(lot.remaining),
            // A lot that was voided before anything was drawn may have held nothing.
            percent: show::share(lot.remaining, lot.original),
            badge: badge(lot.state),
        }
    }
}

const fn badge(state: LotState) -> Option<&'static str> {
    match state {
        LotState::Live => None,
        LotState::Upcoming => Some("Upcoming"),
        LotState::Exhausted => Some("Used up"),
        LotState::Expired | LotState::Swept => Some("Expired"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::billing::lots::tests::view;

    #[test]
    fn what_can_be_drawn_stands_in_burn_order_and_what_is_over_is_folded_away() {
        use LotState as Is;
        let lots = view(&[(Is::Swept, 0), (Is::Expired, 3), (Is::Exhausted, 0), (Is::Live, 99), (Is::Upcoming, 100)]);
        let table = LotTable::of(&lots.lots);
        let named = |rows: &[LotRow]| rows.iter().map(|row| (row.lot.clone(), row.badge)).collect::<Vec<_>>();
        assert_eq!(named(&table.open), [("lot_4".to_owned(), None), ("lot_5".to_owned(), Some("Upcoming"))]);
        let past = [("lot_3", "Used up"), ("lot_2", "Expired"), ("lot_1", "Expired")];
        assert_eq!(named(&table.past), past.map(|(lot, badge)| (lot.to_owned(), Some(badge))));
        assert_eq!((table.open[0].percent, table.older), (99, 0));
    }

    #[test]
    fn the_list_of_what_is_over_has_an_end() {
        let lots = view(&vec![(LotState::Exhausted, 0); PAST_MAX + 3]);
        let table = LotTable::of(&lots.lots);
        assert_eq!((table.past.len(), table.older), (PAST_MAX, 3));
        assert_eq!(table.past[0].lot, format!("lot_{}", PAST_MAX + 3));
    }
}
