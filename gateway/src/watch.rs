//! Watches what the gateway needs, for as long as it lives.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use metering::live::{Meter, MeterError};
use pingora_timeout::timeout;

use crate::metrics::Metrics;

/// What keeps the gateway from doing its job just now.
pub struct Health {
    redis: Mutex<Option<String>>,
    metrics: Arc<Metrics>,
}

impl Health {
    pub fn new(metrics: Arc<Metrics>) -> Self {
        Self { redis: Mutex::new(Some("Redis was not asked yet".to_owned())), metrics }
    }

    /// Empty when all is well.
    pub fn problems(&self) -> Vec<String> {
        let redis = self.redis.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let deaf = self.metrics.key_changes_heard.get() == 0;
        redis.into_iter().chain(deaf.then(|| "changes of API keys can't be heard".to_owned())).collect()
    }

    fn set_redis(&self, problem: Option<&'static str>) {
        self.metrics.redis_reachable.set(i64::from(problem.is_none()));
        let mut redis = self.redis.lock().unwrap_or_else(PoisonError::into_inner);
        if redis.as_deref() == problem {
            return;
        }
        match problem {
            None => tracing::info!("Redis answers"),
            Some(problem) => tracing::warn!("{problem}: priced requests are answered 503 until it passes"),
        }
        *redis = problem.map(str::to_owned);
    }
}

/// Asks Redis for its time and its certifications again and again, so that a change is known before a request meets it.
pub async fn keep_asking(meter: Meter, health: Arc<Health>, every: Duration) {
    loop {
        let problem = match timeout(Duration::from_secs(1), meter.ping()).await {
            Ok(Ok(())) => None,
            Ok(Err(MeterError::Uncertified)) => Some("no shard in Redis is certified"),
            Ok(Err(MeterError::Unavailable(_) | MeterError::Unknown(_))) => Some("Redis can't be reached"),
            Err(_) => Some("Redis does not answer in time"),
        };
        health.set_redis(problem);
        tokio::time::sleep(every).await;
    }
}
