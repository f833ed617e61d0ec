//! The forecast in words.

use ledger::LotView;

use crate::billing::outlook::Outlook;
use crate::pages::when::When;
use crate::show;

/// Most lots that are named; the others are counted.
const UNUSED_MAX: usize = 5;

/// What the card says.
pub struct OutlookCard {
    /// The pace in words.
    pub pace: String,
    /// Until when credits last; `None` where that can't be said.
    pub until: Option<When>,
    /// What expires unused.
    pub unused: Vec<UnusedLine>,
    /// How many more lots do.
    pub more: usize,
}

/// Credits that expire unused.
pub struct UnusedLine {
    pub credits: String,
    pub product: String,
    pub lot: String,
    pub at: When,
}

impl OutlookCard {
    pub fn of(outlook: &Outlook, lots: &[LotView]) -> Self {
        let unused = outlook.forecast.as_ref().map(|forecast| forecast.unused.as_slice()).unwrap_or_default();
        let line = |unused: &crate::billing::forecast::Unused| UnusedLine {
            credits: show::credits_in_words(unused.credits),
            product: lots.iter().find(|lot| lot.lot == unused.lot).map(|lot| lot.product.clone()).unwrap_or_default(),
            lot: unused.lot.to_string(),
            at: When::instant(unused.at),
        };
        Self {
            pace: pace(outlook),
            until: outlook.forecast.as_ref().map(|forecast| When::day(forecast.last_until)),
            unused: unused.iter().take(UNUSED_MAX).map(line).collect(),
            more: unused.len().saturating_sub(UNUSED_MAX),
        }
    }
}

fn pace(outlook: &Outlook) -> String {
    let pace = outlook.pace;
    let days = match pace.days {
        0 => return "There is no pace yet: no full day is over since this account was made.".to_owned(),
        1 => "the last full day".to_owned(),
        days => format!("the last {days} full days"),
    };
    if pace.credits.is_zero() {
        return format!("There is no pace to go by: nothing was used in {days}.");
    }
    let used = format!("{} were used in {days}.", show::credits_in_words(pace.credits));
    if outlook.forecast.is_some() { used } else { format!("{used} There are no credits that could last.") }
}

#[cfg(test)]
mod tests {
    use metering::Credits;

    use super::*;
    use crate::billing::forecast::Pace;
    use crate::billing::lots::tests::{NOW, credits, view};

    fn card(used: u64, days: u64, lots: &[LotView]) -> OutlookCard {
        OutlookCard::of(&Outlook::at(Pace { credits: credits(used), days }, lots, NOW), lots)
    }

    #[test]
    fn without_a_pace_it_says_so() {
        let lots = view(&[(ledger::LotState::Live, 5)]).lots;
        assert!(card(0, 0, &lots).pace.starts_with("There is no pace yet"));
        assert!(card(0, 14, &lots).pace.ends_with("in the last 14 full days."));
        assert!(card(0, 1, &lots).pace.ends_with("in the last full day."));
        assert!(card(3, 14, &[]).pace.ends_with("no credits that could last."));
        assert!(card(0, 14, &lots).until.is_none() && card(3, 14, &[]).until.is_none());
    }

    #[test]
    fn it_names_the_day_on_which_credits_end_and_the_lots_that_waste_some() {
        let lots = view(&[(ledger::LotState::Live, 5), (ledger::LotState::Live, 1)]).lots;
        let card = card(14, 14, &lots);
        assert_eq!(card.pace, "14 credits were used in the last 14 full days.");
        // One a day: four of the first lot are left at its end, and the second is drawn on the next day.
        assert_eq!((card.unused.len(), card.unused[0].credits.as_str(), card.more), (1, "5 credits", 0));
        assert_eq!(card.until, Some(When::day(NOW.plus_ms(2 * 86_400_000))));
        assert_eq!(card.unused[0].product, "Team");
        let many = vec![(ledger::LotState::Live, Credits::MAX.get() / 100); 9];
        assert_eq!(
            OutlookCard::of(&Outlook::at(Pace { credits: credits(1), days: 14 }, &view(&many).lots, NOW), &[]).more,
            4
        );
    }
}
