//! Kinds of calls, and how often each is made.

use std::str::FromStr;

use rand::{Rng, RngExt};
use serde::Serialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A priced call with an answer in one piece.
    Json,
    /// A priced call answered as server-sent events.
    Sse,
    /// A call that costs nothing.
    Free,
    /// A call with a key that nobody issued.
    Refused,
}

impl Kind {
    pub const ALL: [Kind; 4] = [Kind::Json, Kind::Sse, Kind::Free, Kind::Refused];

    pub fn name(self) -> &'static str {
        match self {
            Kind::Json => "json",
            Kind::Sse => "sse",
            Kind::Free => "free",
            Kind::Refused => "refused",
        }
    }

    /// Its place in a table of all kinds.
    pub fn place(self) -> usize {
        self as usize
    }
}

/// Shares of the kinds, of their sum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mix {
    shares: [u32; Kind::ALL.len()],
    sum: u32,
}

/// Of one kind.
const SHARE_MAX: u32 = 1_000_000;

impl Mix {
    pub fn pick(&self, rng: &mut impl Rng) -> Kind {
        let mut left = rng.random_range(0..self.sum);
        for kind in Kind::ALL {
            let share = self.shares[kind.place()];
            if left < share {
                return kind;
            }
            left -= share;
        }
        Kind::Json
    }
}

impl FromStr for Mix {
    type Err = String;

    fn from_str(text: &str) -> Result<Mix, String> {
        let mut shares = [0; Kind::ALL.len()];
        for part in text.split(',') {
            let (name, share) = part.trim().split_once('=').ok_or("kinds with their shares, such as json=80,sse=20")?;
            let kind = Kind::ALL.into_iter().find(|kind| kind.name() == name);
            let kind = kind.ok_or_else(|| format!("{name} is no kind of call; json, sse, free and refused are"))?;
            let share: u32 = share.parse().map_err(|_| format!("the share of {name} is no number"))?;
            if share > SHARE_MAX {
                return Err(format!("the share of {name} is above {SHARE_MAX}"));
            }
            shares[kind.place()] = share;
        }
        let sum = shares.iter().sum();
        if sum == 0 { Err("no kind has a share".to_owned()) } else { Ok(Mix { shares, sum }) }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn kinds_come_as_often_as_their_shares_say() {
        let mix: Mix = "json=70, sse=10,free=20".parse().unwrap();
        let mut rng = StdRng::seed_from_u64(1);
        let mut counts = [0; Kind::ALL.len()];
        for _ in 0..10_000 {
            counts[mix.pick(&mut rng).place()] += 1;
        }
        assert!((6_800..7_200).contains(&counts[0]) && (900..1_100).contains(&counts[1]), "{counts:?}");
        assert_eq!(counts[Kind::Refused.place()], 0);
    }

    #[test]
    fn a_mix_of_nothing_or_of_unknown_kinds_is_refused() {
        for wrong in ["", "json", "json=0", "json=x", "cake=1", "json=1,", "json=1000001"] {
            assert!(wrong.parse::<Mix>().is_err(), "{wrong}");
        }
    }
}
