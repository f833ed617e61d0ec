//! The seeded accounts, by name. Other tools rely on the names; `dev/README.md` lists them.

pub struct Account {
    pub name: &'static str,
    pub status: &'static str,
    pub lots: &'static [Lot],
    pub budget: Option<u64>,
    /// Priced requests sent through the gateway once, each drawing one credit.
    pub requests: u32,
    pub key_revoked: bool,
    /// How often its key may be used, as the operators' command writes it.
    pub rate: Option<&'static str>,
}

pub struct Lot {
    pub credits: u64,
    pub expires_in: &'static str,
    pub product: &'static str,
}

const fn lot(credits: u64, expires_in: &'static str, product: &'static str) -> Lot {
    Lot { credits, expires_in, product }
}

const TEAM: &[Lot] = &[lot(1_000, "30d", "team")];

/// An account in a status, with a thousand credits that it may or may not spend.
const fn plain(name: &'static str, status: &'static str) -> Account {
    Account { name, status, lots: TEAM, budget: None, requests: 0, key_revoked: false, rate: None }
}

pub const STOCK: &[Account] = &[
    Account {
        // Granted in another order than they expire, so that the burn order shows.
        lots: &[lot(100_000, "365d", "invoice"), lot(1_000, "7d", "welcome"), lot(10_000, "30d", "team")],
        budget: Some(100_000),
        ..plain("active", "active")
    },
    plain("trial", "trial"),
    Account { budget: Some(800), ..plain("approved", "approved") },
    plain("pending", "pending"),
    plain("payment_failed", "payment_failed"),
    plain("suspended", "suspended"),
    Account { lots: &[lot(1, "30d", "team")], requests: 1, ..plain("exhausted", "active") },
    Account { budget: Some(1), requests: 1, ..plain("over_budget", "active") },
    Account { key_revoked: true, ..plain("revoked", "active") },
    Account { rate: Some("minute=3/1m"), ..plain("rate_limited", "active") },
    // 2^50: no load test empties it.
    Account { lots: &[lot(1 << 50, "365d", "bench")], ..plain("bench", "active") },
];
