//! The steps of one request, each in its own file; `proxy.rs` says in which order they run.

mod answer_credits;
pub mod answer_headers;
mod answer_here;
pub mod authenticate;
mod body;
pub mod canonical_target;
mod check_status;
pub mod draw;
mod fail;
mod finish;
pub mod give_back;
mod header_lines;
pub mod key_policy;
mod own_answer;
mod price;
mod reject;
pub mod screen;
pub mod terminal_event;
pub mod trusted_headers;

pub use answer_headers::answer_headers;
pub use answer_here::answer_here;
pub use authenticate::{authenticate, credential, same_origin};
pub use body::{check_declared_length, count_body};
pub use canonical_target::canonical_target;
pub use check_status::check_status;
pub use draw::{Balance, draw};
pub use fail::{fail, may_retry};
pub use finish::finish;
pub use give_back::{after_header, give_back};
pub use key_policy::check_key_policy;
pub use price::price;
pub use reject::reject;
pub use screen::screen;
pub use trusted_headers::set_trusted_headers;
