//! What every service that works on the book stands on: start and end, log, clock, admin listener, metrics.

pub mod admin;
mod book;
mod causes;
mod clock;
pub mod door;
mod listen;
pub mod live_balance;
mod log;
mod register;
pub mod show;
mod start;
mod stop;

pub use book::{open_book, wait_for_book};
pub use causes::chain;
pub use clock::Clock;
pub use listen::bind;
pub use register::Register;
pub use start::start;
pub use stop::{StopSignals, finish};
