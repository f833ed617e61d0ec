//! What is fuzzed besides the gateway: whoever reads bytes that another program of ours wrote.

mod event_decoder;
mod journal_record;

pub use event_decoder::event_decoder;
pub use journal_record::journal_record;
