//! What reads a caller's or an upstream's bytes, each held against a second, plain reading of its rule.
//!
//! Each function takes bytes of chance and panics when its rule is broken. The package `fuzz` drives them by coverage; the tests
//! here go through the inputs it has kept.

mod canonical_target;
mod dice;
mod route_match;
mod session_token;
mod terminal_event;

pub use canonical_target::canonical_target;
pub use route_match::route_match;
pub use session_token::session_token;
pub use terminal_event::terminal_event;

#[cfg(test)]
mod tests {
    use std::path::Path;

    fn replay(target: &str, check: fn(&[u8])) {
        let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
        let mut count = 0;
        for entry in std::fs::read_dir(&kept).unwrap() {
            let file = entry.unwrap().path();
            let input = std::fs::read(&file).unwrap();
            // The harness shows a test's output only when it fails, and then the last line names the input.
            println!("{}", file.display());
            check(&input);
            count += 1;
        }
        assert!(count >= 10, "{} holds {count} inputs", kept.display());
    }

    #[test]
    fn every_target_that_was_kept_has_one_reading_or_none() {
        replay("canonical_target", super::canonical_target);
    }

    #[test]
    fn every_table_that_was_kept_finds_what_the_rule_says() {
        replay("route_match", super::route_match);
    }

    #[test]
    fn every_token_that_was_kept_opens_no_more_than_was_signed() {
        replay("session_token", super::session_token);
    }

    #[test]
    fn every_stream_that_was_kept_ends_where_its_lines_say() {
        replay("terminal_event", super::terminal_event);
    }
}
