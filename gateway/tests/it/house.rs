//! A gateway, its Redis and its upstream, for one test. Everything ends when dropped.

mod caller;
pub mod collector;
mod gateway;
pub mod grpc;
pub mod http2;
mod secure;
pub mod tls;
mod tokens;
mod traffic;
mod upstream;
pub mod witness;

use std::time::{Duration, Instant};

use metering::live::Place;
use metering::live::owner::InstallOutcome;
use metering::testing::{RedisServer, Stage};
use metering::{
    AccountId, AccountImage, ApiKey, BudgetAnchor, Credits, KeyId, KeyImage, KeyMode, KeyPolicy, KeyState, LotId,
    LotImage, SessionVersions, Status, TimeMs,
};
use uuid::Uuid;

pub use caller::{Answer, raw};
pub use gateway::{GatewayProcess, binary};
pub use secure::{SecureUpstream, TEST_CA};
pub use tokens::{Signer, now_seconds, session_settings};
pub use traffic::Traffic;
pub use upstream::{HANDSHAKE_TIME, Seen, Upstream};

/// Long after every test.
const LATER: TimeMs = TimeMs::new(4_102_444_800_000);
/// How long a test waits for what must come.
pub const PATIENCE: Duration = Duration::from_secs(15);

pub struct House {
    pub stage: Stage,
    pub upstream: Upstream,
    pub gateway: GatewayProcess,
    // Last, so that it is dropped after those who use it.
    pub redis: RedisServer,
}

/// An account that was installed, with one key.
pub struct Account {
    pub id: AccountId,
    pub key: ApiKey,
    pub key_image: KeyImage,
}

impl House {
    pub async fn start() -> Self {
        Self::start_with("").await
    }

    /// `settings`: lines of a `gateway.toml` after the usual ones.
    pub async fn start_with(settings: &str) -> Self {
        let redis = RedisServer::start();
        let (owner, url) = (Place::new(&redis.url()), redis.url());
        Self::start_on(redis, owner, &url, settings).await
    }

    /// On a Redis of your choice: where its owner finds it, and where the gateway does.
    pub async fn start_on(redis: RedisServer, owner: Place, gateway_url: &str, settings: &str) -> Self {
        let stage = Stage::open(owner, 2, 1).await;
        let upstream = Upstream::start().await;
        let gateway = GatewayProcess::start(gateway_url, &upstream.url(), settings);
        gateway.until_ready().await;
        Self { stage, upstream, gateway, redis }
    }

    pub async fn account(&mut self, status: Status, credits: u64) -> Account {
        self.account_with_budget(status, credits, 0).await
    }

    pub async fn account_with_budget(&mut self, status: Status, credits: u64, budget: u64) -> Account {
        let id = AccountId::from_uuid(Uuid::now_v7());
        self.install(&Self::image(id, status, credits, budget)).await;
        let (key, key_image) = self.key(id, status).await;
        Account { id, key, key_image }
    }

    /// Writes an account as its owner does.
    pub async fn install(&mut self, image: &AccountImage) {
        assert_eq!(self.stage.install(image).await, InstallOutcome::Installed);
    }

    pub fn image(id: AccountId, status: Status, credits: u64, budget: u64) -> AccountImage {
        let number = |count| Credits::new(count).unwrap();
        let lot = LotImage {
            lot: LotId::new(1).unwrap(),
            remaining: number(credits),
            granted_at: TimeMs::EPOCH,
            expires_at: LATER,
        };
        AccountImage {
            account: id,
            seq: 0,
            control_version: 1,
            control_row: 1,
            status,
            anchor: BudgetAnchor::new(1).unwrap(),
            budget_limit: number(budget),
            budget_used: Credits::ZERO,
            budget_period_end: TimeMs::EPOCH,
            revoked_keys: vec![],
            key_caps: vec![],
            key_counts: vec![],
            idempotency: vec![],
            lots: if credits > 0 { vec![lot] } else { vec![] },
            open_undos: vec![],
            sessions: SessionVersions::default(),
        }
    }

    /// One more key of an account.
    pub async fn key(&mut self, account: AccountId, account_status: Status) -> (ApiKey, KeyImage) {
        let mut random = [0; 32];
        random[..16].copy_from_slice(Uuid::now_v7().as_bytes());
        let key = ApiKey::generate(KeyMode::Test, random);
        let id = KeyId::from_uuid(Uuid::now_v7());
        let image = KeyImage {
            digest: key.digest(),
            account,
            key: id,
            state: KeyState::Active,
            account_status,
            expires_at: None,
            policy: KeyPolicy::default(),
            rates_of: id,
        };
        self.stage.put_key(image.clone()).await;
        (key, image)
    }

    /// How many scripts Redis has run.
    pub async fn script_calls(&self) -> u64 {
        let told = self.tell_redis("INFO commandstats").await;
        let (_, calls) = told.split_once("cmdstat_evalsha:calls=").unwrap();
        calls.split(',').next().unwrap().parse().unwrap()
    }

    /// Nobody hears of changes any more, until they subscribe again.
    pub async fn lose_subscribers(&self) {
        self.tell_redis("CLIENT KILL TYPE pubsub").await;
    }

    async fn tell_redis(&self, command: &str) -> String {
        let port = self.redis.url().rsplit(':').next().and_then(|port| port.parse().ok()).unwrap();
        let told = caller::talk(port, format!("{command}\r\nQUIT\r\n").as_bytes()).await;
        String::from_utf8_lossy(&told).into_owned()
    }

    /// What Redis says is left.
    pub async fn remaining(&self, account: &Account) -> u64 {
        self.stage.meter().await.credits(account.id).await.unwrap().remaining.get()
    }

    /// Waits until what is left is as it should be.
    pub async fn until_remaining(&self, account: &Account, credits: u64) {
        let started = Instant::now();
        loop {
            let remaining = self.remaining(account).await;
            if remaining == credits {
                return;
            }
            assert!(
                started.elapsed() < PATIENCE,
                "{remaining} credits are left, not {credits}\n{}",
                self.gateway.log()
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub async fn get(&self, path: &str, account: &Account) -> Answer {
        self.gateway.send("GET", path, &[("Authorization", &bearer(&account.key))], "").await
    }

    /// Calls until the gateway knows the key: the news of its making may come after its first use and make it be read again.
    pub async fn warm(&self, account: &Account) {
        let hits = || self.gateway.metric("tollgate_gateway_key_lookups_total{result=\"hit\"}");
        let known = hits().await + 3;
        while hits().await < known {
            assert_eq!(self.get("/v1/artifacts/7", account).await.status, 200);
        }
    }

    /// `POST /v1/messages`, which costs 1. `how`: what the upstream shall do.
    pub async fn message(&self, account: &Account, how: &str) -> Answer {
        let lines = [("Authorization", &*bearer(&account.key)), ("X-Do", how)];
        self.gateway.send("POST", "/v1/messages", &lines, "{}").await
    }
}

pub fn bearer(key: &ApiKey) -> String {
    format!("Bearer {}", key.reveal())
}

/// Waits for a condition, with a limit.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < PATIENCE, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
