//! The real gateway in front of a small upstream, with a real Redis behind it.
#![expect(clippy::unwrap_used, reason = "what can't be unwrapped has failed the test")]

mod config_check;
mod faults;
mod headers;
mod house;
mod keys;
mod limits;
mod money;
mod redis_away;
mod reload;
mod secure_upstreams;
mod stop;
mod streams;
mod targets;
mod upgrade;
mod upstreams;
