//! Requests under way whose debits have a deadline, and when each has to say next that it goes on.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use metering::{AccountId, OpId};

#[derive(Clone, Copy)]
pub(super) struct Going {
    pub account: AccountId,
    pub deadline: Duration,
    /// When it has to be said next that it goes on.
    pub due: Instant,
}

#[derive(Default)]
pub(super) struct Live(Mutex<Requests>);

#[derive(Default)]
struct Requests {
    by_op: HashMap<OpId, Going>,
    /// The same, but for those for which it is being said.
    due: BTreeSet<(Instant, OpId)>,
}

impl Live {
    pub fn begin(&self, op: OpId, going: Going) {
        let mut requests = self.requests();
        requests.due.insert((going.due, op));
        requests.by_op.insert(op, going);
    }

    pub fn end(&self, op: OpId) {
        let mut requests = self.requests();
        if let Some(going) = requests.by_op.remove(&op) {
            requests.due.remove(&(going.due, op));
        }
    }

    pub fn get(&self, op: OpId) -> Option<Going> {
        self.requests().by_op.get(&op).copied()
    }

    /// Those for which it has to be said by now; each is answered once, until it is told [`Live::said`].
    pub fn take_due(&self, now: Instant) -> Vec<(OpId, AccountId)> {
        let mut requests = self.requests();
        let Requests { by_op, due } = &mut *requests;
        let mut taken = Vec::new();
        while let Some(&(at, op)) = due.first().filter(|(at, _)| *at <= now) {
            due.remove(&(at, op));
            taken.extend(by_op.get(&op).map(|going| (op, going.account)));
        }
        taken
    }

    /// It was said that a request goes on, if it still does.
    pub fn said(&self, op: OpId, now: Instant) {
        let mut requests = self.requests();
        let Some(going) = requests.by_op.get_mut(&op) else { return };
        going.due = now + going.deadline / 3;
        let due = going.due;
        requests.due.insert((due, op));
    }

    fn requests(&self) -> MutexGuard<'_, Requests> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_request_says_that_it_goes_on_at_each_third_of_its_deadline_until_it_is_over() {
        let (live, begun) = (Live::default(), Instant::now());
        let after = |seconds| begun + Duration::from_secs(seconds);
        let (op, account) = (OpId::from_uuid(Uuid::from_u128(1)), AccountId::from_uuid(Uuid::from_u128(2)));
        live.begin(op, Going { account, deadline: Duration::from_secs(30), due: after(10) });
        assert_eq!(live.take_due(after(9)), []);
        assert_eq!(live.take_due(after(10)), [(op, account)]);
        assert_eq!(live.take_due(after(11)), [], "it is being said");
        live.said(op, after(12));
        assert_eq!((live.take_due(after(21)).len(), live.take_due(after(22)).len()), (0, 1));
        live.said(op, after(23));
        live.end(op);
        assert_eq!(live.take_due(after(99)), []);
        live.said(op, after(99));
        assert_eq!(live.take_due(after(200)), [], "it is over");
        assert!(live.requests().by_op.is_empty() && live.requests().due.is_empty());
    }
}
