//! A delivery of Stripe: its signature header, and its body.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::stripe_delivery(input));
