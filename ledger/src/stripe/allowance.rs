//! How many credits payments of one period are due, and how many of a payment's go back with its money.

use metering::Credits;

/// What payments of one subscription for one period are due together: the sum of those that pay for it in full, or the
/// largest allowance that it was changed to, whichever is more. So what each grants does not depend on their order in sum.
pub(super) fn due(full: impl IntoIterator<Item = Credits>, prorated: impl IntoIterator<Item = Credits>) -> Credits {
    let full = full.into_iter().fold(Credits::ZERO, |sum, one| sum.checked_add(one).unwrap_or(Credits::MAX));
    let largest = prorated.into_iter().max().unwrap_or(Credits::ZERO);
    full.max(largest)
}

/// What a refund of `refunded` of `amount` takes of a lot of `original`: the same part, rounded down; all at most.
pub(super) fn refund_target(original: Credits, refunded: u64, amount: u64) -> Credits {
    let wide = u128::from(original.get()).checked_mul(u128::from(refunded));
    let part = wide.and_then(|wide| wide.checked_div(u128::from(amount)));
    let part = part.and_then(|part| u64::try_from(part).ok()).and_then(|part| Credits::new(part).ok());
    part.map_or(original, |part| part.min(original)) // no amount, or more than can be counted: all of it
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credits(count: u64) -> Credits {
        Credits::new(count).unwrap()
    }

    fn due_of(full: &[u64], prorated: &[u64]) -> u64 {
        due(full.iter().map(|&one| credits(one)), prorated.iter().map(|&one| credits(one))).get()
    }

    #[test]
    fn a_period_is_due_what_was_paid_in_full_or_the_largest_plan_it_was_changed_to() {
        assert_eq!(due_of(&[], &[]), 0);
        assert_eq!(due_of(&[100], &[]), 100);
        assert_eq!(due_of(&[100, 50], &[]), 150);
        assert_eq!(due_of(&[100], &[300]), 300);
        assert_eq!(due_of(&[100], &[300, 200]), 300);
        assert_eq!(due_of(&[100], &[40]), 100, "a smaller plan gives nothing and takes nothing");
        assert_eq!(due_of(&[Credits::MAX.get(), 1], &[]), Credits::MAX.get());
    }

    #[test]
    fn a_refund_takes_the_same_part_of_the_lot_rounded_down() {
        let target = |original, refunded, amount| refund_target(credits(original), refunded, amount).get();
        assert_eq!(target(100, 0, 2_000), 0);
        assert_eq!(target(100, 500, 2_000), 25);
        assert_eq!(target(100, 19, 2_000), 0);
        assert_eq!(target(100, 1_999, 2_000), 99);
        assert_eq!(target(100, 2_000, 2_000), 100);
        assert_eq!((target(1_000, 333, 1_000), target(10, 1, 3), target(10, 3, 3), target(10, 9, 3)), (333, 3, 10, 10));
        assert_eq!(target(100, 5_000, 2_000), 100, "more than was paid takes no more than was granted");
        assert_eq!(target(100, 1, 0), 100, "a payment of nothing has no parts");
        assert_eq!(target(Credits::MAX.get(), u64::MAX - 1, u64::MAX), Credits::MAX.get() - 1, "no overflow");
    }
}
