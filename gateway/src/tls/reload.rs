//! Looks at the files of certificates now and then; changed ones take the place of the old when all of them are good.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use config::gateway::Tls;

use super::{Certificates, InForce};
use crate::metrics::Metrics;

/// Goes on for as long as the gateway lives. A file is looked at by its time and size, and read only when one of them changed.
pub async fn keep_reloading(settings: Tls, in_force: Arc<InForce>, metrics: Arc<Metrics>) {
    let mut seen = looks(&settings).await;
    loop {
        tokio::time::sleep(Duration::from_millis(settings.reload_ms.max(10))).await;
        let now = looks(&settings).await;
        if now == seen {
            continue;
        }
        match Certificates::read(&settings) {
            Ok(Some(certificates)) => {
                metrics.certificates.taken(&certificates.expiries);
                in_force.replace(certificates);
                tracing::info!("changed certificates are in force");
            }
            Ok(None) => {}
            Err(error) => {
                metrics.certificates.refused();
                tracing::error!(%error, "changed certificates are not taken, the old ones stay: {error}");
            }
        }
        seen = now;
    }
}

/// How each file looks from outside; `None` for one that is not there.
async fn looks(settings: &Tls) -> Vec<Option<(SystemTime, u64)>> {
    let mut looks = Vec::new();
    for files in &settings.certificates {
        for file in [files.chain(), files.key()] {
            let known = tokio::fs::metadata(file).await.ok();
            looks.push(known.and_then(|known| Some((known.modified().ok()?, known.len()))));
        }
    }
    looks
}
