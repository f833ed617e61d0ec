//! Ids as Stripe makes them: what they begin with tells what they are.

use rand::distr::{Alphanumeric, SampleString};

use super::kind::Kind;

const LENGTH: usize = 24;

pub fn fresh(kind: Kind) -> String {
    match kind {
        Kind::Session => format!("cs_test_a1{}", random(56)),
        kind => format!("{}{}", kind.prefix(), random(LENGTH)),
    }
}

/// For what lives inside another object: subscription items, invoice lines.
pub fn part(prefix: &str) -> String {
    format!("{prefix}{}", random(LENGTH))
}

fn random(length: usize) -> String {
    Alphanumeric.sample_string(&mut rand::rng(), length)
}
