//! Watches what the gateway needs, for as long as it lives.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use metering::live::{Meter, MeterError};
use pingora_timeout::timeout;
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::metrics::Metrics;

/// What keeps the gateway from doing its job just now.
pub struct Health {
    redis: watch::Sender<Option<&'static str>>,
    listening: AtomicBool,
    metrics: Arc<Metrics>,
}

impl Health {
    pub fn new(metrics: Arc<Metrics>) -> Self {
        Self { redis: watch::Sender::new(Some("Redis was not asked yet")), listening: AtomicBool::new(false), metrics }
    }

    /// Sees what is wrong with Redis, and when that changes.
    pub fn watch_redis(&self) -> watch::Receiver<Option<&'static str>> {
        self.redis.subscribe()
    }

    /// Empty when all is well.
    pub fn problems(&self) -> Vec<&'static str> {
        let deaf = self.metrics.key_changes_heard.get() == 0;
        let silent = !self.listening.load(Ordering::Relaxed);
        let problems = [
            *self.redis.borrow(),
            deaf.then_some("changes of API keys can't be heard"),
            silent.then_some("the listener is not open yet"),
        ];
        problems.into_iter().flatten().collect()
    }

    fn set_redis(&self, problem: Option<&'static str>) {
        self.metrics.redis_reachable.set(i64::from(problem.is_none()));
        let changed = self.redis.send_if_modified(|known| std::mem::replace(known, problem) != problem);
        match problem {
            _ if !changed => {}
            None => tracing::info!("Redis answers"),
            Some(problem) => tracing::warn!("{problem}: priced requests are answered 503 until it passes"),
        }
    }
}

/// Says once that callers are served: pingora accepts some time after it was told to run. Connects until it was this process that
/// accepted, and not another one that shares the socket.
pub async fn await_listener(address: SocketAddr, accepts: Arc<AtomicBool>, health: Arc<Health>) {
    while TcpStream::connect(address).await.is_err() || !accepts.load(Ordering::Relaxed) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    health.listening.store(true, Ordering::Relaxed);
    tracing::info!(listen = %address, "the gateway listens on {address}");
}

/// Waits until Redis answers and a shard is certified.
pub async fn await_redis(meter: &Meter, limit: Duration) -> anyhow::Result<()> {
    let since = Instant::now();
    while let Some(problem) = ask(meter).await {
        anyhow::ensure!(since.elapsed() < limit, "not ready within {} ms: {problem}", limit.as_millis());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// Asks Redis for its time and its certifications again and again, so that a change is known before a request meets it.
pub async fn keep_asking(meter: Meter, health: Arc<Health>, every: Duration) {
    loop {
        health.set_redis(ask(&meter).await);
        tokio::time::sleep(every).await;
    }
}

async fn ask(meter: &Meter) -> Option<&'static str> {
    match timeout(Duration::from_secs(1), meter.ping()).await {
        Ok(Ok(())) => None,
        Ok(Err(MeterError::Uncertified)) => Some("no shard in Redis is certified"),
        Ok(Err(MeterError::Unavailable(_) | MeterError::Unknown(_) | MeterError::Unreadable(_))) => {
            Some("Redis can't be reached")
        }
        Err(_) => Some("Redis does not answer in time"),
    }
}
