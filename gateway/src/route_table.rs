//! Which route a request takes. Exact, deny by default: what matches no route is answered 404 and never proxied.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use config::routes::{
    Auth, Durability, Failure, PathPattern, Price, Report, Segment, SessionCookie, Target, Timeouts, Upgrade,
    WhenBlocked,
};
use http::header::HOST;
use http::{HeaderName, Method};
use metering::{Credits, RouteName, Scope};
use pingora::http::RequestHeader;

use crate::cors::Cors;
use crate::metrics::RouteMetrics;
use crate::rejection::Rejection;
use crate::steps::canonical_target::CanonicalTarget;
use crate::upstreams::{Group, Upstreams};

/// A route with everything resolved that a request would otherwise have to look up.
pub struct Route {
    pub name: RouteName,
    pub auth: Auth,
    pub price: RoutePrice,
    pub when_blocked: WhenBlocked,
    pub scope: Option<Scope>,
    pub destination: Destination,
    pub body_bytes_max: u64,
    pub terminal_event: Option<String>,
    pub upgrade: Option<Upgrade>,
    /// What each message of a WebSocket draws; `None` draws nothing.
    pub price_per_message: Option<Credits>,
    pub durability: Durability,
    /// By when a debit must be confirmed or said to go on; `None` asks for nothing.
    pub confirm: Option<Duration>,
    pub timeouts: Timeouts,
    pub metrics: RouteMetrics,
    /// Pages of other sites that may use the route.
    pub cors: Option<Cors>,
    /// Whether the session's cookie goes upstream.
    pub keeps_session_cookie: bool,
    give_back: Vec<Failure>,
    grpc_server_errors: Vec<u8>,
    method: Method,
    host: Option<String>,
    path: PathPattern,
}

/// [`Price`] in the types of the request path.
pub enum RoutePrice {
    Free,
    Fixed(Credits),
    FromHeader {
        name: HeaderName,
        min: u64,
        max: u64,
    },
    /// `None` draws nothing.
    FromJson {
        pointer: Vec<String>,
        when_true: Option<Credits>,
        otherwise: Option<Credits>,
    },
    /// Known at the end.
    Hold(Hold),
}

/// [`config::routes::Hold`] in the types of the request path.
pub struct Hold {
    pub credits: Credits,
    pub report: Report,
    pub unreported: Credits,
    pub ms_max: u64,
}

/// Who answers.
pub enum Destination {
    Upstream(Arc<Group>),
    /// The gateway itself, with what is left to spend.
    Credits,
}

impl Route {
    pub fn is_priced(&self) -> bool {
        !matches!(self.price, RoutePrice::Free)
    }

    /// Whether some request on this route draws nothing.
    pub fn may_be_free(&self) -> bool {
        match &self.price {
            RoutePrice::Free => true,
            RoutePrice::Fixed(_) | RoutePrice::FromHeader { .. } | RoutePrice::Hold(_) => false,
            RoutePrice::FromJson { when_true, otherwise, .. } => when_true.is_none() || otherwise.is_none(),
        }
    }

    pub fn hold(&self) -> Option<&Hold> {
        match &self.price {
            RoutePrice::Hold(hold) => Some(hold),
            _ => None,
        }
    }

    /// How long a debit may stay drawn without a word about its request; `None` = for ever.
    pub fn held_ms(&self) -> Option<u64> {
        let confirm_ms = || self.confirm.map(|deadline| u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX));
        self.hold().map(|hold| hold.ms_max).or_else(confirm_ms)
    }

    /// Whether the answer's body is looked at, which compression would hide.
    pub fn watches_body(&self) -> bool {
        let by_body = |hold: &Hold| !matches!(hold.report, Report::Header | Report::Trailer);
        self.terminal_event.is_some() || self.hold().is_some_and(by_body)
    }

    pub fn gives_back(&self, failure: Failure) -> bool {
        self.give_back.contains(&failure)
    }

    /// Whether a gRPC answer that ends with this status means what 5xx does.
    pub fn is_grpc_server_error(&self, status: u8) -> bool {
        self.grpc_server_errors.contains(&status)
    }

    /// The path as the settings have it; what stands for any segment has no name here.
    pub fn path_template(&self) -> String {
        let segments = self.path.segments().iter().map(|segment| match segment {
            Segment::Exact(segment) => segment.as_str(),
            Segment::Any => "{}",
            Segment::Rest => "{...}",
        });
        let path = segments.fold(String::new(), |path, segment| path + "/" + segment);
        if path.is_empty() { "/".to_owned() } else { path }
    }

    fn takes(&self, method: &Method, host: Option<&str>) -> bool {
        self.method == method && self.host.as_deref().is_none_or(|own| Some(own) == host)
    }
}

pub struct RouteTable {
    /// Routes whose path has no variable segment, by path; those bound to a host first.
    exact: HashMap<String, Vec<Arc<Route>>>,
    /// The others, most specific first.
    patterns: Vec<Arc<Route>>,
}

impl RouteTable {
    pub fn new(
        routes: Vec<config::routes::Route>,
        upstreams: &Upstreams,
        metrics: impl Fn(&str) -> RouteMetrics,
    ) -> anyhow::Result<Self> {
        let mut table = Self { exact: HashMap::new(), patterns: Vec::new() };
        for route in routes {
            let route = Arc::new(resolve(route, upstreams, &metrics)?);
            match exact_path(&route.path) {
                Some(path) => table.exact.entry(path).or_default().push(route),
                None => table.patterns.push(route),
            }
        }
        for same_path in table.exact.values_mut() {
            same_path.sort_by_key(|route| route.host.is_none());
        }
        table.patterns.sort_by_key(|route| (specificity(&route.path), route.host.is_none()));
        Ok(table)
    }

    /// The route that a request of this method would take.
    pub fn find(
        &self,
        method: &Method,
        header: &RequestHeader,
        target: &CanonicalTarget,
    ) -> Result<&Arc<Route>, Rejection> {
        let host = header.headers.get(HOST).and_then(|host| host.to_str().ok()).map(host_name);
        let host = host.as_deref();
        let path = target.path();
        let exact = self.exact.get(path).and_then(|routes| routes.iter().find(|route| route.takes(method, host)));
        exact
            .or_else(|| self.patterns.iter().find(|route| route.takes(method, host) && matches(&route.path, path)))
            .ok_or(Rejection::NoRoute)
    }
}

/// The name without its port; lower case, which callers send already, so that this is no copy.
fn host_name(host: &str) -> std::borrow::Cow<'_, str> {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) { name.to_ascii_lowercase().into() } else { name.into() }
}

fn exact_path(pattern: &PathPattern) -> Option<String> {
    let mut path = String::new();
    for segment in pattern.segments() {
        let Segment::Exact(segment) = segment else { return None };
        path.push('/');
        path.push_str(segment);
    }
    Some(if path.is_empty() { "/".to_owned() } else { path })
}

/// Orders patterns: from the left, exact segments win over variable ones, and these over the rest of a path.
fn specificity(pattern: &PathPattern) -> Vec<u8> {
    let rank = |segment: &Segment| match segment {
        Segment::Exact(_) => 0,
        Segment::Any => 1,
        Segment::Rest => 2,
    };
    pattern.segments().iter().map(rank).collect()
}

fn matches(pattern: &PathPattern, path: &str) -> bool {
    let mut segments = path.split('/').skip(1);
    let all = pattern.segments().iter().all(|wanted| match (wanted, segments.next()) {
        (Segment::Exact(wanted), Some(segment)) => wanted == segment,
        (Segment::Any, Some(segment)) => !segment.is_empty(),
        (Segment::Rest, Some(segment)) => {
            // A canonical path has no empty segment but the last, which is a slash at the end.
            segments.by_ref().for_each(drop);
            !segment.is_empty()
        }
        (_, None) => false,
    });
    all && segments.next().is_none()
}

fn resolve(
    route: config::routes::Route,
    upstreams: &Upstreams,
    metrics: impl Fn(&str) -> RouteMetrics,
) -> anyhow::Result<Route> {
    let about = || format!("route `{}`", route.name);
    let price = match route.price {
        Price::Free => RoutePrice::Free,
        Price::Fixed(credits) => RoutePrice::Fixed(Credits::new(credits).with_context(about)?),
        Price::FromHeader { name, min, max } => {
            RoutePrice::FromHeader { name: name.parse().with_context(about)?, min, max }
        }
        Price::FromJson { pointer, when_true, otherwise } => {
            let drawn = |credits| (credits > 0).then(|| Credits::new(credits)).transpose().with_context(about);
            RoutePrice::FromJson { pointer, when_true: drawn(when_true)?, otherwise: drawn(otherwise)? }
        }
        Price::Hold(hold) => RoutePrice::Hold(Hold {
            credits: Credits::new(hold.credits).with_context(about)?,
            report: hold.report,
            unreported: Credits::new(hold.unreported).with_context(about)?,
            ms_max: u64::try_from(hold.hold_max.as_millis()).with_context(about)?,
        }),
    };
    let destination = match &route.target {
        Target::Credits => Destination::Credits,
        Target::Upstream(name) => Destination::Upstream(upstreams.get(name).with_context(about)?),
    };
    let method: Method = route.method.parse().with_context(about)?;
    let cors = route.cors.map(|rules| Cors::new(rules, &method)).transpose().with_context(about)?;
    Ok(Route {
        metrics: metrics(&route.name),
        name: route.name.parse().with_context(about)?,
        method,
        cors,
        auth: route.auth,
        price,
        when_blocked: route.when_blocked,
        scope: route.scope.as_deref().map(str::parse).transpose().with_context(about)?,
        destination,
        body_bytes_max: route.body_bytes_max,
        terminal_event: route.terminal_event,
        upgrade: route.upgrade,
        durability: route.durability,
        price_per_message: route.price_per_message.map(Credits::new).transpose().with_context(about)?,
        confirm: route.confirm,
        timeouts: route.timeouts,
        keeps_session_cookie: route.session_cookie == SessionCookie::Keep,
        give_back: route.give_back,
        grpc_server_errors: route.grpc_server_errors,
        host: route.host,
        path: route.path,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::metrics::Metrics;
    use crate::steps::canonical_target::canonical_target;

    const ROUTES: &str = r#"
        [[route]]
        name = "any"
        method = "GET"
        path = "/v1/{thing}/{id}"
        auth = "none"
        price = 0
        upstream = "demo"
        [[route]]
        name = "artifact"
        method = "GET"
        path = "/v1/artifacts/{id}"
        auth = "none"
        price = 0
        upstream = "demo"
        [[route]]
        name = "latest"
        method = "GET"
        path = "/v1/artifacts/latest"
        auth = "none"
        price = 0
        upstream = "demo"
        [[route]]
        name = "rest"
        method = "GET"
        path = "/v1/{rest...}"
        auth = "none"
        price = 0
        upstream = "demo"
        [[route]]
        name = "console"
        method = "GET"
        path = "/v1/console/{rest...}"
        auth = "none"
        price = 0
        upstream = "demo"
        [[route]]
        name = "chat"
        method = "GET"
        host = "chat.example"
        path = "/v1/artifacts/latest"
        auth = "none"
        price = 0
        upstream = "demo"
    "#;

    fn found(method: &str, host: &str, target: &str) -> Option<String> {
        let addresses = BTreeMap::from([("demo".to_owned(), "http://127.0.0.1:1".parse().unwrap())]);
        let routes = config::routes::parse("test", ROUTES, &addresses).unwrap();
        let metrics = Metrics::new().unwrap();
        let upstreams = Upstreams::new(&addresses, &metrics.upstreams, None).unwrap();
        let table = RouteTable::new(routes, &upstreams, |name| metrics.route(name)).unwrap();
        let mut header = RequestHeader::build(method, target.as_bytes(), None).unwrap();
        header.insert_header("Host", host).unwrap();
        let target = canonical_target(&header).unwrap();
        table.find(&header.method, &header, &target).ok().map(|route| route.name.to_string())
    }

    #[test]
    fn the_most_specific_route_wins() {
        for (host, target, route) in [
            ("a", "/v1/artifacts/latest", "latest"),
            ("CHAT.example:8080", "/v1/artifacts/latest?x=/v1/y", "chat"),
            ("a", "/v1/%61rtifacts/latest", "latest"),
            ("a", "/v1/artifacts/7", "artifact"),
            ("a", "/v1/other/7", "any"),
            ("a", "/v1/console/7", "console"),
            ("a", "/v1/console/7/8/9?x=1", "console"),
            ("a", "/v1/%63onsole/7", "console"),
            ("a", "/v1/artifacts", "rest"),
            ("a", "/v1/artifacts/7/8", "rest"),
            ("a", "/v1/artifacts/", "rest"),
            ("a", "/v1/console/7/", "console"),
            ("a", "/v1/console", "rest"),
        ] {
            assert_eq!(found("GET", host, target).as_deref(), Some(route), "{host} {target}");
        }
    }

    #[test]
    fn what_matches_no_route_has_none() {
        for (method, target) in [
            ("POST", "/v1/artifacts/latest"),
            ("TRACE", "/v1/artifacts/latest"),
            ("GET", "/"),
            ("GET", "/v1"),
            ("GET", "/v1/"),
            ("POST", "/v1/console/7"),
            ("GET", "/V1/artifacts/7"),
            ("GET", "/v1x/artifacts"),
        ] {
            assert_eq!(found(method, "a", target), None, "{method} {target}");
        }
    }
}
