//! What was found, for people, for programs and for `loadtest/RESULTS.md`.

use std::fmt::Write;

use anyhow::{Context, Result};
use serde::Serialize;

use super::costs::Who;
use super::goals::{Found, Goal};
use super::machine::Circumstances;
use crate::bench::median;

#[derive(Serialize)]
pub struct Report {
    pub circumstances: Circumstances,
    pub sides: Vec<Row>,
    pub goals: Vec<Goal>,
    /// Windows that were measured again because something went wrong in them.
    pub disturbed: u32,
    pub increment_us: f64,
    pub one_connection: One,
    pub open_loop: Open,
}

/// What one costs.
#[derive(Serialize)]
pub struct Row {
    pub who: Who,
    /// CPU µs a request of the proxy in each window, children with it.
    pub proxy_us: Vec<f64>,
    /// The same of its Redis.
    pub redis_us: Vec<f64>,
    pub requests_per_second: f64,
}

#[derive(Serialize)]
pub struct One {
    pub gateway_p50_us: f64,
    pub bare_p50_us: f64,
    pub script_p50_us: f64,
    pub calls_a_request: f64,
}

#[derive(Serialize)]
pub struct Open {
    pub requests_per_second: f64,
    pub gateway_p99_us: Vec<f64>,
    pub bare_p99_us: Vec<f64>,
}

const EVERYBODY: [Who; 7] =
    [Who::NginxProxy, Who::BarePingora, Who::BareEnvoy, Who::Gateway, Who::NginxLua, Who::Unknown, Who::Exhausted];

impl Report {
    pub fn new(circumstances: Circumstances, found: &Found) -> Report {
        let costs = &found.costs;
        let row = |who| Row {
            who,
            proxy_us: costs.proxy_us(who),
            redis_us: costs.redis_us(who),
            requests_per_second: median(&costs.requests_per_second(who)),
        };
        Report {
            circumstances,
            sides: EVERYBODY.map(row).into(),
            goals: found.goals(),
            disturbed: found.costs.disturbed + found.open.disturbed,
            increment_us: median(&costs.increments_us),
            one_connection: One {
                gateway_p50_us: median(&found.one.metered_us),
                bare_p50_us: median(&found.one.bare_us),
                script_p50_us: median(&found.one.script_us),
                calls_a_request: found.one.calls_a_request,
            },
            open_loop: Open {
                requests_per_second: found.open.rate,
                gateway_p99_us: found.open.gateway_p99_us.clone(),
                bare_p99_us: found.open.bare_p99_us.clone(),
            },
        }
    }

    pub fn print(&self, json: bool) -> Result<()> {
        if json {
            println!("{}", serde_json::to_string(self).context("writing JSON")?);
        } else {
            print!("{}", self.text());
        }
        Ok(())
    }

    /// The same text for a terminal and for the document: Markdown that reads as it is.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a String can't fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        self.write_circumstances(text)?;
        writeln!(text, "\n| | ratio | measured | goal | stretch | |\n|---|---|---|---|---|---|")?;
        for goal in &self.goals {
            let Goal { name, what, value, at_most, stretch } = goal;
            writeln!(text, "| {name} | {what} | {value:.2} | {at_most} | {stretch} | {} |", goal.verdict())?;
        }
        writeln!(
            text,
            "\n| CPU µs a request, median (least to most) | proxy | its Redis | requests/s |\n|---|---|---|---|"
        )?;
        for row in &self.sides {
            let redis = if row.redis_us.is_empty() { String::new() } else { spread(&row.redis_us) };
            let (title, proxy) = (row.who.title(), spread(&row.proxy_us));
            writeln!(text, "| {title} | {proxy} | {redis} | {:.0} |", row.requests_per_second)?;
        }
        let (one, open) = (&self.one_connection, &self.open_loop);
        writeln!(text, "\n| besides | |\n|---|---|")?;
        writeln!(text, "| Redis, CPU µs for a pipelined HINCRBY | {:.2} |", self.increment_us)?;
        writeln!(
            text,
            "| one connection, p50 µs: gateway, bare pingora, the debit script alone | {:.0}, {:.0}, {:.0} |",
            one.gateway_p50_us, one.bare_p50_us, one.script_p50_us
        )?;
        writeln!(
            text,
            "| one connection, script calls a request, the owner's among them | {:.2} |",
            one.calls_a_request
        )?;
        writeln!(
            text,
            "| open loop at {:.0} requests/s, p99 µs: gateway, bare pingora | {}, {} |",
            open.requests_per_second,
            spread(&open.gateway_p99_us),
            spread(&open.bare_p99_us)
        )?;
        writeln!(text, "| windows measured again, because a call failed in them | {} |", self.disturbed)
    }

    fn write_circumstances(&self, text: &mut String) -> std::fmt::Result {
        let c = &self.circumstances;
        let versions: Vec<String> = c.versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
        writeln!(
            text,
            "{}, {} ({} cores), {} GiB, {}. {}. {} workers each, {} connections, {} rounds of {} s. Load average {} at the beginning, {} at the end.",
            c.date,
            c.processor,
            c.cores,
            c.memory_gib,
            c.kernel,
            versions.join(", "),
            c.workers,
            c.connections,
            c.windows,
            c.seconds,
            c.load_at_begin,
            c.load_at_end
        )
    }
}

/// The median, and between what and what it lies.
fn spread(values: &[f64]) -> String {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let places = usize::from(most < 100.0);
    format!("{:.places$} ({least:.places$} to {most:.places$})", median(values))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_has_a_decimal_only_where_it_means_something() {
        assert_eq!(spread(&[31.26, 30.0, 35.0]), "31.3 (30.0 to 35.0)");
        assert_eq!(spread(&[900.0, 1200.4, 1000.0]), "1000 (900 to 1200)");
    }
}
