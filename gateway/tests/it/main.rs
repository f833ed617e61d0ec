//! The real gateway in front of a small upstream, with a real Redis behind it.
#![expect(clippy::unwrap_used, reason = "what can't be unwrapped has failed the test")]

mod body_price;
mod config_check;
mod cors;
mod faults;
mod headers;
mod holds;
mod hostile;
mod house;
mod http2;
mod http2_attacks;
mod http2_hostile;
mod idempotency;
mod key_policy;
mod keys;
mod limits;
mod money;
mod redis_away;
mod reload;
mod secure_upstreams;
mod session_keys;
mod sessions;
mod stop;
mod streams;
mod targets;
mod tls;
mod trickle;
mod upgrade;
mod upstreams;
mod websocket;
