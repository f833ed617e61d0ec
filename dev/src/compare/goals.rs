//! P1 to P8: what is measured beside what is wanted.

use serde::Serialize;

use super::costs::{Costs, Who, ratio};
use super::latency::{OneConnection, OpenLoop};
use crate::bench::median;

/// A ratio and its goals; the smaller the better.
#[derive(Serialize)]
pub struct Goal {
    pub name: &'static str,
    pub what: &'static str,
    pub value: f64,
    pub at_most: f64,
    pub stretch: f64,
}

impl Goal {
    pub fn verdict(&self) -> &'static str {
        // What is printed has two places.
        let value = (self.value * 100.0).round() / 100.0;
        match value {
            _ if value <= self.stretch => "stretch met",
            _ if value <= self.at_most => "met",
            _ => "missed",
        }
    }
}

/// All that a comparison found.
pub struct Found {
    pub costs: Costs,
    pub one: OneConnection,
    pub open: OpenLoop,
}

impl Found {
    pub fn goals(&self) -> Vec<Goal> {
        let costs = &self.costs;
        let goal = |name, what, value, at_most, stretch| Goal { name, what, value, at_most, stretch };
        let (gateway, whole) = (costs.proxy_us(Who::Gateway), costs.whole_us(Who::Gateway));
        let added_p50_us = median(&self.one.metered_us) - median(&self.one.bare_us);
        vec![
            goal(
                "P1",
                "gateway / bare pingora, CPU a request",
                ratio(&gateway, &costs.proxy_us(Who::BarePingora)),
                1.35,
                1.2,
            ),
            goal(
                "P2",
                "gateway and its Redis / nginx + Lua + Redis, CPU a request",
                ratio(&whole, &costs.whole_us(Who::NginxLua)),
                0.85,
                0.7,
            ),
            goal(
                "P3",
                "gateway / bare Envoy, CPU a request",
                ratio(&gateway, &costs.proxy_us(Who::BareEnvoy)),
                1.1,
                1.0,
            ),
            goal(
                "P4",
                "Redis for a debit / a pipelined HINCRBY, CPU",
                ratio(&costs.redis_us(Who::Gateway), &costs.increments_us),
                8.0,
                5.0,
            ),
            goal("P5", "script calls a request under load", costs.calls_a_request(Who::Gateway), 1.0, 0.5),
            goal(
                "P6",
                "added p50 / p50 of the debit script, one connection",
                added_p50_us / median(&self.one.script_us),
                1.5,
                1.2,
            ),
            goal(
                "P7",
                "p99 / bare pingora's, open loop at half of the peak",
                ratio(&self.open.gateway_p99_us, &self.open.bare_p99_us),
                2.0,
                1.4,
            ),
            goal(
                "P8",
                "401: gateway and Redis / those for a served request, CPU",
                ratio(&costs.whole_us(Who::Unknown), &whole),
                0.5,
                0.35,
            ),
            goal(
                "P8",
                "402: gateway and Redis / those for a served request, CPU",
                ratio(&costs.whole_us(Who::Exhausted), &whole),
                0.5,
                0.35,
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::Window;

    fn found() -> Found {
        let mut costs = Costs::default();
        for (who, cpu_us) in [
            (Who::BarePingora, vec![25.0]),
            (Who::Gateway, vec![30.0, 10.0]),
            (Who::BareEnvoy, vec![30.0]),
            (Who::NginxProxy, vec![15.0]),
            (Who::NginxLua, vec![32.0, 18.0]),
            (Who::Unknown, vec![10.0, 0.0]),
            (Who::Exhausted, vec![11.0, 7.0]),
        ] {
            costs.add(who, Window { requests: 100, seconds: 1.0, cpu_us, script_calls: 40 });
        }
        costs.increments_us = vec![1.25];
        let one = OneConnection {
            metered_us: vec![160.0],
            bare_us: vec![100.0],
            script_us: vec![50.0],
            calls_a_request: 1.0,
        };
        let open = OpenLoop { rate: 5_000.0, gateway_p99_us: vec![900.0], bare_p99_us: vec![500.0], disturbed: 0 };
        Found { costs, one, open }
    }

    #[test]
    fn each_ratio_has_the_right_sides() {
        let expected = [1.2, 0.8, 1.0, 8.0, 0.4, 1.2, 1.8, 0.25, 0.45];
        for (goal, expected) in found().goals().iter().zip(expected) {
            assert!((goal.value - expected).abs() < 1e-9, "{} {}: {}", goal.name, goal.what, goal.value);
        }
    }

    #[test]
    fn what_is_printed_as_the_goal_has_met_it() {
        let verdict = |value| Goal { name: "", what: "", value, at_most: 1.35, stretch: 1.2 }.verdict();
        assert_eq!([1.204, 1.21, 1.354, 1.356].map(verdict), ["stretch met", "met", "met", "missed"]);
    }
}
