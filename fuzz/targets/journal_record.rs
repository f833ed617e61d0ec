//! A file of a gateway's journal, or the content of one of its frames.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::journal_record(input));
