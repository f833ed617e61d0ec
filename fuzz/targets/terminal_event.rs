//! A stream of events, as an upstream sends it.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| gateway::fuzz::terminal_event(input));
