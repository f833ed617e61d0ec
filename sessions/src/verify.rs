//! A token is judged: its signature by the keys that are known, its claims by the rules that are set.

use std::sync::Arc;

use config::sessions::SessionRules;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Validation, decode, decode_header};
use metering::TimeMs;
use moka::future::Cache;
use serde_json::{Map, Value};

use crate::claims::{Claims, Expected};
use crate::key_set::KeySet;
use crate::key_source::KeySource;
use crate::ring_provider::{self, algorithm};
use crate::session::{Refused, Session, SessionFault};
use crate::watch::{Lookup, Watch};

/// 2020. The store's clock stands near 1970 until the store has told the time, and by that every token would be one of the future.
const TIME_KNOWN: TimeMs = TimeMs::new(1_577_836_800_000);

/// A session, and which reading of the keys verified it.
#[derive(Clone)]
struct Entry {
    session: Arc<Session>,
    reading: u64,
}

/// Whoever judges tokens, and remembers which were good.
pub struct Sessions {
    rules: SessionRules,
    validation: Validation,
    keys: KeySource,
    verified: Cache<[u8; 32], Entry>,
    watch: Arc<dyn Watch>,
}

impl Sessions {
    #[must_use]
    pub fn new(rules: SessionRules, keys: KeySource, watch: Arc<dyn Watch>) -> Self {
        ring_provider::install();
        // Only the signature is left to the library: the claims are checked here, by the store's clock and for their types.
        let mut validation = Validation::new(algorithm(rules.algorithm));
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        let verified = Cache::builder().max_capacity(rules.entries_max).build();
        Self { rules, validation, keys, verified, watch }
    }

    #[must_use]
    pub fn rules(&self) -> &SessionRules {
        &self.rules
    }

    /// Whom the token speaks for at this time. Whether the session was ended since is not looked at.
    pub async fn verify(&self, token: &str, now: TimeMs) -> Result<Arc<Session>, Refused> {
        let result = self.look_up(token, now).await;
        self.watch.looked_up(match &result {
            Ok((_, lookup)) => *lookup,
            Err(_) => Lookup::Refused,
        });
        result.map(|(session, _)| session)
    }

    async fn look_up(&self, token: &str, now: TimeMs) -> Result<(Arc<Session>, Lookup), Refused> {
        if token.len() > self.rules.token_bytes_max {
            return Err(Refused::Fault(SessionFault::Malformed));
        }
        let Some(keys) = self.keys.current().filter(|_| now >= TIME_KNOWN) else { return Err(Refused::NotYet) };
        let digest = digest(token);
        if let Some(known) = self.verified.get(&digest).await
            && known.reading == keys.reading
        {
            let session = known.session;
            return if self.has_expired(&session, now) {
                Err(Refused::Fault(SessionFault::Expired))
            } else {
                Ok((session, Lookup::Hit))
            };
        }
        let claims = self.claims(token, &keys).map_err(Refused::Fault)?;
        let session = Arc::new(self.expected().read(&claims, now).map_err(Refused::Fault)?);
        self.verified.insert(digest, Entry { session: session.clone(), reading: keys.reading }).await;
        Ok((session, Lookup::Verified))
    }

    /// The claims of a token whose signature holds.
    fn claims(&self, token: &str, keys: &KeySet) -> Result<Map<String, Value>, SessionFault> {
        let header = decode_header(token).map_err(|_| SessionFault::Malformed)?;
        // An extension that must be understood is not.
        if header.crit.is_some() {
            return Err(SessionFault::Malformed);
        }
        let Some(key) = keys.find(header.kid.as_deref()) else {
            self.keys.ask_soon();
            return Err(SessionFault::Unverified);
        };
        decode::<Claims>(token, key, &self.validation).map(|token| token.claims.0).map_err(|error| match error.kind() {
            ErrorKind::InvalidSignature | ErrorKind::InvalidAlgorithm => SessionFault::Unverified,
            _ => SessionFault::Malformed,
        })
    }

    fn expected(&self) -> Expected<'_> {
        let rules = &self.rules;
        Expected {
            issuer: &rules.issuer,
            audience: &rules.audience,
            account_claim: &rules.account_claim,
            roles_claim: &rules.roles_claim,
            version_claim: &rules.version_claim,
            leeway_seconds: rules.leeway_seconds,
        }
    }

    fn has_expired(&self, session: &Session, now: TimeMs) -> bool {
        session.expires_at.plus_ms(self.rules.leeway_seconds * 1_000) <= now
    }
}

/// Tokens are remembered by this, so that memory holds none of them.
fn digest(token: &str) -> [u8; 32] {
    let mut digest = [0; 32];
    digest.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, token.as_bytes()).as_ref());
    digest
}
