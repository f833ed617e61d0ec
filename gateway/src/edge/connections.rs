//! How many connections there are, of each address and of all.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::metrics::Metrics;

pub struct Connections {
    of_address: Arc<Mutex<HashMap<IpAddr, usize>>>,
    per_address_max: usize,
    max: usize,
    metrics: Arc<Metrics>,
}

impl Connections {
    pub fn new(per_address_max: usize, max: usize, metrics: Arc<Metrics>) -> Self {
        Self { of_address: Arc::default(), per_address_max, max, metrics }
    }

    /// Counts a connection for as long as the answer lives; `None` when there are too many.
    pub fn count(&self, address: Option<IpAddr>) -> Option<Counted> {
        let all = usize::try_from(self.metrics.connections.get()).unwrap_or(0);
        let fits = all < self.max && address.is_none_or(|address| self.raise(address));
        if !fits {
            self.metrics.connections_refused.inc();
            return None;
        }
        self.metrics.connections.inc();
        Some(Counted { of_address: self.of_address.clone(), address, metrics: self.metrics.clone() })
    }

    fn raise(&self, address: IpAddr) -> bool {
        let mut of_address = self.of_address.lock().unwrap_or_else(PoisonError::into_inner);
        let count = of_address.entry(address).or_insert(0);
        let fits = *count < self.per_address_max;
        *count += usize::from(fits);
        fits
    }
}

/// A connection that counts.
pub struct Counted {
    of_address: Arc<Mutex<HashMap<IpAddr, usize>>>,
    address: Option<IpAddr>,
    metrics: Arc<Metrics>,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.metrics.connections.dec();
        let Some(address) = self.address else { return };
        let mut of_address = self.of_address.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = of_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                of_address.remove(&address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caps_hold_and_free_themselves() {
        let metrics = Arc::new(Metrics::new().unwrap());
        let connections = Connections::new(2, 3, metrics.clone());
        let [a, b]: [IpAddr; 2] = ["10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap()];
        let first = connections.count(Some(a)).unwrap();
        let second = connections.count(Some(a)).unwrap();
        assert!(connections.count(Some(a)).is_none(), "two of one address");
        let third = connections.count(Some(b)).unwrap();
        assert!(connections.count(None).is_none(), "three in all");
        drop((first, second, third));
        assert_eq!((metrics.connections.get(), metrics.connections_refused.get()), (0, 2));
        assert!(connections.of_address.lock().unwrap().is_empty());
    }
}
