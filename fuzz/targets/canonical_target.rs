//! The target of a request, as a caller writes it.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| gateway::fuzz::canonical_target(input));
