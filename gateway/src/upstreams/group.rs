//! A group of servers: which one a request goes to, and which ones are left out.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use config::upstream::Upstream;

use super::place::Place;
use super::server::{Manner, Server};
use super::trust::read_ca;
use crate::metrics::{GroupMetrics, UpstreamMetrics};

/// 2⁶⁴ divided by the golden ratio: its multiples, taken modulo 2⁶⁴, spread as evenly as can be, however many there are.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
/// How often names are resolved.
const RESOLVE_EVERY: Duration = Duration::from_secs(30);

/// Every group has a number of its own, which keeps its connections apart from those of another.
static NEXT_POOL: AtomicU64 = AtomicU64::new(1);

pub struct Group {
    name: String,
    settings: Upstream,
    servers: Vec<Server>,
    manner: Manner,
    /// What the file of certificates held.
    ca: Option<Vec<u8>>,
    metrics: GroupMetrics,
    connect_tries: u32,
    turn: AtomicU64,
    started: AtomicBool,
    /// Held while one is left out, so that two at once can't leave nobody.
    ejecting: Mutex<()>,
}

impl Group {
    pub fn new(name: &str, settings: &Upstream, metrics: &UpstreamMetrics) -> anyhow::Result<Self> {
        let servers = settings
            .servers
            .iter()
            .map(|server| Server::new(server, metrics.server(name, &server.address.to_string())));
        let servers: Vec<Server> = servers.collect::<anyhow::Result<_>>()?;
        // A name may have any number of addresses.
        let addresses = if servers.iter().any(Server::has_name) { usize::MAX } else { servers.len() };
        Ok(Self {
            name: name.to_owned(),
            servers,
            connect_tries: settings.connect_tries.min(u32::try_from(addresses).unwrap_or(u32::MAX)),
            manner: Manner {
                h2: settings.h2,
                ca: settings.ca_file.as_deref().map(read_ca).transpose()?,
                idle: settings.idle,
                pool: NEXT_POOL.fetch_add(1, Ordering::Relaxed),
            },
            ca: read(settings),
            settings: settings.clone(),
            metrics: metrics.group(name),
            turn: AtomicU64::new(0),
            started: AtomicBool::new(false),
            ejecting: Mutex::new(()),
        })
    }

    pub fn settings(&self) -> &Upstream {
        &self.settings
    }

    /// Whether these settings, and the file they name, are those it was made of.
    pub fn is_made_of(&self, settings: &Upstream) -> bool {
        self.settings == *settings && self.ca == read(settings)
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn servers(&self) -> &[Server] {
        &self.servers
    }

    pub fn server(&self, number: usize) -> &Server {
        &self.servers[number]
    }

    pub fn manner(&self) -> &Manner {
        &self.manner
    }

    pub fn names(&self) -> impl Iterator<Item = (String, String)> {
        self.servers.iter().map(|server| (self.name.clone(), server.address.to_string()))
    }

    /// More tries than addresses would try one twice.
    pub fn connect_tries(&self) -> u32 {
        self.connect_tries
    }

    /// Whether its background work is still to be started; `true` once.
    pub fn starts_now(&self) -> bool {
        !self.started.swap(true, Ordering::Relaxed)
    }

    /// A place at a server; `None` when all that may be asked have as many requests as they may.
    pub fn reserve(self: &Arc<Self>) -> Option<Place> {
        let now = Instant::now();
        let is_in = |number: usize| self.servers[number].standing.is_in(now);
        // Who leaves out everybody serves nobody: then all are asked.
        let anyone = (0..self.servers.len()).any(is_in);
        let place = self.place(0, |number| !anyone || is_in(number));
        if place.is_none() {
            self.metrics.busy.inc();
        }
        place.map(|server| Place::new(self.clone(), server))
    }

    /// A server for a request that could not reach those of `tried`: one that is in, else one that is left out.
    pub fn place_elsewhere(&self, tried: u64) -> Option<usize> {
        let now = Instant::now();
        let place = self
            .place(tried, |number| self.servers[number].standing.is_in(now))
            .or_else(|| self.place(tried, |number| !self.servers[number].standing.is_in(now)));
        if place.is_some() {
            self.metrics.connect_retries.inc();
        }
        place
    }

    /// Chooses by weight among those that may be asked and have room, and counts the request there.
    fn place(&self, mut except: u64, may_be_asked: impl Fn(usize) -> bool) -> Option<usize> {
        let point = self.turn.fetch_add(GOLDEN, Ordering::Relaxed);
        loop {
            let server = self.weighted(point, |number| except & (1 << number) == 0 && may_be_asked(number))?;
            if self.servers[server].take_place(self.settings.requests_max) {
                return Some(server);
            }
            except |= 1 << server;
        }
    }

    /// The server on whose part of the total weight the point falls.
    fn weighted(&self, point: u64, fits: impl Fn(usize) -> bool) -> Option<usize> {
        let fitting = || self.servers.iter().enumerate().filter(|(number, server)| server.weight > 0 && fits(*number));
        let total: u64 = fitting().map(|(_, server)| u64::from(server.weight)).sum();
        let mut left = (u128::from(point) * u128::from(total)) >> 64;
        for (number, server) in fitting() {
            let weight = u128::from(server.weight);
            if left < weight {
                return Some(number);
            }
            left -= weight;
        }
        None
    }

    /// A server failed a request: it could not be reached, did not answer, or answered 5xx.
    pub fn failed(&self, number: usize) {
        let server = &self.servers[number];
        let rule = &self.settings.eject;
        let failures = server.standing.bad();
        if rule.after == 0 || failures < rule.after {
            return;
        }
        let _one_at_a_time = self.ejecting.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let out = self.servers.iter().filter(|server| server.standing.is_ejected(now)).count();
        if server.standing.is_ejected(now) || out >= out_max(self.servers.len(), rule.percent_max) {
            return;
        }
        let time = server.standing.eject(now, rule);
        server.metrics.ejections.inc();
        server.metrics.up.set(0);
        let (url, name, seconds) = (&server.address, &self.name, time.as_secs_f64());
        tracing::warn!(server = %url, upstream = %name, "{url} of upstream {name} is left out for {seconds} s after {failures} failures in a row");
    }

    pub async fn resolve(&self) {
        futures::future::join_all(self.servers.iter().map(Server::resolve)).await;
    }

    /// Brings the metric up to date: nobody else says that a time has run out.
    pub fn show_standing(&self) {
        let now = Instant::now();
        for server in &self.servers {
            server.metrics.up.set(i64::from(server.standing.is_in(now)));
        }
    }
}

/// `None` for a file that is not there; then the group is not made either.
fn read(settings: &Upstream) -> Option<Vec<u8>> {
    settings.ca_file.as_ref().and_then(|file| std::fs::read(file).ok())
}

/// How many of a group may be left out: the part that is allowed, one at least, and never the last.
fn out_max(servers: usize, percent_max: u32) -> usize {
    if percent_max == 0 {
        return 0;
    }
    let part = servers * usize::try_from(percent_max).unwrap_or(100) / 100;
    part.max(1).min(servers.saturating_sub(1))
}

/// For as long as the group lives.
pub async fn keep_resolving(group: Weak<Group>) {
    let mut seconds = 0;
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let Some(group) = group.upgrade() else { return };
        group.show_standing();
        seconds += 1;
        if seconds >= RESOLVE_EVERY.as_secs() {
            seconds = 0;
            group.resolve().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use config::upstream::Server as Settings;

    use super::*;
    use crate::metrics::Metrics;

    fn group(weights: &[u32], change: impl FnOnce(&mut Upstream)) -> Arc<Group> {
        let mut settings: Upstream = "http://127.0.0.1:1".parse().unwrap();
        settings.servers = weights
            .iter()
            .zip(1..)
            .map(|(weight, port)| Settings {
                address: format!("http://127.0.0.1:{port}").parse().unwrap(),
                weight: *weight,
            })
            .collect();
        settings.eject.after = 1;
        change(&mut settings);
        Arc::new(Group::new("a", &settings, &Metrics::new().unwrap().upstreams).unwrap())
    }

    fn shares(group: &Arc<Group>, count: usize) -> Vec<usize> {
        let mut shares = vec![0; group.servers.len()];
        for _ in 0..count {
            shares[group.reserve().unwrap().server()] += 1;
        }
        shares
    }

    #[test]
    fn requests_are_shared_by_weight_and_evenly_in_time() {
        let group = group(&[90, 9, 0, 1], |_| {});
        let all = shares(&group, 10_000);
        assert!(all.iter().zip([9_000, 900, 0, 100]).all(|(got, due)| got.abs_diff(due) <= 2), "{all:?}");
        // The canary's ten of the next thousand do not come in one go.
        let parts: Vec<usize> = (0..10).map(|_| shares(&group, 100)[3]).collect();
        assert!(parts.iter().all(|part| (0..=2).contains(part)), "{parts:?}");
    }

    #[test]
    fn a_server_that_fails_is_left_out_and_never_the_last() {
        let group = group(&[1, 1, 1, 1], |settings| settings.eject.percent_max = 100);
        for number in 0..4 {
            group.failed(number);
        }
        assert_eq!(shares(&group, 10), [0, 0, 0, 10]);
    }

    #[test]
    fn only_a_part_of_the_group_is_left_out() {
        for (servers, percent_max, out) in [(4, 50, 2), (4, 10, 1), (3, 50, 1), (2, 100, 1), (1, 100, 0), (4, 0, 0)] {
            assert_eq!(out_max(servers, percent_max), out, "{servers} {percent_max}");
        }
    }

    #[test]
    fn a_full_group_refuses_and_a_place_frees_itself() {
        let group = group(&[1, 1], |settings| settings.requests_max = 1);
        let places = (group.reserve().unwrap(), group.reserve().unwrap());
        assert!(group.reserve().is_none() && places.0.server() != places.1.server());
        drop(places.0);
        assert!(group.reserve().is_some());
        assert_eq!(group.metrics.busy.get(), 1);
    }

    #[test]
    fn a_place_moves_to_servers_that_were_not_tried_and_then_gives_up() {
        let group = group(&[1, 1, 1], |settings| settings.connect_tries = 3);
        let mut place = group.reserve().unwrap();
        let mut seen = vec![place.server()];
        while place.move_on() {
            seen.push(place.server());
        }
        seen.sort_unstable();
        assert_eq!(seen, [0, 1, 2]);
        drop(place);
        assert!(group.servers.iter().all(|server| server.metrics.requests.get() == 0), "every place was left");
    }
}
