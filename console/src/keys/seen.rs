//! Keys as they stand: state, what they have drawn of their caps, and why they are refused where their account is.

use std::collections::BTreeMap;

use ledger::{AccountView, Day, KeyView};
use metering::{AccountId, Credits, KeyCap, KeyCount, KeyId, Status, TimeMs};

use crate::billing::balance::{self, Source};
use crate::refusal::Refusal;
use crate::service::Service;

/// Where a key stands, its account aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is good, and nothing ends it.
    Active,
    /// It is good until then.
    Expires(TimeMs),
    /// It was replaced; both are good until then.
    Rotated { until: TimeMs, by: KeyId },
    /// It ended then.
    Expired(TimeMs),
    /// It was replaced and ended then.
    Replaced { at: TimeMs, by: KeyId },
    /// It was revoked then.
    Revoked(TimeMs),
}

impl State {
    /// How it stands at an instant; an expiry is the first instant at which a key is refused.
    pub fn of(key: &KeyView, now: TimeMs) -> Self {
        match (key.revoked_at, key.expires_at, key.rotated_to) {
            (Some(at), _, _) => Self::Revoked(at),
            (None, Some(at), Some(by)) if at <= now => Self::Replaced { at, by },
            (None, Some(at), None) if at <= now => Self::Expired(at),
            (None, Some(until), Some(by)) => Self::Rotated { until, by },
            (None, Some(at), None) => Self::Expires(at),
            // A rotated key always has an end; without one it is good.
            (None, None, _) => Self::Active,
        }
    }

    /// Whether it is still good.
    pub const fn is_good(self) -> bool {
        matches!(self, Self::Active | Self::Expires(_) | Self::Rotated { .. })
    }

    /// A stable word for programs.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Active | Self::Expires(_) => "active",
            Self::Rotated { .. } => "rotated",
            Self::Expired(_) | Self::Replaced { .. } => "expired",
            Self::Revoked(_) => "revoked",
        }
    }
}

/// A cap and what is drawn of it, with keys that count as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CapUse {
    /// The most it may draw.
    pub limit: Credits,
    /// What is drawn.
    pub used: Credits,
    /// When it begins anew.
    pub resets_at: TimeMs,
}

/// A key as it stands.
#[derive(Clone, Debug)]
pub struct SeenKey {
    /// As the book has it.
    pub view: KeyView,
    /// Where it stands.
    pub state: State,
    /// Its cap of the day.
    pub day: Option<CapUse>,
    /// Its cap of the budget period.
    pub month: Option<CapUse>,
    /// What it drew itself in this budget period, as far as the book has followed.
    pub drawn: Credits,
}

/// Keys of one account as they stand.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The keys.
    pub keys: Vec<SeenKey>,
    /// Where their account stands.
    pub status: Status,
    /// Whose figures the caps are.
    pub source: Source,
}

impl Seen {
    /// Why every one of them is refused, whatever its own state: the account's status.
    pub fn refused_because(&self) -> Option<Status> {
        Some(self.status).filter(|status| !status.may_spend())
    }
}

/// What is drawn, by the key against which others count.
#[expect(clippy::struct_field_names, reason = "the field is what the word means in the API")]
struct Counts {
    of: BTreeMap<KeyId, KeyId>,
    counts: BTreeMap<KeyId, KeyCount>,
    now: TimeMs,
    resets_at: TimeMs,
}

impl Counts {
    fn new(caps: &[KeyCap], book: &[KeyCount], live: &[KeyCount], now: TimeMs, resets_at: TimeMs) -> Self {
        // What live state counts is ahead of the book; of a cap that it does not know yet the book says what there is.
        let counts = book.iter().chain(live).map(|count| (count.of, *count)).collect();
        Self { of: caps.iter().map(|cap| (cap.key, cap.of)).collect(), counts, now, resets_at }
    }

    fn of(&self, key: &KeyView) -> (Option<CapUse>, Option<CapUse>) {
        let count = self.of.get(&key.key).and_then(|of| self.counts.get(of));
        let today = count.filter(|count| count.day == self.now.day()).map_or(Credits::ZERO, |count| count.day_used);
        let period = count.filter(|count| self.now < count.period_end).map_or(Credits::ZERO, |count| count.period_used);
        let caps = key.policy.caps();
        let tomorrow = Day::of(self.now).plus(1).starts_at();
        (
            caps.day.map(|limit| CapUse { limit, used: today, resets_at: tomorrow }),
            caps.month.map(|limit| CapUse { limit, used: period, resets_at: self.resets_at }),
        )
    }
}

/// Looks at keys of an account.
pub async fn look(service: &Service, account: AccountId, keys: Vec<KeyView>) -> Result<Seen, Refusal> {
    let now = service.clock.now();
    let view = service.book.account_view(account, now).await?;
    let (counts, source) = counts(service, &view, &keys, now).await?;
    let drawn = drawn(service, &view, now).await?;
    let keys = keys.into_iter().map(|key| {
        let (day, month) = counts.of(&key);
        let drawn = drawn.get(&key.key).copied().unwrap_or(Credits::ZERO);
        SeenKey { state: State::of(&key, now), day, month, drawn, view: key }
    });
    Ok(Seen { keys: keys.collect(), status: view.status, source })
}

/// Nothing is asked where no key has a cap.
async fn counts(
    service: &Service,
    view: &AccountView,
    keys: &[KeyView],
    now: TimeMs,
) -> Result<(Counts, Source), Refusal> {
    let resets_at = view.budget.resets_at;
    if keys.iter().all(|key| key.policy.caps().is_empty()) {
        return Ok((Counts::new(&[], &[], &[], now, resets_at), Source::Live));
    }
    let balance = service.book.balances(&[view.account]).await?.into_iter().next();
    let (caps, book) = balance.map(|balance| (balance.key_caps, balance.key_counts)).unwrap_or_default();
    let live = balance::snapshot(service, view.account).await;
    let source = if live.is_some() { Source::Live } else { Source::Book };
    let live = live.map(|live| live.key_counts).unwrap_or_default();
    Ok((Counts::new(&caps, &book, &live, now, resets_at), source))
}

async fn drawn(service: &Service, view: &AccountView, now: TimeMs) -> Result<BTreeMap<KeyId, Credits>, Refusal> {
    let from = Day::of(view.anchor.period_start(view.budget.resets_at));
    let usage = service.book.usage(view.account, from, Day::of(now).plus(1)).await?;
    Ok(usage.keys.into_iter().filter_map(|used| Some((used.key?, used.credits))).collect())
}

/// What an account's status does to its keys, for people.
pub const fn why(status: Status) -> Option<&'static str> {
    match status {
        Status::Trial | Status::Active | Status::Approved => None,
        Status::PaymentFailed => {
            Some("The last payment failed: every call with an API key is refused and draws nothing.")
        }
        Status::Suspended => {
            Some("This account is suspended: every call with an API key is refused and draws nothing.")
        }
        Status::Pending => {
            Some("This account is not active yet: every call with an API key is refused and draws nothing.")
        }
    }
}

#[cfg(test)]
pub mod tests {
    use metering::{KeyCaps, KeyPolicy};
    use uuid::Uuid;

    use super::*;

    pub const NOW: TimeMs = TimeMs::new(1_795_665_600_000);

    pub fn id(number: u128) -> KeyId {
        KeyId::from_uuid(Uuid::from_u128(number))
    }

    fn credits(count: u64) -> Credits {
        Credits::new(count).unwrap()
    }

    pub fn key(number: u128, caps: KeyCaps) -> KeyView {
        KeyView {
            key: id(number),
            name: "ci".to_owned(),
            prefix: "tg_live_abcd".to_owned(),
            mode: "live".to_owned(),
            created_at: NOW,
            expires_at: None,
            revoked_at: None,
            policy: KeyPolicy::default().with_caps(caps).unwrap(),
            rotated_to: None,
            last_used_at: None,
        }
    }

    #[test]
    fn an_expiry_is_the_first_instant_at_which_a_key_is_refused() {
        let plain = key(1, KeyCaps::default());
        let of = |expires_at, rotated_to, revoked_at| {
            let key = KeyView { expires_at, rotated_to, revoked_at, ..plain.clone() };
            (State::of(&key, NOW), State::of(&key, NOW).is_good())
        };
        let soon = NOW.plus_ms(1);
        assert_eq!(of(None, None, None), (State::Active, true));
        assert_eq!(of(Some(soon), None, None), (State::Expires(soon), true));
        assert_eq!(of(Some(NOW), None, None), (State::Expired(NOW), false));
        assert_eq!(of(Some(soon), Some(id(2)), None), (State::Rotated { until: soon, by: id(2) }, true));
        assert_eq!(of(Some(NOW), Some(id(2)), None), (State::Replaced { at: NOW, by: id(2) }, false));
        assert_eq!(of(Some(soon), Some(id(2)), Some(NOW)), (State::Revoked(NOW), false));
    }

    #[test]
    fn what_is_drawn_of_a_cap_is_of_today_and_of_this_period_and_of_all_that_count_as_one() {
        let caps = KeyCaps { day: Some(credits(10)), month: Some(credits(100)) };
        let (first, second) = (key(1, caps), key(2, caps));
        let both = [KeyCap { key: id(1), of: id(1), caps }, KeyCap { key: id(2), of: id(1), caps }];
        let count = KeyCount {
            of: id(1),
            day: NOW.day(),
            day_used: credits(4),
            period_end: NOW.plus_ms(1),
            period_used: credits(60),
        };
        let used = |book: &[KeyCount], live: &[KeyCount], key: &KeyView| {
            let (day, month) = Counts::new(&both, book, live, NOW, NOW.plus_ms(1)).of(key);
            (day.unwrap().used.get(), month.unwrap().used.get())
        };
        assert_eq!(used(&[count], &[], &first), (4, 60));
        assert_eq!(used(&[count], &[], &second), (4, 60), "it was rotated from the first");
        let ahead = KeyCount { day_used: credits(5), ..count };
        assert_eq!(used(&[count], &[ahead], &first), (5, 60), "live state is ahead of the book");
        let yesterday = KeyCount { day: NOW.day() - 1, ..count };
        assert_eq!(used(&[yesterday], &[], &first), (0, 60));
        let over = KeyCount { period_end: NOW, ..count };
        assert_eq!(used(&[over], &[], &first), (4, 0));
        assert_eq!(used(&[], &[], &first), (0, 0));
        let uncapped = key(3, KeyCaps::default());
        assert_eq!(Counts::new(&both, &[count], &[], NOW, NOW).of(&uncapped), (None, None));
    }
}
