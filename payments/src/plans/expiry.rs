//! When what a payment granted ends.

use config::plans::Expiry;
use metering::TimeMs;

const MS_A_DAY: u64 = 86_400_000;

/// The first instant at which the credits can no longer be drawn; `None` where the rule needs a period that is not known.
#[must_use]
pub fn expires_at(rule: Expiry, paid_at: TimeMs, period_end: Option<TimeMs>) -> Option<TimeMs> {
    match rule {
        Expiry::PeriodEnd => period_end,
        Expiry::Days(days) => Some(paid_at.plus_ms(u64::from(days).saturating_mul(MS_A_DAY))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAID: TimeMs = TimeMs::new(1_764_115_200_000);
    const END: TimeMs = TimeMs::new(1_766_707_200_000);

    #[test]
    fn a_period_ends_when_stripe_says_so() {
        assert_eq!(expires_at(Expiry::PeriodEnd, PAID, Some(END)), Some(END));
        assert_eq!(expires_at(Expiry::PeriodEnd, PAID, None), None);
    }

    #[test]
    fn days_count_from_the_payment_whatever_the_period() {
        let wanted = Some(TimeMs::new(1_764_288_000_000));
        assert_eq!(expires_at(Expiry::Days(2), PAID, Some(END)), wanted);
        assert_eq!(expires_at(Expiry::Days(2), PAID, None), wanted);
    }
}
