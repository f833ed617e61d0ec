//! Whatever routes there are and whatever is asked for: the table finds what reading all routes one by one finds.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use config::upstream::Upstream;
use pingora::http::RequestHeader;

use super::dice::Dice;
use crate::metrics::Metrics;
use crate::route_table::RouteTable;
use crate::steps;
use crate::steps::canonical_target::CanonicalTarget;
use crate::upstreams::Upstreams;

/// Method, host, segments.
type Written = (&'static str, Option<&'static str>, Vec<&'static str>);

const METHODS: [&str; 3] = ["GET", "POST", "OPTIONS"];
const OWN_SEGMENTS: [&str; 5] = ["a", "b", "{x}", "{other}", "a.b"];
/// A segment as it is asked for, and as it is meant.
const ASKED_SEGMENTS: [(&str, &str); 9] = [
    ("a", "a"),
    ("b", "b"),
    ("c", "c"),
    ("", ""),
    ("%61", "a"),
    ("a.b", "a.b"),
    ("A", "A"),
    ("%C3%a9", "%C3%A9"),
    ("a:b", "a:b"),
];
/// A host as it is asked for, and the name in it.
const ASKED_HOSTS: [(&str, &str); 6] =
    [("h", "h"), ("H", "h"), ("i:80", "i"), ("j", "j"), ("h.", "h."), ("[::1]:80", "[::1]")];
const ROUTES_MAX: usize = 16;
const SEGMENTS_MAX: usize = 5;
const ASKED_MAX: usize = 32;

/// The input is a table, then requests for it.
pub fn route_match(input: &[u8]) {
    let mut dice = Dice(input);
    let count = dice.below(ROUTES_MAX) + 1;
    let mut routes: Vec<Written> = Vec::new();
    for _ in 0..count {
        let method = dice.one_of(&METHODS);
        let host = dice.one_of(&[None, Some("h"), Some("i")]);
        let mut segments: Vec<_> = (0..dice.below(SEGMENTS_MAX)).map(|_| dice.one_of(&OWN_SEGMENTS)).collect();
        segments.extend(dice.one_of(&[None, Some("{rest...}")]));
        let route = (method, host, segments);
        // Two routes for the same requests are refused where settings are read.
        if routes.iter().all(|known| shape(known) != shape(&route)) {
            routes.push(route);
        }
    }
    let table = table(&routes);
    for _ in 0..ASKED_MAX {
        if dice.is_empty() {
            break;
        }
        ask(&table, &routes, &mut dice);
    }
}

fn ask(table: &RouteTable, routes: &[Written], dice: &mut Dice) {
    let method = dice.one_of(&METHODS);
    let (host, name) = dice.one_of(&ASKED_HOSTS);
    let segments: Vec<_> = (0..dice.below(SEGMENTS_MAX + 1)).map(|_| dice.one_of(&ASKED_SEGMENTS)).collect();
    let join = |part: fn(&(&'static str, &'static str)) -> &'static str| {
        segments.iter().map(part).collect::<Vec<_>>().join("/")
    };
    let (sent, meant) = (join(|segment| segment.0), join(|segment| segment.1));
    let query = dice.one_of(&["", "?", "?/a/b", "?x=%2f"]);
    let target = format!("/{sent}{query}");
    let mut header = RequestHeader::build(method, target.as_bytes(), None).expect("a plain target");
    header.insert_header("Host", host).expect("a plain host");
    // What has no canonical form reaches no table.
    let Ok(target) = steps::canonical_target(&header) else { return };
    let found = table.find(&header.method, &header, &target).ok().map(|route| route.name.to_string());
    let due = find(routes, method, name, &meant);
    assert_eq!(found, due.map(|number| number.to_string()), "{method} {host} /{sent} in {routes:?}");
}

/// By the rule: exact segments before variable ones, and these before the rest, from the left; a named host before any.
fn find(routes: &[Written], method: &str, host: &str, path: &str) -> Option<usize> {
    let path: Vec<&str> = path.split('/').collect();
    let takes = |(own_method, own_host, segments): &Written| {
        let fits = |(wanted, segment): (&&str, &&str)| wanted == segment || (rank(wanted) > 0 && !segment.is_empty());
        let has_rest = segments.last().is_some_and(|last| rank(last) == 2);
        // The root has no segment; a request for it has one that is empty.
        let same = if segments.is_empty() {
            path == [""]
        } else {
            let as_long = if has_rest { segments.len() <= path.len() } else { segments.len() == path.len() };
            as_long && segments.iter().zip(&path).all(fits)
        };
        *own_method == method && own_host.is_none_or(|own| own == host) && same
    };
    let order = |(_, own, segments): &Written| {
        (segments.iter().map(|segment| rank(segment)).collect::<Vec<_>>(), own.is_none())
    };
    (0..routes.len()).filter(|number| takes(&routes[*number])).min_by_key(|number| order(&routes[*number]))
}

/// The lower wins.
fn rank(segment: &str) -> u8 {
    match (segment.starts_with('{'), segment.ends_with("...}")) {
        (false, _) => 0,
        (true, false) => 1,
        (true, true) => 2,
    }
}

/// What tells one route from another: the name of a variable segment does not.
fn shape(route: &Written) -> Written {
    let segments = route.2.iter().map(|segment| match rank(segment) {
        0 => segment,
        1 => "{}",
        _ => "{...}",
    });
    (route.0, route.1, segments.collect())
}

struct Behind {
    addresses: BTreeMap<String, Upstream>,
    metrics: Metrics,
    upstreams: Upstreams,
}

/// Where routes lead to, made once: no request goes there.
static BEHIND: LazyLock<Behind> = LazyLock::new(|| {
    let addresses = BTreeMap::from([("demo".to_owned(), "http://127.0.0.1:1".parse().expect("an address"))]);
    let metrics = Metrics::new().expect("metrics");
    let upstreams = Upstreams::new(&addresses, &metrics.upstreams, None).expect("one upstream");
    Behind { addresses, metrics, upstreams }
});

fn table(routes: &[Written]) -> RouteTable {
    let entries = routes.iter().enumerate().map(|(number, (method, host, segments))| {
        let host = host.map_or_else(String::new, |host| format!("host = \"{host}\"\n"));
        let path = segments.join("/");
        format!(
            "[[route]]\nname = \"{number}\"\nmethod = \"{method}\"\n{host}path = \"/{path}\"\n\
             auth = \"none\"\nprice = 0\nupstream = \"demo\"\n"
        )
    });
    read_table(&entries.collect::<Vec<_>>().concat())
}

fn read_table(text: &str) -> RouteTable {
    let routes = config::routes::parse("fuzz", text, &BEHIND.addresses).expect("good routes");
    RouteTable::new(routes, &BEHIND.upstreams, |name| BEHIND.metrics.route(name)).expect("a table")
}

/// The route of the compiled-in demo table that a request takes.
pub fn demo_route(header: &RequestHeader, target: &CanonicalTarget) -> Option<String> {
    static DEMO: LazyLock<RouteTable> = LazyLock::new(|| read_table(config::routes::DEMO));
    DEMO.find(&header.method, header, target).ok().map(|route| route.name.to_string())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_plain_reading_knows_the_rule() {
        let routes = [
            ("GET", None, vec!["{x}", "b"]),
            ("GET", Some("h"), vec!["{x}", "b"]),
            ("GET", None, vec!["a", "{x}"]),
            ("GET", None, vec!["a", "{rest...}"]),
        ];
        assert_eq!(find(&routes, "GET", "h", "a/b"), Some(2), "exact from the left");
        assert_eq!(find(&routes, "GET", "h", "c/b"), Some(1), "a named host before any");
        assert_eq!(find(&routes, "GET", "i", "c/b"), Some(0));
        assert_eq!(find(&routes, "GET", "i", "/b"), None);
        assert_eq!((find(&routes, "GET", "i", "a/b/c"), find(&routes, "GET", "i", "a/b/")), (Some(3), Some(3)));
        let shapes: BTreeSet<Written> =
            [("GET", None, vec!["{x}"]), ("GET", None, vec!["{other}"]), ("GET", None, vec!["{x...}"])]
                .iter()
                .map(shape)
                .collect();
        assert_eq!(shapes.len(), 2);
    }
}
