//! An owner without a book: certifies every shard of a private Redis and writes what a test asks for.

use std::collections::HashMap;
use std::time::Duration;

use redis::{Value, cmd};

use crate::live::owner::{Caps, Certified, ControlOutcome, ControlRow, InstallOutcome, Mode, OwnerLink};
use crate::live::{Fence, Meter, Place, connect};
use crate::{AccountId, AccountImage, Change, Event, KeyImage, Shard, ShardCount, ShardKind, TimeMs};

/// Caps that no test reaches by chance.
pub const GENEROUS_CAPS: Caps =
    Caps { events: 1_000_000, credits: crate::credits::LARGEST, age_ms: crate::credits::LARGEST };

/// Sets the highest time of the shard with the hash KEYS[1].
const TURN: &str = "
local sequence, _, exposed = struct.unpack('>I7I7I7', redis.call('HGET', KEYS[1], 'live'))
redis.call('HSET', KEYS[1], 'live', struct.pack('>I7I7I7', sequence, ARGV[1], exposed))";

/// All shards of an installation, certified and open.
pub struct Stage {
    /// The owner's connection.
    pub link: OwnerLink,
    /// The shard count.
    pub count: ShardCount,
    place: Place,
    shards: HashMap<Shard, Certified>,
    rows: u64,
    versions: HashMap<AccountId, u64>,
}

impl Stage {
    /// Certifies every shard as new.
    pub async fn open(place: impl Into<Place>, shard_count: u16, certification: u64) -> Self {
        Self::open_with_caps(place, shard_count, certification, GENEROUS_CAPS).await
    }

    /// Certifies every shard as new, with exposure caps. `certification` also serves as the incarnation, so it must rise.
    pub async fn open_with_caps(place: impl Into<Place>, shard_count: u16, certification: u64, caps: Caps) -> Self {
        let place = place.into();
        let mut link = OwnerLink::open(&place, Duration::from_secs(10)).await.expect("the test's redis is safe");
        let count = ShardCount::new(shard_count).expect("a shard count of a test is good");
        link.agree_on_shards(count).await.expect("the shard count is the same");
        let mut shards = HashMap::new();
        for kind in [ShardKind::Accounts, ShardKind::Keys] {
            for number in 0..shard_count {
                let shard = Shard { kind, number };
                link.seal(shard, certification).await.expect("a shard can be sealed");
                let fence = Fence { shard, incarnation: certification, certification };
                let certified = link.certify(fence, certification, Mode::New, 0, TimeMs::EPOCH, caps).await;
                let certified = certified.expect("a new incarnation can be certified");
                link.open_shard(&certified).await.expect("a certified shard can be opened");
                shards.insert(shard, certified);
            }
        }
        Self { link, count, place, shards, rows: 0, versions: HashMap::new() }
    }

    /// A gateway's meter for this Redis.
    pub async fn meter(&self) -> Meter {
        let meter = Meter::connect(&self.place).await.expect("the test's URL is good");
        meter.ping().await.expect("the test's redis answers");
        meter
    }

    /// The certified shard of an account.
    #[must_use]
    pub fn shard_of(&self, account: &AccountId) -> Certified {
        self.shards.get(&account.shard(self.count)).expect("every shard was certified").clone()
    }

    /// Writes an account as a book would.
    pub async fn install(&mut self, image: &AccountImage) -> InstallOutcome {
        let shard = self.shard_of(&image.account);
        let outcomes = self.link.install(&shard, std::slice::from_ref(image)).await.expect("install is answered");
        self.versions.insert(image.account, image.control_version);
        outcomes.into_iter().next().expect("one answer an account")
    }

    /// Applies a control change at the next version of the account.
    pub async fn control(&mut self, account: AccountId, change: Change) -> ControlOutcome {
        let version = self.versions.get(&account).copied().unwrap_or(0).saturating_add(1);
        self.rows = self.rows.saturating_add(1);
        let row = ControlRow { row: self.rows, account, version, change };
        let outcome = self.control_row(&row).await;
        if outcome == ControlOutcome::Applied {
            self.versions.insert(account, version);
        }
        outcome
    }

    /// Applies a control row as it is.
    pub async fn control_row(&mut self, row: &ControlRow) -> ControlOutcome {
        let shard = self.shard_of(&row.account);
        let outcomes = self.link.control(&shard, std::slice::from_ref(row)).await.expect("control is answered");
        outcomes.into_iter().next().expect("one answer a row")
    }

    /// Writes an API key as a book would.
    pub async fn put_key(&mut self, image: KeyImage) {
        let shard = self.shards.get(&image.digest.shard(self.count)).expect("every shard was certified").clone();
        self.link.put_keys(&shard, &[image]).await.expect("a key can be put");
    }

    /// All events of an account's shard, oldest first.
    pub async fn events(&mut self, account: &AccountId) -> Vec<Event> {
        let fence = *self.shard_of(account).fence();
        self.link.events_from(&fence, 0, 1_000_000).await.expect("the stream can be read")
    }

    /// Turns the clock of an account's shard forward: a script's time is never behind the shard's highest time.
    pub async fn turn_clock(&mut self, account: &AccountId, to: TimeMs) {
        let meta = self.shard_of(account).fence().meta();
        let client = self.place.client().expect("the test's URL is good");
        let mut connection = connect::once(&client, Duration::from_secs(10)).await.expect("the test's redis answers");
        let mut turn = cmd("EVAL");
        turn.arg(TURN).arg(1).arg(&meta).arg(to.as_u64());
        let _: Value = turn.query_async(&mut connection).await.expect("meta can be written");
    }
}
