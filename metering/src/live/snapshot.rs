//! Everything live state has of one account at one instant, for verification.

use super::MeterError;
use super::answers::read::session_version;
use super::replies::{Reply, odd};
use crate::{AccountId, Credits, KeyCount, KeyId, LotId, LotImage, SessionVersions, Status, TimeMs};

/// An account in live state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The account.
    pub account: AccountId,
    /// When it was read, by the shard's clock.
    pub at: TimeMs,
    /// Its count of events.
    pub seq: u64,
    /// Version of the last control change applied.
    pub control_version: u64,
    /// Outbox row of that change.
    pub control_row: u64,
    /// Its status.
    pub status: Status,
    /// Monthly budget; 0 = no cap.
    pub budget_limit: Credits,
    /// Credits drawn in the period that ends at `budget_period_end`.
    pub budget_used: Credits,
    /// End of the period that `budget_used` counts.
    pub budget_period_end: TimeMs,
    /// Whether it waits to be installed anew.
    pub frozen: bool,
    /// Undos that the book has not settled.
    pub undos: u64,
    /// What head and tail say together; true while `at` is before `next_change`.
    pub cached_total: Credits,
    /// From when on `cached_total` has to be counted anew.
    pub next_change: TimeMs,
    /// What keys with caps have drawn, one for all that count as one, in no order.
    pub key_counts: Vec<KeyCount>,
    /// Which of its sessions are still good.
    pub sessions: SessionVersions,
    /// Every lot it has, those without credits included, in no order.
    pub lots: Vec<LotImage>,
}

impl Snapshot {
    /// What the lots hold that can be drawn at an instant; `None` when it is more than can be counted.
    #[must_use]
    pub fn drawable_at(&self, now: TimeMs) -> Option<Credits> {
        let drawable = self.lots.iter().filter(|lot| lot.granted_at <= now && now < lot.expires_at);
        drawable.map(|lot| lot.remaining).try_fold(Credits::ZERO, Credits::checked_add)
    }
}

pub(super) fn read(reply: &mut Reply, account: AccountId, at: TimeMs) -> Result<Option<Snapshot>, MeterError> {
    match reply.text()?.as_str() {
        "snapshot" => {}
        "absent" => return Ok(None),
        "unreadable" => return Err(MeterError::Unreadable(format!("field {} of the account's hash", reply.text()?))),
        _ => return Err(odd("a snapshot")),
    }
    let mut snapshot = Snapshot {
        account,
        at,
        seq: reply.number()?,
        control_version: reply.number()?,
        control_row: reply.number()?,
        status: Status::from_letter(&reply.text()?).ok_or_else(|| odd("a status"))?,
        budget_limit: reply.credits()?,
        budget_used: reply.credits()?,
        budget_period_end: reply.time()?,
        frozen: reply.text()? == "1",
        undos: reply.number()?,
        cached_total: reply.credits()?,
        next_change: reply.time()?,
        sessions: session_versions(reply)?,
        key_counts: Vec::new(),
        lots: Vec::new(),
    };
    for _ in 0..reply.number()? {
        snapshot.key_counts.push(KeyCount {
            of: KeyId::from_hex(&reply.text()?).map_err(|_| odd("a key id"))?,
            day: reply.number()?,
            day_used: reply.credits()?,
            period_end: reply.time()?,
            period_used: reply.credits()?,
        });
    }
    while reply.more() {
        let lot = LotId::new(reply.number()?).map_err(|_| odd("a lot id"))?;
        let (remaining, granted_at, expires_at) = (reply.credits()?, reply.time()?, reply.time()?);
        snapshot.lots.push(LotImage { lot, remaining, granted_at, expires_at });
    }
    Ok(Some(snapshot))
}

fn session_versions(reply: &mut Reply) -> Result<SessionVersions, MeterError> {
    let mut versions = SessionVersions::default();
    for _ in 0..reply.number()? {
        session_version(reply, &mut versions)?;
    }
    Ok(versions)
}

#[cfg(test)]
mod tests {
    use redis::Value;
    use uuid::Uuid;

    use super::*;

    const KEY: &str = "0123456789abcdef0123456789abcdef";

    fn read_fields(fields: &str) -> Result<Option<Snapshot>, MeterError> {
        let fields = fields.split_whitespace().map(|field| Value::BulkString(field.as_bytes().to_vec()));
        let mut reply = Reply::open(Value::Array(fields.collect())).unwrap();
        read(&mut reply, AccountId::from_uuid(Uuid::from_u128(1)), TimeMs::new(50))
    }

    #[test]
    fn an_account_is_read_with_its_counts_and_its_lots() {
        let said =
            format!("snapshot 9 4 77 a 1000 30 2000 1 2 150 90 0 1 {KEY} 20000 5 2000 25 11 100 10 90 12 50 20 95");
        let snapshot = read_fields(&said).unwrap().unwrap();
        assert_eq!((snapshot.seq, snapshot.control_version, snapshot.control_row), (9, 4, 77));
        assert_eq!((snapshot.status, snapshot.frozen, snapshot.undos), (Status::Active, true, 2));
        assert_eq!((snapshot.budget_limit.get(), snapshot.budget_used.get()), (1_000, 30));
        assert_eq!((snapshot.at, snapshot.next_change), (TimeMs::new(50), TimeMs::new(90)));
        assert_eq!(snapshot.key_counts.len(), 1);
        assert_eq!((snapshot.key_counts[0].day_used.get(), snapshot.key_counts[0].period_used.get()), (5, 25));
        assert_eq!(snapshot.lots.iter().map(|lot| lot.remaining.get()).collect::<Vec<_>>(), [100, 50]);
    }

    #[test]
    fn lots_can_be_drawn_from_their_grant_and_not_at_their_expiry() {
        let said = "snapshot 9 4 77 a 0 0 2000 0 0 150 90 0 0 11 100 10 90 12 50 20 95";
        let snapshot = read_fields(said).unwrap().unwrap();
        let drawable = |at| snapshot.drawable_at(TimeMs::new(at)).unwrap().get();
        assert_eq!([9, 10, 19, 20, 89, 90, 94, 95].map(drawable), [0, 100, 100, 150, 150, 50, 50, 0]);
    }

    #[test]
    fn an_account_that_is_not_there_and_one_that_can_not_be_read_are_told_apart() {
        assert_eq!(read_fields("absent").unwrap(), None);
        assert!(matches!(read_fields("unreadable seq"), Err(MeterError::Unreadable(why)) if why.contains("seq")));
        assert!(matches!(read_fields("weather"), Err(MeterError::Unknown(_))));
        assert!(matches!(read_fields("snapshot 9 4 77 x 0 0 0 0 0 0 0 0 0"), Err(MeterError::Unknown(_))));
    }
}
