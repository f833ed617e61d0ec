//! The real gateway in front of a small upstream, with a real Redis behind it.
#![expect(clippy::unwrap_used, reason = "what can't be unwrapped has failed the test")]

mod attacks;
mod body_price;
mod config_check;
mod confused_tokens;
mod cors;
mod cross_site;
mod faults;
mod grpc;
mod headers;
mod hostile;
mod house;
mod http2;
mod http2_attacks;
mod http2_harm;
mod http2_hostile;
mod key_policy;
mod keys;
mod limits;
mod messages;
mod money;
mod redis_away;
mod reload;
mod secure_upstreams;
mod session_keys;
mod sessions;
mod sign_out;
mod stop;
mod streams;
mod targets;
mod tls;
mod traces;
mod trickle;
mod upgrade;
mod upstreams;
mod websocket;
