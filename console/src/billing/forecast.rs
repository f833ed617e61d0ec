//! What becomes of credits if they go on being drawn as they were: a function of lots and pace, in whole numbers.

use metering::{Credits, LotId, TimeMs};

const DAY_MS: u128 = 86_400_000;

/// How fast credits are drawn: so many in so many days. One credit is wanted whenever the next whole one is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Credits drawn, less given back.
    pub credits: Credits,
    /// In how many full days.
    pub days: u64,
}

/// A lot that is, or will be, there to be drawn from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stock {
    /// The lot.
    pub lot: LotId,
    /// What is left of it.
    pub remaining: Credits,
    /// First instant at which it can be drawn.
    pub granted_at: TimeMs,
    /// First instant at which it can no longer be drawn.
    pub expires_at: TimeMs,
}

/// Credits that nobody will have drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unused {
    /// Of which lot.
    pub lot: LotId,
    /// How many.
    pub credits: Credits,
    /// When they expire.
    pub at: TimeMs,
}

/// What comes, at this pace and without new grants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// When a credit is wanted for the first time and none is there.
    pub last_until: TimeMs,
    /// What expires unused, in the order in which it does.
    pub unused: Vec<Unused>,
}

/// `None` without a pace: nothing was drawn, or no day was full yet. Of several lots the one that expires first is drawn first, ties by
/// oldest grant and then id, as live state does.
pub fn forecast(stocks: &[Stock], pace: Pace, now: TimeMs) -> Option<Forecast> {
    if pace.credits.is_zero() || pace.days == 0 {
        return None;
    }
    let mut left: Vec<Stock> = stocks.iter().copied().filter(|stock| stock.expires_at > now).collect();
    left.sort_by_key(|stock| (stock.expires_at, stock.granted_at, stock.lot));
    let mut turns: Vec<TimeMs> = left.iter().flat_map(|stock| [stock.granted_at, stock.expires_at]).collect();
    turns.retain(|turn| *turn > now);
    turns.sort_unstable();
    turns.dedup();
    let (mut missed, mut begin, mut wanted) = (None, now, 0);
    // Between two turns the same lots can be drawn from, so whole stretches are taken at once.
    for end in turns {
        let due = pace.due_before(now, end);
        let short = draw(&mut left, begin, due - wanted);
        if short > 0 && missed.is_none() {
            missed = Some(due - short + 1);
        }
        (begin, wanted) = (end, due);
    }
    let unused = left.iter().filter(|stock| !stock.remaining.is_zero());
    Some(Forecast {
        last_until: pace.due_at(now, missed.unwrap_or(wanted + 1)),
        unused: unused.map(|stock| Unused { lot: stock.lot, credits: stock.remaining, at: stock.expires_at }).collect(),
    })
}

impl Pace {
    /// How many whole credits are due from after `now` to before `end`.
    fn due_before(self, now: TimeMs, end: TimeMs) -> u128 {
        let elapsed = u128::from(end.since(now).saturating_sub(1));
        elapsed * u128::from(self.credits.get()) / self.in_ms()
    }

    /// When the `count`th credit is due.
    fn due_at(self, now: TimeMs, count: u128) -> TimeMs {
        let after = count.saturating_mul(self.in_ms()).div_ceil(u128::from(self.credits.get()).max(1));
        now.plus_ms(u64::try_from(after).unwrap_or(u64::MAX))
    }

    fn in_ms(self) -> u128 {
        u128::from(self.days).max(1) * DAY_MS
    }
}

/// Draws from what can be drawn at an instant, and answers how many were not there.
fn draw(left: &mut [Stock], at: TimeMs, mut wanted: u128) -> u128 {
    for stock in left.iter_mut().filter(|stock| stock.granted_at <= at && at < stock.expires_at) {
        let taken = wanted.min(u128::from(stock.remaining.get()));
        let taken_here = u64::try_from(taken).ok().and_then(|taken| Credits::new(taken).ok()).unwrap_or(Credits::MAX);
        stock.remaining = stock.remaining.saturating_sub(taken_here);
        wanted -= taken;
    }
    wanted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: TimeMs = TimeMs::new(1_795_665_600_000);
    const DAY: u64 = 86_400_000;

    fn stock(lot: u64, remaining: u64, from_ms: u64, until_ms: u64) -> Stock {
        let begun = NOW.minus_ms(DAY);
        Stock {
            lot: LotId::new(lot).unwrap(),
            remaining: Credits::new(remaining).unwrap(),
            granted_at: begun.plus_ms(from_ms),
            expires_at: begun.plus_ms(until_ms),
        }
    }

    fn pace(credits: u64, days: u64) -> Pace {
        Pace { credits: Credits::new(credits).unwrap(), days }
    }

    /// Credit after credit, each from the best lot of its own instant.
    fn simulated(stocks: &[Stock], pace: Pace, now: TimeMs) -> Forecast {
        let mut left: Vec<Stock> = stocks.iter().copied().filter(|stock| stock.expires_at > now).collect();
        let end = left.iter().map(|stock| stock.expires_at).max().unwrap_or(now);
        let (mut last_until, mut count) = (None, 0);
        loop {
            count += 1;
            let at = pace.due_at(now, count);
            let open = left.iter_mut().filter(|stock| !stock.remaining.is_zero());
            let open = open.filter(|stock| stock.granted_at <= at && at < stock.expires_at);
            match open.min_by_key(|stock| (stock.expires_at, stock.granted_at, stock.lot)) {
                Some(best) => best.remaining = best.remaining.checked_sub(Credits::new(1).unwrap()).unwrap(),
                None => last_until = last_until.or(Some(at)),
            }
            if at >= end {
                break;
            }
        }
        left.sort_by_key(|stock| (stock.expires_at, stock.granted_at, stock.lot));
        left.retain(|stock| !stock.remaining.is_zero());
        let unused = left.iter().map(|stock| Unused { lot: stock.lot, credits: stock.remaining, at: stock.expires_at });
        Forecast { last_until: last_until.unwrap(), unused: unused.collect() }
    }

    #[test]
    fn credits_last_until_one_is_wanted_that_is_not_there() {
        let of = |stocks: &[Stock]| forecast(stocks, pace(14, 14), NOW).unwrap();
        let month = stock(1, 3, 0, 31 * DAY);
        assert_eq!(of(&[month]), Forecast { last_until: NOW.plus_ms(4 * DAY), unused: vec![] });
        let none = of(&[]);
        assert_eq!(none, Forecast { last_until: NOW.plus_ms(DAY), unused: vec![] });
        let two_days = of(&[stock(1, 9, 0, 3 * DAY)]);
        let unused = vec![Unused { lot: month.lot, credits: Credits::new(8).unwrap(), at: NOW.plus_ms(2 * DAY) }];
        assert_eq!(two_days, Forecast { last_until: NOW.plus_ms(2 * DAY), unused }, "half-open: none at its end");
    }

    #[test]
    fn without_a_pace_there_is_no_forecast() {
        assert_eq!(forecast(&[stock(1, 3, 0, 9 * DAY)], pace(0, 14), NOW), None);
        assert_eq!(forecast(&[stock(1, 3, 0, 9 * DAY)], pace(3, 0), NOW), None);
    }

    #[test]
    fn the_largest_numbers_are_counted_whole() {
        let most = Credits::MAX.get();
        let all = forecast(&[stock(1, most, 0, most)], pace(most, 1), NOW).unwrap();
        assert_eq!(all, Forecast { last_until: NOW.plus_ms(DAY + 1), unused: vec![] });
        let slow = forecast(&[stock(1, most, 0, most)], pace(1, 14), NOW).unwrap();
        assert!(slow.unused[0].credits.get() > most - 10_000_000 && slow.last_until > NOW.plus_ms(1 << 52));
    }

    proptest! {
        #[test]
        fn it_is_what_a_simulation_credit_by_credit_finds(
            lots in prop::collection::vec((0_u64..60, 0_u64..40, 1_u64..40, any::<bool>()), 0..7),
            credits in 1_u64..60,
            days in 1_u64..15,
        ) {
            // Quarters of a day, so that turns and dues often fall on one instant; a few off by a millisecond.
            let quarter = DAY / 4;
            let stocks: Vec<Stock> = lots
                .iter()
                .zip(1..)
                .map(|(&(remaining, from, long, off), number)| {
                    stock(number, remaining, from * quarter + u64::from(off), (from + long) * quarter)
                })
                .collect();
            let pace = pace(credits, days);
            prop_assert_eq!(forecast(&stocks, pace, NOW).unwrap(), simulated(&stocks, pace, NOW));
        }
    }
}
