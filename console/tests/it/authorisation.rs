//! Who may ask what: every route that there is, by everybody, with ids of his own account and with those of another.
//!
//! The routes are those of `routes.rs` and of the API's description, so that a new one fails here until the table says who may.

mod ids;
mod table;

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::Value;

use crate::house::{Ask, House, Person, Plan, SECRET, claims, console, sign};
use ids::Ids;
use table::{Route, TABLE, Who};

/// Somebody who asks.
struct Asker {
    name: &'static str,
    /// `None` = nobody is signed in.
    person: Option<Person>,
    may: &'static [Who],
}

/// Each route as `GET /path`, from where they stand.
fn routes() -> BTreeSet<String> {
    let source = include_str!("../../src/routes.rs");
    let mut found = BTreeSet::new();
    for line in source.lines().map(str::trim) {
        let Some((path, handlers)) = line.strip_prefix(".route(\"").and_then(|rest| rest.split_once("\", ")) else {
            continue;
        };
        let both = handlers.contains("steps::<");
        if both || handlers.contains("get(") {
            found.insert(format!("GET {path}"));
        }
        if both || handlers.contains("post(") {
            found.insert(format!("POST {path}"));
        }
    }
    let pages = found.len();
    assert!(pages > 30 && source.matches(".route(").count() <= pages, "every line with a route was read: {found:?}");
    let printed = console().arg("--openapi").output().unwrap();
    let description: Value = serde_json::from_slice(&printed.stdout).unwrap();
    for (path, operations) in description["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys().filter(|word| word.as_str() != "parameters") {
            found.insert(format!("{} {path}", method.to_uppercase()));
        }
    }
    assert!(found.len() > pages + 10, "{found:?}");
    found
}

#[test]
fn every_route_says_who_may_ask_it() {
    let (routes, table) = (routes(), TABLE.iter().map(|route| route.name.to_owned()).collect::<BTreeSet<_>>());
    let missing: Vec<&String> = routes.difference(&table).collect();
    let gone: Vec<&String> = table.difference(&routes).collect();
    assert!(missing.is_empty(), "say in authorisation/table.rs who may ask these: {missing:#?}");
    assert!(gone.is_empty(), "these routes are no more: {gone:#?}");
    assert_eq!(table.len(), TABLE.len(), "each once");
}

fn askers(house: &House, own: &Ids) -> Vec<Asker> {
    const MEMBER: &[Who] = &[Who::Anybody, Who::Member];
    const MANAGER: &[Who] = &[Who::Anybody, Who::Member, Who::Manager];
    const OPERATOR: &[Who] = &[Who::Anybody, Who::Member, Who::Operator];
    let of = |role: &str| Some(house.person(own.account, role));
    let mut over = claims(own.account, "late@example.org", &["billing_owner", "operator"]);
    over["exp"] = (over["iat"].as_u64().unwrap() - 600).into();
    let session = sign(SECRET, &over);
    let expired = Person { account: own.account, subject: "late@example.org".to_owned(), session };
    vec![
        Asker { name: "nobody", person: None, may: &[Who::Anybody] },
        Asker { name: "an expired session", person: Some(expired), may: &[Who::Anybody] },
        Asker { name: "somebody without a role", person: of("stranger"), may: MEMBER },
        Asker { name: "a member", person: of("member"), may: MEMBER },
        Asker { name: "an admin", person: of("admin"), may: MANAGER },
        Asker { name: "the billing owner", person: of("billing_owner"), may: MANAGER },
        Asker { name: "an operator", person: of("operator"), may: OPERATOR },
    ]
}

/// Sends what belongs there, so that nothing but the caller can be wrong with it.
async fn asked(house: &House, asker: &Asker, route: &Route, ids: &Ids) -> u16 {
    let (method, path) = route.name.split_once(' ').unwrap();
    let path = ids.fill(path);
    let method: Method = method.parse().unwrap();
    let sends = method != Method::GET && method != Method::DELETE;
    let ask = house.ask(method, &path);
    let ask = if let Some(person) = &asker.person { ask.of(person) } else { ask };
    let ask: Ask = match route.body {
        _ if !sends => ask,
        body if path.starts_with("/api/") => ask.body("application/json", ids.fill(body)),
        body => ask.header("sec-fetch-site", "same-origin").body("application/x-www-form-urlencoded", ids.fill(body)),
    };
    ask.send().await.status
}

/// What is wrong with an answer; `None` = it is as it should be.
fn wrong(asker: &Asker, route: &Route, other: bool, status: u16) -> Option<String> {
    let may = asker.may.contains(&route.who);
    let signed_in = asker.person.is_some() && asker.name != "an expired session";
    let good = match (may, signed_in) {
        (false, false) => status == 401,
        (false, true) => status == 403,
        // Whoever may not see it learns nothing by asking.
        (true, _) if other && route.is_own() => status == 404,
        // Nobody else's, or anybody's for operators: it may not be there, but it is looked for.
        (true, _) if !route.is_own() => !matches!(status, 401 | 403 | 500..=502 | 504..),
        (true, _) => !matches!(status, 401 | 403 | 404 | 500..=502 | 504..),
    };
    let whose = if other { "another account's" } else { "his own" };
    (!good).then(|| format!("{} by {} with {whose} ids: {status}", route.name, asker.name))
}

#[tokio::test]
async fn each_route_is_open_to_whom_it_should_be_and_to_nobody_else() {
    let house = House::with(Plan { sync: true, ..Plan::default() }).await;
    let [own, other] = [Ids::of(&house, "Ann").await, Ids::of(&house, "Eve").await];
    let mut found = Vec::new();
    let (askers, mut asked_for) = (askers(&house, &own), 0);
    for route in TABLE {
        for asker in &askers {
            for (ids, is_other) in [(&other, true), (&own, false)] {
                // It goes on for as long as somebody listens; who may not is refused before.
                let is_stream = route.name.ends_with("/live") && asker.may.contains(&route.who);
                if is_stream || (is_other && !route.name.contains('{')) {
                    continue;
                }
                let status = asked(&house, asker, route, ids).await;
                found.extend(wrong(asker, route, is_other, status));
                asked_for += 1;
            }
        }
    }
    assert!(found.is_empty(), "{} of {asked_for}:\n{}", found.len(), found.join("\n"));
    assert_eq!(
        house.book.number("SELECT count(*) FROM audit WHERE actor LIKE 'late%' OR actor LIKE 'member%'").await,
        0
    );
    let of_eve = format!(
        "SELECT count(*) FROM audit WHERE account_id = '{}' AND actor <> 'a story' AND actor NOT LIKE 'operator@%'",
        other.account.as_uuid()
    );
    assert_eq!(house.book.number(&of_eve).await, 0, "nothing of another account was changed");
}
