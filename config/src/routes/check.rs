//! The checks that turn a written route into one the gateway may serve.

mod confirm;
mod cors;
mod grpc;
mod hold;
mod price;
mod session_cookie;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use toml::Spanned;

use super::file::{Answer, Entry, PriceEntry};
use super::{Auth, Durability, PathPattern, Price, Report, Route, Target, Timeouts, Upgrade, WhenBlocked};
use crate::error::ConfigError;
use crate::lines::line_at;
use crate::upstream::Upstream;

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// Where errors of one file stand.
struct Source<'a> {
    name: &'a str,
    text: &'a str,
}

impl Source<'_> {
    fn at<T>(&self, spanned: &Spanned<T>, what: impl std::fmt::Display) -> ConfigError {
        ConfigError::at_line(self.name, line_at(self.text, spanned.span().start), what)
    }
}

pub(super) fn routes(
    name: &str,
    text: &str,
    entries: &[Spanned<Entry>],
    upstreams: &BTreeMap<String, Upstream>,
) -> Result<Vec<Route>, ConfigError> {
    let source = Source { name, text };
    if entries.is_empty() {
        return Err(ConfigError::at_line(name, 1, "no route: the gateway would answer 404 to everything"));
    }
    let mut names = BTreeSet::new();
    let mut routes: Vec<Route> = Vec::with_capacity(entries.len());
    for entry in entries {
        let route = check(&source, entry, upstreams)?;
        let entry = entry.get_ref();
        if !names.insert(route.name.clone()) {
            return Err(source.at(&entry.name, format!("a second route named `{}`", route.name)));
        }
        let same =
            |other: &&Route| (&other.method, &other.host, &other.path) == (&route.method, &route.host, &route.path);
        if let Some(other) = routes.iter().find(same) {
            return Err(source.at(&entry.path, format!("the same requests as route `{}`", other.name)));
        }
        routes.push(route);
    }
    Ok(routes)
}

fn check(
    source: &Source<'_>,
    spanned: &Spanned<Entry>,
    upstreams: &BTreeMap<String, Upstream>,
) -> Result<Route, ConfigError> {
    let entry = spanned.get_ref();
    let price = price::check(source, entry)?;
    if price != Price::Free && entry.auth == Auth::None {
        return Err(source.at(&entry.price, "a price needs auth: nobody could be charged"));
    }
    check_hold(source, entry, &price, upstreams)?;
    Ok(Route {
        name: route_name(source, &entry.name)?,
        method: method(source, &entry.method)?,
        host: entry.host.as_ref().map(|host| check_host(source, host)).transpose()?,
        path: path(source, entry, &price)?,
        auth: entry.auth,
        when_blocked: when_blocked(source, entry, &price)?,
        scope: entry.scope.as_ref().map(|scope| check_scope(source, entry, scope)).transpose()?,
        confirm: confirm::check(source, entry, &price)?,
        price,
        target: target(source, spanned, upstreams)?,
        body_bytes_max: entry.body_bytes_max,
        give_back: entry.give_back.clone(),
        grpc_server_errors: grpc::server_errors(source, entry.grpc_server_errors.as_ref())?,
        terminal_event: entry.terminal_event.as_ref().map(|line| terminal_event(source, line)).transpose()?,
        upgrade: upgrade(source, entry)?,
        price_per_message: price::per_message(source, entry)?,
        durability: durability(source, entry)?,
        timeouts: Timeouts {
            connect: Duration::from_millis(entry.connect_ms),
            response: Duration::from_millis(entry.response_ms),
            write: Duration::from_millis(entry.write_ms),
        },
        cors: entry.cors.as_ref().map(|entry| cors::check(source, entry)).transpose()?,
        session_cookie: session_cookie::check(source, entry)?,
    })
}

/// What a price that is told at the end can't go with.
fn check_hold(
    source: &Source<'_>,
    entry: &Entry,
    price: &Price,
    upstreams: &BTreeMap<String, Upstream>,
) -> Result<(), ConfigError> {
    let Price::Hold(hold) = price else { return Ok(()) };
    if let Some(upgrade) = &entry.upgrade {
        return Err(
            source.at(upgrade, "a hold can't be settled for a connection that is upgraded: its answer has no end")
        );
    }
    let by_header = matches!(hold.report, Report::Header);
    if let Some(line) = entry.terminal_event.as_ref().filter(|_| by_header) {
        return Err(source.at(line, "a price told in the header is settled before the stream, however that ends"));
    }
    if let Some(line) = entry.terminal_event.as_ref().filter(|_| matches!(hold.report, Report::Json { .. })) {
        return Err(source.at(line, "an answer that is JSON carries no event stream"));
    }
    let upstream = entry.upstream.as_ref().and_then(|name| upstreams.get(name.get_ref()));
    if matches!(hold.report, Report::Trailer) && upstream.is_some_and(|upstream| !upstream.h2) {
        return Err(source.at(&entry.price, "trailers come only from upstreams with h2 = true"));
    }
    Ok(())
}

/// The same alphabet as the book's route names, which stand in Redis scripts and metrics.
fn route_name(source: &Source<'_>, name: &Spanned<String>) -> Result<String, ConfigError> {
    let text = name.get_ref();
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_.-".contains(&byte);
    if text.is_empty() || text.len() > 64 || !text.bytes().all(allowed) {
        return Err(source.at(name, format!("name `{text}` must be 1 to 64 of a-z 0-9 _ . -")));
    }
    Ok(text.clone())
}

fn method(source: &Source<'_>, method: &Spanned<String>) -> Result<String, ConfigError> {
    let text = method.get_ref();
    if !METHODS.contains(&text.as_str()) {
        return Err(source.at(method, format!("method `{text}` must be one of {}", METHODS.join(", "))));
    }
    Ok(text.clone())
}

/// What draws credits has a path of its own, so that nothing new behind a prefix is ever sold, or given away, unseen.
fn path(source: &Source<'_>, entry: &Entry, price: &Price) -> Result<PathPattern, ConfigError> {
    let path = PathPattern::parse(entry.path.get_ref()).map_err(|what| source.at(&entry.path, what))?;
    if path.has_rest() && (*price != Price::Free || entry.price_per_message.is_some() || entry.upstream.is_none()) {
        return Err(source.at(&entry.path, "a path with `{…...}` needs price 0 and an upstream"));
    }
    Ok(path)
}

fn check_host(source: &Source<'_>, host: &Spanned<String>) -> Result<String, ConfigError> {
    let text = host.get_ref();
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
    if text.is_empty() || !text.bytes().all(allowed) {
        return Err(source.at(host, format!("host `{text}` must be a lower-case name without a port")));
    }
    Ok(text.clone())
}

fn when_blocked(source: &Source<'_>, entry: &Entry, price: &Price) -> Result<WhenBlocked, ConfigError> {
    let Some(written) = &entry.when_blocked else { return Ok(WhenBlocked::default()) };
    if *price != Price::Free && *written.get_ref() == WhenBlocked::Allow {
        return Err(source.at(written, "a priced route can't allow accounts that may not spend"));
    }
    if entry.auth == Auth::None {
        return Err(source.at(written, "`when_blocked` needs auth: no account is known"));
    }
    Ok(*written.get_ref())
}

/// The same alphabet as the scopes of keys.
fn check_scope(source: &Source<'_>, entry: &Entry, scope: &Spanned<String>) -> Result<String, ConfigError> {
    let text = scope.get_ref();
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_.:-".contains(&byte);
    if text.is_empty() || text.len() > 64 || !text.bytes().all(allowed) {
        return Err(source.at(scope, format!("scope `{text}` must be 1 to 64 of a-z 0-9 _ . : -")));
    }
    if entry.auth == Auth::None {
        return Err(source.at(scope, "`scope` needs auth: no key is known"));
    }
    Ok(text.clone())
}

fn target(
    source: &Source<'_>,
    spanned: &Spanned<Entry>,
    upstreams: &BTreeMap<String, Upstream>,
) -> Result<Target, ConfigError> {
    let entry = spanned.get_ref();
    match (&entry.upstream, &entry.answer) {
        (Some(upstream), None) if upstreams.contains_key(upstream.get_ref()) => {
            Ok(Target::Upstream(upstream.get_ref().clone()))
        }
        (Some(upstream), None) => {
            let known: Vec<_> = upstreams.keys().map(String::as_str).collect();
            let name = upstream.get_ref();
            Err(source.at(upstream, format!("unknown upstream `{name}` (known: {})", known.join(", "))))
        }
        (None, Some(answer)) => {
            if entry.auth == Auth::None || !matches!(entry.price.get_ref(), PriceEntry::Fixed(0)) {
                return Err(source.at(answer, "`answer` needs auth and price 0"));
            }
            match answer.get_ref() {
                Answer::Credits => Ok(Target::Credits),
            }
        }
        _ => Err(source.at(spanned, "a route needs exactly one of `upstream` and `answer`")),
    }
}

fn durability(source: &Source<'_>, entry: &Entry) -> Result<Durability, ConfigError> {
    let Some(written) = &entry.durability else { return Ok(Durability::default()) };
    let draws = !matches!(entry.price.get_ref(), PriceEntry::Fixed(0)) || entry.price_per_message.is_some();
    if !draws {
        return Err(source.at(written, "`durability` needs a price: nothing is drawn here"));
    }
    Ok(*written.get_ref())
}

fn upgrade(source: &Source<'_>, entry: &Entry) -> Result<Option<Upgrade>, ConfigError> {
    let Some(written) = &entry.upgrade else { return Ok(None) };
    if entry.method.get_ref() != "GET" || entry.upstream.is_none() {
        return Err(source.at(written, "an upgrade needs method GET and an upstream"));
    }
    if let Some(line) = &entry.terminal_event {
        return Err(source.at(line, "a connection that is upgraded carries no event stream"));
    }
    Ok(Some(*written.get_ref()))
}

fn terminal_event(source: &Source<'_>, line: &Spanned<String>) -> Result<String, ConfigError> {
    let text = line.get_ref();
    if text.is_empty() || text.len() > 256 || text.contains(['\r', '\n']) {
        return Err(source.at(line, "a terminal event is one line of 1 to 256 bytes"));
    }
    Ok(text.clone())
}
