//! Lots as they are now: the book knows every lot, live state what is left of those that can be drawn.

use std::collections::BTreeMap;

use ledger::{AccountView, LedgerError, LotState, LotView};
use metering::live::Snapshot;
use metering::{AccountId, Credits, LotId, TimeMs};

use crate::billing::balance;
use crate::refusal::Refusal;
use crate::service::Service;

/// An account with every lot as it is now; both stores are asked at once.
pub async fn read(service: &Service, account: AccountId, at: TimeMs) -> Result<AccountView, Refusal> {
    let (mut view, snapshot) = tokio::try_join!(service.book.account_view(account, at), async {
        Ok::<_, LedgerError>(balance::snapshot(service, account).await)
    })?;
    view.lots = now(&view, snapshot.as_ref());
    Ok(view)
}

/// Every lot in burn order, with what is left of it.
pub fn now(view: &AccountView, snapshot: Option<&Snapshot>) -> Vec<LotView> {
    let live: BTreeMap<LotId, Credits> =
        snapshot.map(|live| live.lots.iter().map(|lot| (lot.lot, lot.remaining)).collect()).unwrap_or_default();
    view.lots.iter().map(|lot| beside(lot, live.get(&lot.lot).copied())).collect()
}

/// Whether it is, or will be, of use: such lots stand in the table, the others are folded away.
pub fn is_open(lot: &LotView) -> bool {
    matches!(lot.state, LotState::Live | LotState::Upcoming)
}

fn beside(lot: &LotView, live: Option<Credits>) -> LotView {
    let remaining = live.unwrap_or(lot.remaining);
    let state = match lot.state {
        LotState::Live | LotState::Exhausted if remaining.is_zero() => LotState::Exhausted,
        LotState::Live | LotState::Exhausted => LotState::Live,
        // Past its end, or before its start, whatever it holds.
        other => other,
    };
    LotView { remaining, state, ..lot.clone() }
}

#[cfg(test)]
pub mod tests {
    use ledger::BudgetUse;
    use metering::{BudgetAnchor, Shard, ShardKind, Status};

    use super::*;

    /// 2026-11-26T04:00:00Z.
    pub const NOW: TimeMs = TimeMs::new(1_795_665_600_000);

    pub fn credits(count: u64) -> Credits {
        Credits::new(count).unwrap()
    }

    /// An active account with lots of these states, each of 100 credits with `remaining` left.
    pub fn view(lots: &[(LotState, u64)]) -> AccountView {
        let lots: Vec<LotView> = lots
            .iter()
            .zip(1..)
            .map(|(&(state, remaining), number)| LotView {
                lot: LotId::new(number).unwrap(),
                product: "Team".to_owned(),
                granted_at: NOW.minus_ms(86_400_000),
                expires_at: NOW.plus_ms(number * 86_400_000),
                original: credits(100),
                remaining: credits(remaining),
                state,
            })
            .collect();
        AccountView {
            account: "acct_00000000000000000000000000000001".parse().unwrap(),
            shard: Shard { kind: ShardKind::Accounts, number: 0 },
            name: "A".to_owned(),
            email: None,
            status: Status::Active,
            anchor: BudgetAnchor::FIRST,
            budget: BudgetUse { limit: credits(40), used: credits(3), resets_at: BudgetAnchor::FIRST.period_end(NOW) },
            remaining: lots.iter().fold(Credits::ZERO, |sum, lot| sum.checked_add(lot.remaining).unwrap()),
            lots,
            seq: 9,
            control_version: 3,
            undelivered: 0,
            overdraft: Credits::ZERO,
            created_at: NOW.minus_ms(100 * 86_400_000),
        }
    }

    #[test]
    fn what_live_state_says_of_a_lot_decides_unless_its_time_is_over() {
        use LotState as Is;
        let lots =
            view(&[(Is::Live, 10), (Is::Live, 10), (Is::Exhausted, 0), (Is::Expired, 10), (Is::Upcoming, 10)]).lots;
        let seen: Vec<_> = lots
            .iter()
            .zip([Some(4), Some(0), Some(6), Some(0), None])
            .map(|(lot, live)| beside(lot, live.map(credits)))
            .map(|lot| (lot.state, lot.remaining.get(), is_open(&lot)))
            .collect();
        let wanted = [
            (Is::Live, 4, true),
            (Is::Exhausted, 0, false),
            (Is::Live, 6, true),
            (Is::Expired, 0, false),
            (Is::Upcoming, 10, true),
        ];
        assert_eq!(seen, wanted);
    }
}
