//! Bytes of chance for what reads a caller's or an upstream's bytes, each held against a second, plain reading of the rule.

mod routes;
mod target;
mod terminal;

use proptest::test_runner::Config;

/// A second or two together; the full run takes a minute or two.
fn config(cases: u32) -> Config {
    #[expect(clippy::disallowed_methods, reason = "how much is tested is no setting of the service")]
    let full = std::env::var("TOLLGATE_TEST_SCALE").is_ok_and(|scale| scale == "full");
    Config { failure_persistence: None, ..Config::with_cases(if full { cases * 20 } else { cases }) }
}
