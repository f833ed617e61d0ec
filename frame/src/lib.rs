//! What every service that works on the book stands on: start and end, log, clock, admin listener, metrics.

pub mod admin;
mod causes;
mod clock;
pub mod door;
pub mod live_balance;
mod log;
mod register;
mod start;

pub use causes::chain;
pub use clock::Clock;
pub use register::Register;
pub use start::start;
