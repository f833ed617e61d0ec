//! What an account's status is, given everything that Stripe has said of it.

use metering::Status;

use super::effect::SubscriptionStatus;

/// A subscription as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Subscribed {
    pub(super) status: SubscriptionStatus,
    /// Whether it ever ran.
    pub(super) was_live: bool,
}

/// An account's one-off payments that have granted a lot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Packs {
    /// How many are paid, and not reversed in full.
    pub(super) paid: u64,
    /// How many were reversed in full.
    pub(super) reversed: u64,
}

/// The status that follows. An operator's own stays; so does what it is while Stripe has said nothing that counts.
pub(super) fn derived(now: Status, subscriptions: &[Subscribed], packs: Packs) -> Status {
    if now.is_an_operators() {
        return now;
    }
    let best = subscriptions.iter().filter_map(|subscribed| contributed(subscribed.status)).max();
    if let Some(best) = best {
        return best.status();
    }
    let ended = subscriptions.iter().any(|subscribed| subscribed.was_live);
    match packs {
        Packs { paid: 1.., .. } => Status::Active,
        Packs { reversed: 1.., .. } => Status::Pending,
        _ if ended => Status::Pending,
        _ => now,
    }
}

/// What a subscription that is not over brings its account, the best last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    Paused,
    Failed,
    Trial,
    Active,
}

impl Standing {
    const fn status(self) -> Status {
        match self {
            Self::Paused => Status::Pending,
            Self::Failed => Status::PaymentFailed,
            Self::Trial => Status::Trial,
            Self::Active => Status::Active,
        }
    }
}

/// One that never began, or is over, brings nothing.
const fn contributed(status: SubscriptionStatus) -> Option<Standing> {
    match status {
        SubscriptionStatus::Active => Some(Standing::Active),
        SubscriptionStatus::Trialing => Some(Standing::Trial),
        SubscriptionStatus::PastDue | SubscriptionStatus::Unpaid => Some(Standing::Failed),
        SubscriptionStatus::Paused => Some(Standing::Paused),
        SubscriptionStatus::Incomplete | SubscriptionStatus::IncompleteExpired | SubscriptionStatus::Canceled => None,
    }
}

#[cfg(test)]
mod tests {
    use super::SubscriptionStatus::{
        Active, Canceled, Incomplete, IncompleteExpired, PastDue, Paused, Trialing, Unpaid,
    };
    use super::*;

    fn with(statuses: &[SubscriptionStatus]) -> Vec<Subscribed> {
        statuses.iter().map(|&status| Subscribed { status, was_live: status.is_live() || status == Canceled }).collect()
    }

    const NONE: Packs = Packs { paid: 0, reversed: 0 };

    #[test]
    fn each_status_of_a_subscription_has_its_own() {
        for (subscription, status) in [
            (Active, Status::Active),
            (Trialing, Status::Trial),
            (PastDue, Status::PaymentFailed),
            (Unpaid, Status::PaymentFailed),
            (Paused, Status::Pending),
            (Canceled, Status::Pending),
        ] {
            assert_eq!(derived(Status::Trial, &with(&[subscription]), NONE), status, "{subscription}");
            assert_eq!(derived(Status::PaymentFailed, &with(&[subscription]), NONE), status, "{subscription}");
        }
    }

    #[test]
    fn the_best_subscription_counts() {
        let order = [Paused, PastDue, Trialing, Active];
        let alone: Vec<Status> = order.iter().map(|&one| derived(Status::Pending, &with(&[one]), NONE)).collect();
        for (place, better) in order.iter().enumerate() {
            for worse in order.iter().take(place) {
                for pair in [[*better, *worse], [*worse, *better]] {
                    assert_eq!(derived(Status::Pending, &with(&pair), NONE), alone[place], "{pair:?}");
                }
            }
        }
        assert_eq!(derived(Status::Pending, &with(&[Canceled, Incomplete, Unpaid]), NONE), Status::PaymentFailed);
    }

    #[test]
    fn what_the_operator_has_decided_stays() {
        for now in [Status::Suspended, Status::Approved] {
            for &subscription in SubscriptionStatus::ALL {
                assert_eq!(derived(now, &with(&[subscription]), Packs { paid: 1, reversed: 0 }), now);
            }
        }
    }

    #[test]
    fn a_subscription_that_never_ran_changes_nothing() {
        for now in [Status::Trial, Status::Active, Status::Pending, Status::PaymentFailed] {
            assert_eq!(derived(now, &[], NONE), now);
            assert_eq!(derived(now, &with(&[Incomplete, IncompleteExpired]), NONE), now);
            let never = Subscribed { status: Canceled, was_live: false };
            assert_eq!(derived(now, &[never], NONE), now);
        }
    }

    #[test]
    fn a_pack_makes_an_account_active_unless_a_subscription_says_otherwise() {
        let one = Packs { paid: 1, reversed: 3 };
        assert_eq!(derived(Status::Pending, &[], one), Status::Active);
        assert_eq!(derived(Status::Pending, &with(&[Canceled]), one), Status::Active, "bought after the plan ended");
        assert_eq!(derived(Status::Active, &with(&[PastDue]), one), Status::PaymentFailed);
        assert_eq!(derived(Status::Active, &with(&[Trialing]), one), Status::Trial);
    }

    #[test]
    fn an_account_whose_packs_were_all_reversed_waits_for_a_payment() {
        let reversed = Packs { paid: 0, reversed: 1 };
        assert_eq!(derived(Status::Active, &[], reversed), Status::Pending);
        assert_eq!(derived(Status::Active, &with(&[Active]), reversed), Status::Active);
    }
}
