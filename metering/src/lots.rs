//! How a debit is split over lots, and how that is written in an event.

use serde::{Deserialize, Serialize};

use crate::{Credits, LotId};

/// Credits moved on one lot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Draw {
    /// The lot.
    pub lot: LotId,
    /// How many credits, at least 1.
    pub credits: Credits,
}

/// The lots that one change touched, in burn order.
pub type Split = Vec<Draw>;

/// The sum over a split; `None` when it is more than can be counted.
#[must_use]
pub fn total(split: &[Draw]) -> Option<Credits> {
    split.iter().try_fold(Credits::ZERO, |sum, draw| sum.checked_add(draw.credits))
}

/// What of a split lies beyond its first `kept` credits: of a hold that is settled the lots that expire first stay drawn.
#[must_use]
pub fn beyond(split: &[Draw], mut kept: Credits) -> Split {
    let mut rest = Split::new();
    for draw in split {
        let stays = kept.min(draw.credits);
        kept = kept.saturating_sub(stays);
        if stays < draw.credits {
            rest.push(Draw { lot: draw.lot, credits: draw.credits.saturating_sub(stays) });
        }
    }
    rest
}

/// Writes a split as live state does: `lot:credits,lot:credits`.
#[must_use]
pub fn write(split: &[Draw]) -> String {
    let parts: Vec<String> = split.iter().map(|draw| format!("{}:{}", draw.lot.as_u64(), draw.credits)).collect();
    parts.join(",")
}

/// Reads what [`write`] wrote; an empty text is an empty split, anything odd is `None`.
#[must_use]
pub fn read(text: &str) -> Option<Split> {
    if text.is_empty() {
        return Some(Split::new());
    }
    text.split(',').map(read_draw).collect()
}

fn read_draw(part: &str) -> Option<Draw> {
    let (lot, credits) = part.split_once(':')?;
    let lot: Credits = lot.parse().ok()?; // same digits rule as credits
    Some(Draw { lot: LotId::new(lot.get()).ok()?, credits: credits.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_split_is_read_back_as_written() {
        let split = read("7:10,9:3").unwrap();
        assert_eq!(write(&split), "7:10,9:3");
        assert_eq!(total(&split), Credits::new(13).ok());
        for (kept, rest) in [(0, "7:10,9:3"), (4, "7:6,9:3"), (10, "9:3"), (12, "9:1"), (13, ""), (99, "")] {
            assert_eq!(write(&beyond(&split, Credits::new(kept).unwrap())), rest, "{kept}");
        }
        assert_eq!(read(""), Some(vec![]));
        for wrong in ["7", "7:", ":1", "0:1", "7:1,", "7:-1", "7:1;9:3", "7:1:2"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
