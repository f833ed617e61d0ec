//! Whatever is shown as a session: nothing opens that was not signed, and what was signed opens only what it says.

mod issuers;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::executor::block_on;
use metering::TimeMs;
use serde_json::Value;
use sessions::{Refused, Session, SessionFault};

use super::dice::Dice;
use issuers::{
    AUDIENCE, ISSUER, Issuer, LEEWAY_SECONDS, NOW_SECONDS, issuers, sign_with_ed25519, sign_with_public_key,
};

const NOW: TimeMs = TimeMs::new(NOW_SECONDS * 1_000);
const EDITS_MAX: usize = 4;

/// The first byte says how the rest becomes a token.
pub fn session_token(input: &[u8]) {
    let mut dice = Dice(input);
    match dice.below(5) {
        0 => as_it_is(dice.rest()),
        1 => edited(&mut dice),
        2 => honestly_signed_claims(dice.rest()),
        3 => honestly_signed_header(dice.rest()),
        _ => signed_with_a_public_key(dice.rest()),
    }
}

fn as_it_is(token: &[u8]) {
    if let Ok(token) = std::str::from_utf8(token) {
        opens_only_if_signed(token);
    }
}

/// A genuine token with a few bytes changed, put in or left out.
fn edited(dice: &mut Dice) {
    let issuer = &issuers()[dice.below(issuers().len())];
    let mut token = issuer.genuine[dice.below(issuer.genuine.len())].clone().into_bytes();
    for _ in 0..EDITS_MAX {
        if dice.is_empty() {
            break;
        }
        let (how, place, byte) = (dice.below(5), dice.place(token.len()), dice.byte());
        match how {
            0 => token.insert(place, byte),
            1 => token.truncate(place),
            2 => token.extend_from_within(..place),
            _ if place == token.len() => {}
            3 => drop(token.remove(place)),
            _ => token[place] = byte,
        }
    }
    as_it_is(&token);
}

/// Every verifier is asked; a token that one of them lets in is byte for byte one that this one's issuer has signed.
fn opens_only_if_signed(token: &str) {
    for issuer in issuers() {
        if block_on(issuer.sessions.verify(token, NOW)).is_ok() {
            assert!(issuer.genuine.iter().any(|genuine| genuine == token), "{} lets {token} in", issuer.algorithm);
        }
    }
}

/// Whatever is signed as claims: what is let in says all that it must, read here for a second time.
fn honestly_signed_claims(claims: &[u8]) {
    let token = sign_with_ed25519(br#"{"alg":"EdDSA","kid":"a"}"#, claims);
    for issuer in issuers() {
        let Ok(session) = block_on(issuer.sessions.verify(&token, NOW)) else { continue };
        assert_eq!(issuer.algorithm, "EdDSA", "nobody else knows the key");
        let claims: Value = serde_json::from_slice(claims).expect("claims are JSON");
        agree(&session, &claims);
        expires(issuer, &token, &session);
    }
}

fn agree(session: &Session, claims: &Value) {
    let text = |name: &str| claims[name].as_str();
    let number = |name: &str| claims[name].as_u64();
    assert_eq!(text("iss"), Some(ISSUER));
    let is_ours = |audience: &Value| audience.as_str() == Some(AUDIENCE);
    assert!(is_ours(&claims["aud"]) || claims["aud"].as_array().is_some_and(|all| all.iter().any(is_ours)));
    assert!(number("exp").is_some_and(|at| at > NOW_SECONDS - LEEWAY_SECONDS));
    assert!(number("iat").is_some_and(|at| at <= NOW_SECONDS + LEEWAY_SECONDS));
    assert!(claims.get("nbf").is_none_or(|at| at.as_u64().is_some_and(|at| at <= NOW_SECONDS + LEEWAY_SECONDS)));
    assert_eq!(text("account"), Some(&*session.account.to_string()));
    assert_eq!(session.account_value.to_str().ok(), text("account"));
    let subject = session.subject.as_str();
    assert_eq!((text("sub"), session.subject_value.to_str().ok()), (Some(subject), Some(subject)));
    assert!(subject.bytes().all(|byte| (b' '..=b'~').contains(&byte)) && (1..=256).contains(&subject.len()));
    let is_list = |roles: &Value| roles.as_array().is_some_and(|roles| roles.iter().all(Value::is_string));
    assert!(claims.get("roles").is_none_or(is_list));
    let roles = claims["roles"].as_array().map_or(&[][..], Vec::as_slice);
    assert!(session.roles.iter().map(String::as_str).eq(roles.iter().filter_map(Value::as_str)));
}

/// What was let in once is let in again until it expires, whether it is remembered or not.
fn expires(issuer: &Issuer, token: &str, session: &Session) {
    let end = session.expires_at.plus_ms(LEEWAY_SECONDS * 1_000);
    for _ in 0..2 {
        assert!(block_on(issuer.sessions.verify(token, end.minus_ms(1))).is_ok(), "good to its end");
        let after = block_on(issuer.sessions.verify(token, end));
        assert_eq!(after.err(), Some(Refused::Fault(SessionFault::Expired)));
    }
}

/// Whatever is signed as a header over good claims: it chooses nothing.
fn honestly_signed_header(header: &[u8]) {
    let token = sign_with_ed25519(header, issuers::good_claims().as_bytes());
    for issuer in issuers() {
        if block_on(issuer.sessions.verify(&token, NOW)).is_ok() {
            let header: Value = serde_json::from_slice(header).expect("a header is JSON");
            assert_eq!((issuer.algorithm, header["alg"].as_str()), ("EdDSA", Some("EdDSA")));
            assert!(header.get("kid").is_none_or(|kid| kid.is_null() || kid == "a"), "{header}");
            assert!(header.get("crit").is_none_or(Value::is_null), "{header}");
        }
    }
}

/// The public keys are known to all; taken for a secret they open nothing.
fn signed_with_a_public_key(header: &[u8]) {
    for token in sign_with_public_key(header) {
        for issuer in issuers() {
            let opened = block_on(issuer.sessions.verify(&token, NOW)).is_ok();
            assert!(!opened, "{} lets in what a public key has signed", issuer.algorithm);
        }
    }
}

fn part(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
