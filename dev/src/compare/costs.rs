//! What each costs, window by window.

use serde::Serialize;

use crate::bench::{Window, median};

/// Who is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    BarePingora,
    Gateway,
    BareEnvoy,
    NginxProxy,
    NginxLua,
    /// The gateway, asked with a revoked key.
    Unknown,
    /// The gateway, asked for an account without credits.
    Exhausted,
}

impl Who {
    pub fn title(self) -> &'static str {
        match self {
            Who::BarePingora => "bare pingora",
            Who::Gateway => "gateway",
            Who::BareEnvoy => "bare Envoy",
            Who::NginxProxy => "nginx as a proxy",
            Who::NginxLua => "nginx + Lua + Redis",
            Who::Unknown => "gateway, 401",
            Who::Exhausted => "gateway, 402",
        }
    }
}

/// Windows of everybody, in rounds: the nth of one stands beside the nth of another.
#[derive(Default)]
pub struct Costs {
    windows: Vec<(Who, Window)>,
    /// CPU µs of Redis for one HINCRBY in a long pipeline, in each round.
    pub increments_us: Vec<f64>,
    /// Windows that were measured again because something went wrong in them.
    pub disturbed: u32,
}

impl Costs {
    pub fn add(&mut self, who: Who, window: Window) {
        self.windows.push((who, window));
    }

    fn of(&self, who: Who) -> impl Iterator<Item = &Window> {
        self.windows.iter().filter(move |(whose, _)| *whose == who).map(|(_, window)| window)
    }

    /// CPU µs a request of the proxy alone, in each window.
    pub fn proxy_us(&self, who: Who) -> Vec<f64> {
        self.of(who).filter_map(|window| window.cpu_us.first().copied()).collect()
    }

    /// The same of its Redis; nothing where there is none.
    pub fn redis_us(&self, who: Who) -> Vec<f64> {
        self.of(who).filter_map(|window| window.cpu_us.get(1).copied()).collect()
    }

    /// The same of both.
    pub fn whole_us(&self, who: Who) -> Vec<f64> {
        self.of(who).map(|window| window.cpu_us.iter().sum()).collect()
    }

    pub fn requests_per_second(&self, who: Who) -> Vec<f64> {
        self.of(who).map(|window| f64::from(window.requests) / window.seconds).collect()
    }

    /// Script calls that Redis served for a request, over all windows.
    pub fn calls_a_request(&self, who: Who) -> f64 {
        let sum = |count: fn(&Window) -> u32| self.of(who).map(|window| f64::from(count(window))).sum::<f64>();
        sum(|window| window.script_calls) / sum(|window| window.requests)
    }
}

/// The median of what one is to another in each round. Whatever slows the machine slows both sides of a round, not of a run.
pub fn ratio(of: &[f64], to: &[f64]) -> f64 {
    median(&of.iter().zip(to).map(|(of, to)| of / to).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(requests: u32, cpu_us: &[f64], script_calls: u32) -> Window {
        Window { requests, seconds: 2.0, cpu_us: cpu_us.to_vec(), script_calls }
    }

    #[test]
    fn a_slow_round_slows_both_sides_of_a_ratio() {
        // The machine is three times as slow in the second round.
        assert!((ratio(&[20.0, 60.0, 22.0], &[10.0, 30.0, 11.0]) - 2.0).abs() < 1e-9);
    }

    #[test]
    fn each_is_told_from_the_others_and_the_proxy_from_its_redis() {
        let mut costs = Costs::default();
        costs.add(Who::Gateway, window(100, &[30.0, 10.0], 50));
        costs.add(Who::BarePingora, window(200, &[25.0], 0));
        costs.add(Who::Gateway, window(300, &[32.0, 12.0], 50));
        assert_eq!(costs.proxy_us(Who::Gateway), [30.0, 32.0]);
        assert_eq!(costs.redis_us(Who::Gateway), [10.0, 12.0]);
        assert_eq!(costs.whole_us(Who::Gateway), [40.0, 44.0]);
        assert_eq!(costs.whole_us(Who::BarePingora), [25.0]);
        assert!(costs.redis_us(Who::BarePingora).is_empty());
        assert_eq!(costs.requests_per_second(Who::Gateway), [50.0, 150.0]);
        assert!((costs.calls_a_request(Who::Gateway) - 0.25).abs() < 1e-9);
    }
}
