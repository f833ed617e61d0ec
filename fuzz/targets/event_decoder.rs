//! The fields of an event, as they stand in a shard's stream.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::event_decoder(input));
