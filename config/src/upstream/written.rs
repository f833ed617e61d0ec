//! A group of servers as written, before it is checked.

use std::time::Duration;

use figment::value::magic::RelativePathBuf;
use serde::Deserialize;

use super::{Eject, HealthCheck, Server, Upstream};
use crate::address::UpstreamAddress;

/// More would not fit into the word in which a request remembers where it was.
const SERVERS_MAX: usize = 64;
const WEIGHT_MAX: u32 = 1_000;
const CONNECT_TRIES_MAX: u32 = 5;
/// An hour.
const MS_MAX: u64 = 3_600_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    servers: Vec<WrittenServer>,
    h2: Option<bool>,
    ca_file: Option<RelativePathBuf>,
    connect_tries: Option<u32>,
    requests_max: Option<u32>,
    idle_ms: Option<u64>,
    eject: Option<WrittenEject>,
    health: Option<WrittenHealth>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenServer {
    url: UpstreamAddress,
    weight: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenEject {
    after: Option<u32>,
    ms: Option<u64>,
    ms_max: Option<u64>,
    percent_max: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenHealth {
    path: Option<String>,
    interval_ms: Option<u64>,
    timeout_ms: Option<u64>,
    down_after: Option<u32>,
    up_after: Option<u32>,
}

impl Upstream {
    /// With the defaults that `gateway.toml` states.
    pub(super) fn of(servers: Vec<Server>) -> Self {
        Self {
            servers,
            h2: false,
            ca_file: None,
            connect_tries: 2,
            requests_max: 10_000,
            // Below what servers commonly keep, so that a kept connection is seldom one the server is just closing.
            idle: Duration::from_secs(50),
            eject: Eject { after: 5, min: Duration::from_secs(1), max: Duration::from_mins(1), percent_max: 50 },
            health: None,
        }
    }
}

impl Written {
    pub(super) fn check(self) -> Result<Upstream, String> {
        let mut upstream = Upstream::of(servers(self.servers)?);
        let tls = upstream.servers.iter().any(|server| server.address.tls);
        if self.ca_file.is_some() && !tls {
            return Err("`ca_file` needs a server with https".to_owned());
        }
        upstream.h2 = self.h2.unwrap_or(upstream.h2);
        upstream.ca_file = self.ca_file.map(|file| file.relative());
        if let Some(tries) = self.connect_tries {
            upstream.connect_tries = within("connect_tries", tries, 1, CONNECT_TRIES_MAX)?;
        }
        if let Some(requests) = self.requests_max {
            upstream.requests_max = within("requests_max", requests, 1, 1_000_000)?;
        }
        if let Some(ms) = self.idle_ms {
            upstream.idle = milliseconds("idle_ms", ms)?;
        }
        if let Some(written) = self.eject {
            upstream.eject = eject(&written, upstream.eject)?;
        }
        upstream.health = self.health.map(health).transpose()?;
        Ok(upstream)
    }
}

fn servers(written: Vec<WrittenServer>) -> Result<Vec<Server>, String> {
    if written.is_empty() || written.len() > SERVERS_MAX {
        return Err(format!("`servers` must be 1 to {SERVERS_MAX}"));
    }
    let mut servers: Vec<Server> = Vec::with_capacity(written.len());
    for WrittenServer { url, weight } in written {
        let weight = within("weight", weight.unwrap_or(1), 0, WEIGHT_MAX)?;
        if servers.iter().any(|server| server.address == url) {
            return Err(format!("{url} stands there twice"));
        }
        servers.push(Server { address: url, weight });
    }
    if servers.iter().all(|server| server.weight == 0) {
        return Err("one server at least needs a weight above 0".to_owned());
    }
    Ok(servers)
}

fn eject(written: &WrittenEject, default: Eject) -> Result<Eject, String> {
    let time = |name, ms: Option<u64>, default| ms.map_or(Ok(default), |ms| milliseconds(name, ms));
    let eject = Eject {
        after: within("eject.after", written.after.unwrap_or(default.after), 0, 1_000)?,
        min: time("eject.ms", written.ms, default.min)?,
        max: time("eject.ms_max", written.ms_max, default.max)?,
        percent_max: within("eject.percent_max", written.percent_max.unwrap_or(default.percent_max), 0, 100)?,
    };
    if eject.min > eject.max {
        return Err("`eject.ms` is more than `eject.ms_max`".to_owned());
    }
    Ok(eject)
}

fn health(written: WrittenHealth) -> Result<HealthCheck, String> {
    let path = written.path.filter(|path| !path.is_empty());
    let printable = |path: &String| path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_graphic());
    if path.as_ref().is_some_and(|path| !printable(path)) {
        return Err("`health.path` must start with a slash and hold no space".to_owned());
    }
    Ok(HealthCheck {
        path,
        every: milliseconds("health.interval_ms", written.interval_ms.unwrap_or(2_000))?,
        timeout: milliseconds("health.timeout_ms", written.timeout_ms.unwrap_or(1_000))?,
        down_after: within("health.down_after", written.down_after.unwrap_or(3), 1, 100)?,
        up_after: within("health.up_after", written.up_after.unwrap_or(2), 1, 100)?,
    })
}

fn within(name: &str, value: u32, min: u32, max: u32) -> Result<u32, String> {
    if (min..=max).contains(&value) { Ok(value) } else { Err(format!("`{name}` must be {min} to {max}")) }
}

fn milliseconds(name: &str, ms: u64) -> Result<Duration, String> {
    if (1..=MS_MAX).contains(&ms) {
        Ok(Duration::from_millis(ms))
    } else {
        Err(format!("`{name}` must be 1 to {MS_MAX}"))
    }
}

#[cfg(test)]
mod tests {
    use figment::Figment;
    use figment::providers::{Format, Toml};

    use super::*;

    fn read(text: &str) -> Result<Upstream, String> {
        Figment::from(Toml::string(&format!("u = {text}"))).extract_inner("u").map_err(|error| error.to_string())
    }

    #[test]
    fn the_short_form_is_a_group_of_one() {
        let short = read("\"http://a:1\"").unwrap();
        assert_eq!(short, read("{ servers = [{ url = \"http://a:1\" }] }").unwrap());
        assert_eq!((short.connect_tries, short.eject.after, short.health), (2, 5, None));
    }

    #[test]
    fn a_group_says_what_it_wants_to_be_otherwise() {
        let group = read(
            "{ servers = [{ url = \"https://a\", weight = 9 }, { url = \"http://b\" }], h2 = true, ca_file = \"ca.pem\", \
             eject = { after = 0 }, health = { path = \"/up\", down_after = 1 } }",
        )
        .unwrap();
        assert_eq!(group.servers.iter().map(|server| server.weight).collect::<Vec<_>>(), [9, 1]);
        assert!(group.h2 && group.ca_file.is_some_and(|file| file.ends_with("ca.pem")));
        assert_eq!((group.eject.after, group.eject.min), (0, Duration::from_secs(1)));
        let health = group.health.unwrap();
        assert_eq!((health.path.as_deref(), health.down_after, health.up_after), (Some("/up"), 1, 2));
    }

    #[test]
    fn a_wrong_group_is_refused() {
        let one = "servers = [{ url = \"http://a\" }]";
        for (text, what) in [
            ("3".to_owned(), "a URL, or a table with `servers`"),
            ("{ servers = [] }".to_owned(), "1 to 64"),
            ("{ h2 = true }".to_owned(), "missing field"),
            ("{ servers = [{ url = \"http://a\", wait = 1 }] }".to_owned(), "unknown field"),
            ("{ servers = [{ url = \"http://a\" }, { url = \"http://a:80\" }] }".to_owned(), "twice"),
            ("{ servers = [{ url = \"http://a\", weight = 0 }] }".to_owned(), "above 0"),
            ("{ servers = [{ url = \"http://a\", weight = 1001 }] }".to_owned(), "`weight`"),
            (format!("{{ {one}, tries = 1 }}"), "unknown field"),
            (format!("{{ {one}, connect_tries = 0 }}"), "`connect_tries` must be 1 to 5"),
            (format!("{{ {one}, requests_max = 0 }}"), "`requests_max`"),
            (format!("{{ {one}, idle_ms = 0 }}"), "`idle_ms`"),
            (format!("{{ {one}, ca_file = \"x\" }}"), "https"),
            (format!("{{ {one}, eject = {{ ms = 5000, ms_max = 1000 }} }}"), "more than"),
            (format!("{{ {one}, eject = {{ percent_max = 101 }} }}"), "`eject.percent_max`"),
            (format!("{{ {one}, health = {{ path = \"up\" }} }}"), "slash"),
            (format!("{{ {one}, health = {{ every = 1 }} }}"), "unknown field"),
        ] {
            let error = read(&text).expect_err(&text);
            assert!(error.contains(what), "{text}: {error}");
        }
    }
}
