//! The fingerprints seen: open addressing in one flat array, 8 bytes a place.

/// A set of numbers that are not 0.
pub struct Table {
    places: Vec<u64>,
    count: usize,
}

impl Default for Table {
    fn default() -> Self {
        Self { places: vec![0; 1 << 16], count: 0 }
    }
}

impl Table {
    pub fn contains(&self, fingerprint: u64) -> bool {
        self.places[self.place_of(fingerprint)] == fingerprint
    }

    /// False where it was there already.
    pub fn insert(&mut self, fingerprint: u64) -> bool {
        let place = self.place_of(fingerprint);
        if self.places[place] == fingerprint {
            return false;
        }
        self.places[place] = fingerprint;
        self.count += 1;
        if self.count * 10 > self.places.len() * 6 {
            self.grow();
        }
        true
    }

    /// Where it is, or would be.
    fn place_of(&self, fingerprint: u64) -> usize {
        let mask = self.places.len() - 1;
        let mut place = usize::try_from(fingerprint >> 16).unwrap_or(0) & mask;
        while self.places[place] != 0 && self.places[place] != fingerprint {
            place = (place + 1) & mask;
        }
        place
    }

    fn grow(&mut self) {
        let larger = vec![0; self.places.len() * 2];
        let old = std::mem::replace(&mut self.places, larger);
        for fingerprint in old.into_iter().filter(|fingerprint| *fingerprint != 0) {
            let place = self.place_of(fingerprint);
            self.places[place] = fingerprint;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_entered_is_there_once_after_growing_too() {
        let mut table = Table::default();
        let number = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        assert_eq!((1..200_000).filter(|&n| table.insert(number(n))).count(), table.count);
        assert!((1..200_000).all(|n| table.contains(number(n)) && !table.insert(number(n))));
        assert!(!table.contains(2));
    }
}
