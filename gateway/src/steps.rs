//! The steps of one request, each in its own file; `proxy.rs` says in which order they run.
//!
//! What few requests do is boxed where it begins (`Box::pin`): the future of every request, which is moved more than once, is as large as
//! the largest thing that any of them may do.

mod answer_credits;
pub mod answer_headers;
mod answer_here;
mod answer_preflight;
pub mod authenticate;
mod begin;
mod body;
pub mod canonical_target;
mod check_status;
mod confirm;
mod connect;
pub mod draw;
mod durable;
mod fail;
mod finish;
pub mod give_back;
pub mod grpc;
mod header_lines;
mod http2_fields;
pub mod idempotency;
pub mod key_policy;
mod own_answer;
mod pay_messages;
mod price;
pub mod price_report;
mod read_body;
mod reject;
mod reserve;
pub mod screen;
mod settle;
pub mod terminal_event;
pub mod trusted_headers;
mod upgrade;

pub use answer_headers::answer_headers;
pub use answer_here::answer_here;
pub use answer_preflight::answer_preflight;
pub use authenticate::{authenticate, credential, same_origin};
pub use begin::{Way, begin};
pub use body::{check_declared, forward_body};
pub use canonical_target::canonical_target;
pub use check_status::check_status;
pub use connect::{find_peer, try_elsewhere};
pub use draw::{Balance, draw};
pub use fail::{fail, may_retry};
pub use finish::finish;
pub use grpc::end_answer;
pub use key_policy::check_key_policy;
pub use price::price;
pub use read_body::read_body;
pub use reject::reject;
pub use reserve::reserve;
pub use screen::{raw_header, screen};
pub use settle::{settle_after_end, settle_after_header};
pub use trusted_headers::set_trusted_headers;
pub use upgrade::upgrades;
