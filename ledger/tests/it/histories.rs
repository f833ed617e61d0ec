//! Random histories, some told at a time; of one that fails, the shortest that still does is shown.

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestRunner};

/// So many are told at a time: each waits for its book most of the time.
const THREADS: u32 = 4;

/// Shares so many cases out among threads, a few more where they can't be divided.
pub fn shares_out(cases: u32, tell: impl Fn(u32) + Sync) {
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| tell(cases.div_ceil(THREADS)));
        }
    });
}

/// Tells so many of these histories to their end.
pub fn tells<S: Strategy>(cases: u32, histories: impl Fn() -> S + Sync, tell: impl AsyncFn(S::Value) + Sync) {
    shares_out(cases, |cases| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let config = Config { cases, max_shrink_iters: 400, failure_persistence: None, ..Config::default() };
        TestRunner::new(config)
            .run(&histories(), |history| {
                runtime.block_on(tell(history));
                Ok(())
            })
            .unwrap_or_else(|failure| panic!("{failure}"));
    });
}
