//! Sessions: how a browser proves its account and its person, by a token that somebody trusted has signed.
//!
//! Algorithm, keys, issuer and audience are the settings'. A token chooses nothing: its `alg` must be the one that is set, and its
//! `kid` is only an index into the keys that are known. Nothing is read from the store; whether somebody has ended the session since is
//! for `AccountStandings` to say.

mod claims;
mod key_set;
mod key_source;
mod ring_provider;

use std::sync::Arc;

use config::gateway::SessionRules;
use http::HeaderValue;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Validation, decode, decode_header};
use metering::{AccountId, SessionVersion, SubjectDigest, TimeMs};
use moka::future::Cache;
use serde_json::{Map, Value};

pub use key_source::KeySource;

use crate::metrics::{Metrics, SessionLookup};
use claims::{Claims, Expected};
use ring_provider::algorithm;

/// 2020. The store's clock stands near 1970 until the store has told the time, and by that every token would be one of the future.
const TIME_KNOWN: TimeMs = TimeMs::new(1_577_836_800_000);

/// Whom a token speaks for, with what upstreams are told about it.
#[derive(Debug)]
pub struct Session {
    pub account: AccountId,
    pub account_value: HeaderValue,
    pub subject: HeaderValue,
    pub subject_digest: SubjectDigest,
    /// Sessions end by raising the least version that is good.
    pub version: SessionVersion,
    pub expires_at: TimeMs,
    /// What the person may do, in the words of whoever signed the token.
    #[cfg_attr(not(test), expect(dead_code, reason = "a wrong list refuses the token; no route asks for a role yet"))]
    pub roles: Vec<String>,
}

/// What is wrong with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionFault {
    Missing,
    /// No token, or a claim that is missing or of another type.
    Malformed,
    /// Another algorithm, a key that is not known, or a signature that is not the key's.
    Unverified,
    OtherIssuer,
    OtherAudience,
    NotYetValid,
    Expired,
    /// Somebody signed the person, or everybody of the account, out.
    Ended,
}

impl SessionFault {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Malformed => "malformed",
            Self::Unverified => "unverified",
            Self::OtherIssuer => "other_issuer",
            Self::OtherAudience => "other_audience",
            Self::NotYetValid => "not_yet_valid",
            Self::Expired => "expired",
            Self::Ended => "ended",
        }
    }
}

/// A token that opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    Fault(SessionFault),
    /// No key has been read yet, or the time is not known: nobody can say.
    NotYet,
}

/// A session, and which reading of the keys verified it.
#[derive(Clone)]
struct Entry {
    session: Arc<Session>,
    reading: u64,
}

pub struct Sessions {
    rules: SessionRules,
    validation: Validation,
    keys: KeySource,
    verified: Cache<[u8; 32], Entry>,
    metrics: Arc<Metrics>,
}

impl Sessions {
    pub fn new(rules: SessionRules, keys: KeySource, metrics: Arc<Metrics>) -> Self {
        ring_provider::install();
        // Only the signature is left to the library: the claims are checked here, by the store's clock and for their types.
        let mut validation = Validation::new(algorithm(rules.algorithm));
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        let verified = Cache::builder().max_capacity(rules.entries_max).build();
        Self { rules, validation, keys, verified, metrics }
    }

    pub fn rules(&self) -> &SessionRules {
        &self.rules
    }

    pub async fn verify(&self, token: &str, now: TimeMs) -> Result<Arc<Session>, Refused> {
        let result = self.look_up(token, now).await;
        self.metrics.sessions.lookup(match &result {
            Ok((_, lookup)) => *lookup,
            Err(_) => SessionLookup::Refused,
        });
        result.map(|(session, _)| session)
    }

    async fn look_up(&self, token: &str, now: TimeMs) -> Result<(Arc<Session>, SessionLookup), Refused> {
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
                Ok((session, SessionLookup::Hit))
            };
        }
        let claims = self.claims(token, &keys).map_err(Refused::Fault)?;
        let session = Arc::new(self.expected().read(&claims, now).map_err(Refused::Fault)?);
        self.verified.insert(digest, Entry { session: session.clone(), reading: keys.reading }).await;
        Ok((session, SessionLookup::Verified))
    }

    /// The claims of a token whose signature holds.
    fn claims(&self, token: &str, keys: &key_set::KeySet) -> Result<Map<String, Value>, SessionFault> {
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
