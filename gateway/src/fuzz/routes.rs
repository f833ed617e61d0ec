//! Whatever routes there are and whatever is asked for: the table finds what reading all routes one by one finds.

use std::collections::{BTreeMap, BTreeSet};

use pingora::http::RequestHeader;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::metrics::Metrics;
use crate::route_table::RouteTable;
use crate::steps::canonical_target;
use crate::upstreams::Upstreams;

/// Method, host, segments.
type Written = (&'static str, Option<&'static str>, Vec<&'static str>);

fn route() -> impl Strategy<Value = Written> {
    (select(&["GET", "POST"][..]), select(&[None, Some("h"), Some("i")][..]), vec(select(&["a", "b", "{x}"][..]), 0..4))
}

fn asked() -> impl Strategy<Value = Written> {
    (
        select(&["GET", "POST"][..]),
        select(&[Some("h"), Some("i"), Some("j")][..]),
        vec(select(&["a", "b", "c", ""][..]), 0..5),
    )
}

/// By the rule: exact segments before variable ones from the left, a named host before any.
fn find(routes: &BTreeSet<Written>, (method, host, path): &Written) -> Option<Written> {
    let takes = |(known, own, segments): &&Written| {
        let fits = |(wanted, segment): (&&str, &&str)| wanted == segment || (*wanted == "{x}" && !segment.is_empty());
        // The root has no segment; a request for it has one that is empty.
        let path: &[&str] = if path.iter().all(|segment| segment.is_empty()) && path.len() < 2 { &[] } else { path };
        known == method
            && own.is_none_or(|own| Some(own) == *host)
            && segments.len() == path.len()
            && segments.iter().zip(path).all(fits)
    };
    let order = |(_, own, segments): &&Written| {
        (segments.iter().map(|segment| *segment == "{x}").collect::<Vec<_>>(), own.is_none())
    };
    routes.iter().filter(takes).min_by_key(order).cloned()
}

fn table(routes: &BTreeSet<Written>) -> RouteTable {
    let addresses = BTreeMap::from([("demo".to_owned(), "http://127.0.0.1:1".parse().unwrap())]);
    let entries = routes.iter().enumerate().map(|(number, (method, host, segments))| {
        let host = host.map_or_else(String::new, |host| format!("host = \"{host}\"\n"));
        let path = segments.join("/");
        format!(
            "[[route]]\nname = \"{number}\"\nmethod = \"{method}\"\n{host}path = \"/{path}\"\n\
             auth = \"none\"\nprice = 0\nupstream = \"demo\"\n"
        )
    });
    let text = entries.collect::<Vec<_>>().concat();
    let metrics = Metrics::new().unwrap();
    let routes = config::routes::parse("fuzz", &text, &addresses).unwrap();
    let upstreams = Upstreams::new(&addresses, &metrics.upstreams, None).unwrap();
    RouteTable::new(routes, &upstreams, |name| metrics.route(name)).unwrap()
}

proptest! {
    #![proptest_config(super::config(300))]

    #[test]
    fn the_table_finds_what_the_rule_says(routes in proptest::collection::btree_set(route(), 1..12), all in vec(asked(), 20)) {
        let table = table(&routes);
        for asked in all {
            let (method, host, segments) = &asked;
            let target = format!("/{}", segments.join("/"));
            let mut header = RequestHeader::build(*method, target.as_bytes(), None).unwrap();
            header.insert_header("Host", host.unwrap()).unwrap();
            // What has no canonical form reaches no table.
            let Ok(target) = canonical_target(&header) else { continue };
            let found = table.find(&header.method, &header, &target).ok().map(|route| route.name.to_string());
            let due = find(&routes, &asked).and_then(|due| routes.iter().position(|route| *route == due));
            prop_assert_eq!(found, due.map(|number| number.to_string()), "{:?} in {:?}", asked, routes);
        }
    }
}
