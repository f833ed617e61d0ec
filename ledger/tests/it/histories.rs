//! Random histories, some told at a time; of one that fails, the shortest that still does is shown.

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestRunner};

/// So many are told at a time: each waits for its book most of the time.
const THREADS: u32 = 4;

/// Tells so many of these histories to their end, or a few more.
pub fn tells<S: Strategy>(cases: u32, histories: impl Fn() -> S + Sync, tell: impl AsyncFn(S::Value) + Sync) {
    let config = Config {
        cases: cases.div_ceil(THREADS),
        max_shrink_iters: 400,
        failure_persistence: None,
        ..Config::default()
    };
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                TestRunner::new(config.clone())
                    .run(&histories(), |history| {
                        runtime.block_on(tell(history));
                        Ok(())
                    })
                    .unwrap_or_else(|failure| panic!("{failure}"));
            });
        }
    });
}
