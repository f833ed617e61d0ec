//! How much of a budget is used, followed event by event as live state does it.

use metering::{Credits, TimeMs};

/// Credits drawn, less given back, in the latest period of any debit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BudgetCount {
    pub used: Credits,
    pub period_end: TimeMs,
}

impl BudgetCount {
    /// A later period begins by its first debit; `None` when the sum is more than can be counted.
    pub(crate) fn draw(&mut self, credits: Credits, period_end: TimeMs) -> Option<()> {
        if period_end > self.period_end {
            *self = Self { used: credits, period_end };
        } else if period_end == self.period_end {
            self.used = self.used.checked_add(credits)?;
        }
        Some(())
    }

    /// What is given back of another period's debit changes nothing.
    pub(crate) fn lower(&mut self, credits: Credits, period_end: TimeMs) {
        if period_end == self.period_end {
            self.used = self.used.saturating_sub(credits);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(used: u64, period: u64) -> BudgetCount {
        BudgetCount { used: Credits::new(used).unwrap(), period_end: TimeMs::new(period) }
    }

    #[test]
    fn a_period_begins_with_its_first_debit_and_an_older_one_counts_no_more() {
        let mut budget = count(7, 100);
        budget.draw(Credits::new(3).unwrap(), TimeMs::new(100)).unwrap();
        assert_eq!(budget, count(10, 100));
        budget.draw(Credits::new(4).unwrap(), TimeMs::new(200)).unwrap();
        assert_eq!(budget, count(4, 200));
        budget.draw(Credits::new(9).unwrap(), TimeMs::new(100)).unwrap();
        budget.lower(Credits::new(9).unwrap(), TimeMs::new(100));
        assert_eq!(budget, count(4, 200));
        budget.lower(Credits::new(9).unwrap(), TimeMs::new(200));
        assert_eq!(budget, count(0, 200));
        assert_eq!(budget.draw(Credits::MAX, TimeMs::new(200)), Some(()));
        assert_eq!(budget.draw(Credits::new(1).unwrap(), TimeMs::new(200)), None);
    }
}
