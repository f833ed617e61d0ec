//! The figures of a run, against the goals.

use anyhow::Result;
use serde::Serialize;

use super::cost::{Window, median};

#[derive(Serialize)]
pub struct Figures {
    windows: usize,
    bare_us: f64,
    gateway_us: f64,
    redis_us: f64,
    requests_per_second: f64,
    increment_us: f64,
    added_p50_us: f64,
    script_p50_us: f64,
    /// Gateway CPU a request over a bare pingora's.
    p1: f64,
    /// Redis CPU a debit over a pipelined HINCRBY's.
    p4: f64,
    /// Script calls a request.
    p5: f64,
    /// Latency added over a bare pingora, over the script's own, at one connection.
    p6: f64,
}

impl Figures {
    pub fn new(
        ours: &[Window],
        theirs: &[Window],
        added_p50_us: f64,
        script_p50_us: f64,
        increment_us: f64,
    ) -> Figures {
        let of = |windows: &[Window], place: usize| -> f64 {
            let costs: Vec<f64> = windows.iter().filter_map(|window| window.cpu_us.get(place).copied()).collect();
            median(&costs)
        };
        let (bare_us, gateway_us, redis_us) = (of(theirs, 0), of(ours, 0), of(ours, 1));
        let rates: Vec<f64> = ours.iter().map(|window| f64::from(window.requests) / window.seconds).collect();
        let calls: f64 = ours.iter().map(|window| f64::from(window.script_calls)).sum();
        let requests: f64 = ours.iter().map(|window| f64::from(window.requests)).sum();
        Figures {
            windows: ours.len(),
            bare_us,
            gateway_us,
            redis_us,
            requests_per_second: median(&rates),
            increment_us,
            added_p50_us,
            script_p50_us,
            p1: gateway_us / bare_us,
            p4: redis_us / increment_us,
            p5: calls / requests,
            p6: added_p50_us / script_p50_us,
        }
    }

    pub fn print(&self, json: bool) -> Result<()> {
        if json {
            println!("{}", serde_json::to_string(self)?);
            return Ok(());
        }
        println!("medians of {} windows, alternating, closed loop", self.windows);
        println!("  bare pingora     {:7.1} CPU µs a request", self.bare_us);
        println!(
            "  gateway          {:7.1} CPU µs a request, {:.0} requests/s",
            self.gateway_us, self.requests_per_second
        );
        println!("  Redis            {:7.1} CPU µs a debit; pipelined HINCRBY {:.2}", self.redis_us, self.increment_us);
        println!(
            "  one connection   {:7.1} µs added at p50; the debit script alone {:.1}",
            self.added_p50_us, self.script_p50_us
        );
        println!();
        println!("  P1  gateway / bare pingora, CPU            {:5.2}   goal 1.35", self.p1);
        println!("  P4  Redis debit / pipelined HINCRBY, CPU   {:5.2}   goal 8", self.p4);
        println!("  P5  script calls a request                 {:5.2}   goal 1", self.p5);
        println!("  P6  latency added / script latency, p50    {:5.2}   goal 1.5", self.p6);
        Ok(())
    }
}
