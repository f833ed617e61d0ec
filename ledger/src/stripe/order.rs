//! Which of a subscription's reports stands. The answer depends on the reports, never on the order in which they came.

use metering::TimeMs;

use super::effect::SubscriptionStatus;

/// What was said of a subscription's status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Report {
    pub(super) as_of: TimeMs,
    pub(super) status: SubscriptionStatus,
    /// The status just before, where the report tells.
    pub(super) was: Option<SubscriptionStatus>,
    /// Whether the invoice that it is about is known as paid.
    pub(super) invoice_is_paid: bool,
}

impl Report {
    /// That an invoice is not paid is void once it is, whatever came first.
    fn is_void(&self) -> bool {
        self.invoice_is_paid && matches!(self.status, SubscriptionStatus::PastDue | SubscriptionStatus::Unpaid)
    }

    /// Whether another report of the same instant says that it comes after this one. Two that say so of each other
    /// order nothing.
    fn gave_way_to(&self, other: &Self) -> bool {
        other.status != self.status && other.was == Some(self.status) && self.was != Some(other.status)
    }
}

impl SubscriptionStatus {
    /// Nothing follows it: Stripe never takes such a subscription up again. So clocks that differ can't hide it.
    pub(super) const fn is_over(self) -> bool {
        matches!(self, Self::Canceled | Self::IncompleteExpired)
    }

    /// Whether a subscription in it runs, or ran: its end means something.
    #[must_use]
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Trialing | Self::Active | Self::PastDue | Self::Unpaid | Self::Paused)
    }
}

/// The report that stands: one that ends it; else the newest that is not void. Of one instant, the one that no other names
/// as what was before; and where that leaves several, the one furthest on.
pub(super) fn standing(reports: &[Report]) -> Option<&Report> {
    if let Some(end) = furthest(reports.iter().filter(|report| report.status.is_over())) {
        return Some(end);
    }
    let valid: Vec<&Report> = reports.iter().filter(|report| !report.is_void()).collect();
    let newest = valid.iter().map(|report| report.as_of).max()?;
    let together: Vec<&Report> = valid.into_iter().filter(|report| report.as_of == newest).collect();
    let last = together.iter().copied().filter(|report| !together.iter().any(|other| report.gave_way_to(other)));
    furthest(last).or_else(|| furthest(together.iter().copied()))
}

fn furthest<'a>(reports: impl Iterator<Item = &'a Report>) -> Option<&'a Report> {
    reports.max_by_key(|report| (report.status, report.as_of))
}

#[cfg(test)]
mod tests {
    use super::SubscriptionStatus::{
        Active, Canceled, Incomplete, IncompleteExpired, PastDue, Paused, Trialing, Unpaid,
    };
    use super::*;

    fn report(instant: u64, status: SubscriptionStatus) -> Report {
        Report { as_of: TimeMs::new(instant), status, was: None, invoice_is_paid: false }
    }

    fn after(second: u64, status: SubscriptionStatus, was: SubscriptionStatus) -> Report {
        Report { was: Some(was), ..report(second, status) }
    }

    fn paid(second: u64, status: SubscriptionStatus) -> Report {
        Report { invoice_is_paid: true, ..report(second, status) }
    }

    /// The status that stands, the same in every order.
    fn stands(reports: &[Report]) -> Option<SubscriptionStatus> {
        let found = standing(reports).map(|report| report.status);
        let mut turned = reports.to_vec();
        for _ in 0..turned.len() {
            turned.rotate_left(1);
            assert_eq!(standing(&turned).map(|report| report.status), found, "{turned:?}");
            let backwards: Vec<Report> = turned.iter().rev().cloned().collect();
            assert_eq!(standing(&backwards).map(|report| report.status), found, "{backwards:?}");
        }
        found
    }

    #[test]
    fn nothing_stands_where_nothing_was_reported() {
        assert_eq!(stands(&[]), None);
    }

    #[test]
    fn the_newest_report_stands_also_when_it_goes_back() {
        assert_eq!(stands(&[report(1, Trialing), report(2, Active)]), Some(Active));
        assert_eq!(stands(&[report(1, PastDue), report(2, Active), report(3, Trialing)]), Some(Trialing));
        assert_eq!(stands(&[report(3, Incomplete), report(2, Unpaid)]), Some(Incomplete));
    }

    #[test]
    fn the_end_stands_even_against_a_newer_report() {
        assert_eq!(stands(&[report(5, Canceled), report(6, Active)]), Some(Canceled));
        assert_eq!(stands(&[report(5, IncompleteExpired), report(6, Incomplete)]), Some(IncompleteExpired));
        assert_eq!(stands(&[report(5, Canceled), report(6, IncompleteExpired)]), Some(Canceled));
    }

    #[test]
    fn of_one_second_a_report_follows_the_one_that_it_names_as_before() {
        assert_eq!(stands(&[report(1, PastDue), after(1, Active, PastDue)]), Some(Active));
        assert_eq!(stands(&[after(1, Paused, Trialing), report(1, Trialing)]), Some(Paused));
        assert_eq!(
            stands(&[report(1, Unpaid), after(1, PastDue, Unpaid), after(1, Trialing, PastDue)]),
            Some(Trialing),
            "a chain"
        );
        assert_eq!(stands(&[after(1, Active, Active), report(1, Active)]), Some(Active), "itself does not count");
    }

    #[test]
    fn of_one_second_the_furthest_stands_where_no_report_names_another() {
        let order = [Incomplete, Trialing, Active, PastDue, Unpaid, Paused];
        for pair in order.windows(2) {
            assert_eq!(stands(&[report(1, pair[0]), report(1, pair[1])]), Some(pair[1]), "{pair:?}");
        }
        assert_eq!(stands(&[after(1, PastDue, Active), after(1, Active, PastDue)]), Some(PastDue), "they disagree");
    }

    #[test]
    fn a_ring_of_reports_that_name_each_other_ends_at_the_furthest() {
        let ring = [after(1, Trialing, Active), after(1, Active, PastDue), after(1, PastDue, Trialing)];
        assert_eq!(stands(&ring), Some(PastDue));
    }

    #[test]
    fn that_an_invoice_failed_is_void_once_it_is_paid() {
        assert_eq!(stands(&[report(1, Active), paid(2, PastDue)]), Some(Active));
        assert_eq!(stands(&[report(1, Active), paid(2, Unpaid)]), Some(Active));
        assert_eq!(stands(&[paid(1, Active), report(2, PastDue)]), Some(PastDue), "another invoice's failure");
        assert_eq!(stands(&[report(1, Active), paid(2, Paused)]), Some(Paused), "only a failure is void");
        assert_eq!(stands(&[paid(2, PastDue)]), None);
    }

    #[test]
    fn what_runs_or_ran_is_live_and_what_never_began_is_not() {
        let live: Vec<_> = SubscriptionStatus::ALL.iter().filter(|status| status.is_live()).copied().collect();
        assert_eq!(live, [Trialing, Active, PastDue, Unpaid, Paused]);
    }
}
