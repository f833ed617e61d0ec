//! Starters for tests: a private Redis, and an owner without a book. Behind the feature `testing`; never in a service.
#![expect(clippy::expect_used, clippy::missing_panics_doc, reason = "a test that can't start its parts has failed")]

mod corruption;
mod full_disk;
mod redis_cluster;
mod redis_server;
mod stage;
mod turned_clock;

pub use corruption::{append_by_hand, spoil_head};
pub use redis_cluster::{holder, move_slot, start_cluster};
pub use redis_server::{PASSWORD_ENDS, RedisServer, RedisSetup, RedisTls, free_port, valkey};
pub use stage::{GENEROUS_CAPS, Stage};
pub use turned_clock::turnable;
