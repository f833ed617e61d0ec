//! The token of a session, as a caller shows it.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| gateway::fuzz::session_token(input));
