//! The words and rules of metering, and the live balance in Redis.
//!
//! Pure parts first (ids, credits, time, status, budget, lots, keys, events); [`live`] is the only place that speaks to Redis.
#![deny(missing_docs)]
#![cfg_attr(not(test), deny(clippy::float_arithmetic, clippy::as_conversions, clippy::arithmetic_side_effects))]

pub mod api_key;
pub mod budget;
pub mod caps;
pub mod control;
pub mod credits;
pub mod event;
mod hex;
pub mod idempotency;
pub mod ids;
pub mod image;
pub mod journal;
pub mod live;
pub mod lots;
pub mod outcome;
pub mod policy;
pub mod session;
pub mod status;
pub mod stream_entry;
#[cfg(feature = "testing")]
pub mod testing;
pub mod time;

pub use api_key::{ApiKey, ApiKeyError, KeyDigest, KeyMode, KeyText};
pub use budget::BudgetAnchor;
pub use caps::{CapPeriod, KeyCap, KeyCaps, KeyCount};
pub use control::{Change, ControlKind};
pub use credits::{Credits, CreditsError};
pub use event::{Body, Event, EventId};
pub use hex::hex;
pub use idempotency::{Fingerprint, IDEMPOTENCY_MS, Idempotency, IdempotencyKey, IdempotencyMark};
pub use ids::{AccountId, IdError, KeyId, LotId, OpId, RouteName, Shard, ShardCount, ShardKind};
pub use image::{AccountImage, KeyImage, KeyState, LotImage};
pub use lots::{Draw, Split};
pub use outcome::{Ended, RequestOutcome};
pub use policy::{AddressRange, KeyPolicy, PolicyError, Rate, Scope};
pub use session::{SessionSubject, SessionVersion, SessionVersions, SubjectDigest};
pub use status::Status;
pub use stream_entry::StreamEntry;
pub use time::TimeMs;
