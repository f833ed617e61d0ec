//! What is fuzzed besides the gateway: whoever reads bytes that another program of ours wrote, or Stripe.

mod event_decoder;
mod journal_record;
mod stripe_delivery;

pub use event_decoder::event_decoder;
pub use journal_record::journal_record;
pub use stripe_delivery::stripe_delivery;
