//! What is counted about certificates.

use prometheus::{IntCounter, IntGaugeVec, Opts, Registry};

use super::{labelled, name};

pub struct CertificateMetrics {
    reloads: [IntCounter; 2],
    expires: IntGaugeVec,
}

impl CertificateMetrics {
    pub fn new(registry: &Registry) -> prometheus::Result<Self> {
        let reloads = labelled(
            registry,
            "certificate_reloads_total",
            "Changed certificate files, by what became of them.",
            "result",
            ["taken", "refused"],
        )?;
        let opts = Opts::new(
            name("certificate_expires_timestamp_seconds"),
            "When a certificate expires, in seconds since 1970, by its first name.",
        );
        let expires = IntGaugeVec::new(opts, &["certificate"])?;
        registry.register(Box::new(expires.clone()))?;
        Ok(Self { reloads, expires })
    }

    /// Says which certificates are in force: each one's first name, and when it expires.
    pub fn in_force(&self, expiries: &[(String, i64)]) {
        self.expires.reset();
        for (name, expires_at) in expiries {
            self.expires.with_label_values(&[name]).set(*expires_at);
        }
    }

    pub fn taken(&self, expiries: &[(String, i64)]) {
        self.reloads[0].inc();
        self.in_force(expiries);
    }

    pub fn refused(&self) {
        self.reloads[1].inc();
    }
}
