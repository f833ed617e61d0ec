//! The steps of one request, each in its own file; `proxy.rs` says in which order they run.

mod answer_credits;
pub mod answer_headers;
pub mod authenticate;
mod body;
pub mod canonical_target;
pub mod draw;
mod fail;
mod finish;
pub mod give_back;
mod header_lines;
mod http2_fields;
mod own_answer;
mod price;
mod reject;
pub mod screen;
pub mod terminal_event;
pub mod trusted_headers;
mod upgrade;

pub use answer_credits::{answer_credits, read_credits};
pub use answer_headers::answer_headers;
pub use authenticate::authenticate;
pub use body::{check_declared_length, count_body};
pub use canonical_target::canonical_target;
pub use draw::{Balance, draw};
pub use fail::{fail, may_retry};
pub use finish::finish;
pub use give_back::{after_header, give_back};
pub use http2_fields::say_as_http1;
pub use price::price;
pub use reject::reject;
pub use screen::{raw_header, screen};
pub use trusted_headers::{Way, set_trusted_headers};
pub use upgrade::{check_upgrade, upgrades};
