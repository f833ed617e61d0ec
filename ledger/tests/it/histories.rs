//! Random histories, told one after the other; of one that fails, the shortest that still does is shown.

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestRunner};

/// Tells so many of these histories to their end.
pub fn tells<S: Strategy>(cases: u32, histories: &S, tell: impl AsyncFn(S::Value)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let config = Config { cases, max_shrink_iters: 400, failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
        .run(histories, |history| {
            runtime.block_on(tell(history));
            Ok(())
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
}
