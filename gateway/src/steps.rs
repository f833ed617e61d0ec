//! The steps of one request, each in its own file; `proxy.rs` says in which order they run.

mod answer_credits;
pub mod answer_headers;
mod answer_here;
mod answer_preflight;
pub mod authenticate;
mod body;
pub mod canonical_target;
mod check_status;
pub mod draw;
mod fail;
mod finish;
pub mod give_back;
mod header_lines;
mod own_answer;
mod price;
mod read_body;
mod reject;
pub mod screen;
pub mod terminal_event;
pub mod trusted_headers;

pub use answer_headers::answer_headers;
pub use answer_here::answer_here;
pub use answer_preflight::answer_preflight;
pub use authenticate::{authenticate, credential, same_origin};
pub use body::{check_declared_length, forward_body};
pub use canonical_target::canonical_target;
pub use check_status::check_status;
pub use draw::{Balance, draw};
pub use fail::{fail, may_retry};
pub use finish::finish;
pub use give_back::{after_header, give_back};
pub use price::price;
pub use read_body::read_body;
pub use reject::reject;
pub use screen::screen;
pub use trusted_headers::set_trusted_headers;
