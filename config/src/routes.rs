//! The route table: what a request may reach, who may send it, and what it draws.

mod check;
mod file;
mod pattern;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

pub use pattern::{PathPattern, Segment};

use crate::error::ConfigError;
use crate::upstream::Upstream;

/// The compiled-in demo routes.
pub const DEMO: &str = include_str!("../routes.toml");

/// One route that passed every check of this module.
#[derive(Clone, Debug)]
pub struct Route {
    pub name: String,
    pub method: String,
    /// Lower case; `None` = any.
    pub host: Option<String>,
    pub path: PathPattern,
    pub auth: Auth,
    pub price: Price,
    pub when_blocked: WhenBlocked,
    /// The scope that a key needs here; a key without any scope has them all.
    pub scope: Option<String>,
    pub target: Target,
    pub body_bytes_max: u64,
    pub give_back: Vec<Failure>,
    /// The statuses of a gRPC answer that count as a server error, by number.
    pub grpc_server_errors: Vec<u8>,
    pub terminal_event: Option<String>,
    pub upgrade: Option<Upgrade>,
    /// What each message of a WebSocket draws besides; `None` = nothing.
    pub price_per_message: Option<u64>,
    pub durability: Durability,
    /// By when a debit must be confirmed, or said to go on, or else be given back; `None` = it stays drawn whatever happens.
    pub confirm: Option<Duration>,
    pub timeouts: Timeouts,
    pub cors: Option<Cors>,
    pub session_cookie: SessionCookie,
}

impl Route {
    /// Whether a request on this route draws credits.
    #[must_use]
    pub fn is_priced(&self) -> bool {
        !matches!(self.price, Price::Free)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Auth {
    None,
    ApiKey,
    /// A browser's session, in its cookie or as a bearer.
    Session,
    /// An API key or a session.
    Either,
}

impl Auth {
    #[must_use]
    pub fn takes_key(self) -> bool {
        matches!(self, Self::ApiKey | Self::Either)
    }

    #[must_use]
    pub fn takes_session(self) -> bool {
        matches!(self, Self::Session | Self::Either)
    }
}

/// What a request draws, in credits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Price {
    Free,
    Fixed(u64),
    /// The header holds the price; a missing number, or one outside `min..=max`, is refused and never clamped.
    FromHeader {
        name: String,
        min: u64,
        max: u64,
    },
    /// The JSON body holds true or false at this place; each has its price, one of which may be 0.
    FromJson {
        /// The names to follow from the outermost object.
        pointer: Vec<String>,
        when_true: u64,
        otherwise: u64,
    },
    /// Known at the end; until then the most it may come to is held.
    Hold(Hold),
}

/// Credits held for a request whose price its upstream tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The most it may come to.
    pub credits: u64,
    pub report: Report,
    /// What it comes to when the upstream answered and said nothing that can be read.
    pub unreported: u64,
    /// After that the owner of the account's shard releases what nobody has settled.
    pub hold_max: Duration,
}

/// Where the upstream tells the price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// `Tollgate-Price` in the answer's header.
    Header,
    /// `Tollgate-Price` in the answer's trailer.
    Trailer,
    /// A number in the answer, which is one JSON object.
    Json { pointer: Vec<String> },
    /// A number in the last event that is a JSON object.
    LastEvent { pointer: Vec<String> },
    /// So many bytes of the answer's body, or a part of them, are a credit.
    Bytes { per_credit: u64 },
}

/// Which pages of other sites may use a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cors {
    pub origins: Origins,
    /// Lower case: those of a request that are no matter of course.
    pub headers: Vec<String>,
    /// Whether cookies may come along; never for all origins.
    pub credentials: bool,
    pub max_age_seconds: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origins {
    All,
    These(Vec<String>),
}

/// What a free route does for an account that may not spend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenBlocked {
    #[default]
    Deny,
    Allow,
}

/// What becomes of the session's cookie. An upstream that is told the account and the person has no use for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionCookie {
    #[default]
    Drop,
    /// It goes upstream, to a server that looks at sessions itself.
    Keep,
}

/// How sure a debit must be before its request goes upstream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Durability {
    /// In the append-only file of Redis, which is written to the disk as its `appendfsync` says.
    #[default]
    Append,
    /// On the disk of Redis.
    Fsync,
}

/// What a request of HTTP/1 may turn its connection into. One price holds for all that follows, but for that of its messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Upgrade {
    Websocket,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The name of an upstream that the settings hold.
    Upstream(String),
    /// The gateway answers what is left to spend.
    Credits,
}

/// The failures of an upstream for which a route may give drawn credits back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// No connection could be made: nothing of the request reached the upstream.
    Unreachable,
    Timeout,
    /// The upstream answered 5xx, or ended a gRPC answer with a status that means the same.
    ServerError,
    /// The answer broke off, or ended without the route's terminal event.
    BrokenStream,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    pub connect: Duration,
    pub response: Duration,
    pub write: Duration,
}

/// Reads a route file. `name` stands before the line in errors.
pub fn parse(name: &str, text: &str, upstreams: &BTreeMap<String, Upstream>) -> Result<Vec<Route>, ConfigError> {
    check::routes(name, text, &file::parse(name, text)?, upstreams)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upstreams() -> BTreeMap<String, Upstream> {
        BTreeMap::from([("demo".to_owned(), "http://127.0.0.1:7070".parse().unwrap())])
    }

    fn refused(text: &str) -> String {
        parse("routes.toml", text, &upstreams()).expect_err("must be refused").to_string()
    }

    const GOOD: &str = "[[route]]\nname = \"a\"\nmethod = \"GET\"\npath = \"/a\"\nauth = \"api_key\"\nprice = 1\nupstream = \"demo\"\n";

    #[test]
    fn the_demo_routes_pass() {
        let routes = parse("demo", DEMO, &upstreams()).unwrap();
        let names: Vec<_> = routes.iter().map(|route| route.name.as_str()).collect();
        assert_eq!(names, ["messages", "batch", "chat", "artifact", "usage", "credits"]);
        assert_eq!(routes[1].price, Price::FromHeader { name: "batch-size".into(), min: 1, max: 100 });
        assert_eq!(routes[2].price, Price::FromJson { pointer: vec!["respond".into()], when_true: 1, otherwise: 0 });
        assert!(routes[0].give_back.contains(&Failure::BrokenStream) && routes[5].target == Target::Credits);
    }

    #[test]
    fn a_status_of_grpc_that_the_caller_can_provoke_gives_nothing_back_by_itself() {
        let errors = |text: &str| parse("routes.toml", text, &upstreams()).unwrap()[0].grpc_server_errors.clone();
        assert_eq!(errors(GOOD), [2, 12, 13, 14, 15]);
        assert_eq!(errors(&format!("{GOOD}grpc_server_errors = [\"CANCELLED\", \"DEADLINE_EXCEEDED\"]")), [1, 4]);
        assert_eq!(errors(&format!("{GOOD}grpc_server_errors = []")), [0; 0]);
    }

    #[test]
    fn a_wrong_route_is_refused_with_file_and_line() {
        let changed = |from: &str, to: &str| refused(&GOOD.replace(from, to));
        assert!(changed("price = 1", "prize = 1").starts_with("routes.toml:6: unknown field `prize`"));
        assert!(changed("auth = \"api_key\"", "auth = \"none\"").starts_with("routes.toml:6: a price needs auth"));
        assert!(changed("\"demo\"", "\"chat\"").starts_with("routes.toml:7: unknown upstream `chat`"));
        assert!(changed("\"/a\"", "\"/a//b\"").starts_with("routes.toml:4: "));
        assert!(changed("\"/a\"", "\"a\"").starts_with("routes.toml:4: "));
        assert!(changed("\"GET\"", "\"get\"").starts_with("routes.toml:3: "));
        assert!(changed("\"GET\"", "\"CONNECT\"").starts_with("routes.toml:3: "));
        assert!(changed("name = \"a\"", "name = \"A b\"").starts_with("routes.toml:2: "));
        assert!(changed("price = 1", "price = -1").starts_with("routes.toml:6: "));
        assert!(changed("price = 1", "price = 9007199254740992").starts_with("routes.toml:6: "));
        assert!(changed("price = 1", "price = { header = \"N\", min = 2, max = 1 }").starts_with("routes.toml:6: "));
        let json = |price: &str| changed("price = 1", &format!("price = {{ {price} }}"));
        for wrong in [
            "json = \"respond\", when_true = 1, otherwise = 0",
            "json = \"/\", when_true = 1, otherwise = 0",
            "json = \"\", when_true = 1, otherwise = 0",
            "json = \"/a~2b\", when_true = 1, otherwise = 0",
            "json = \"/a/b/c/d/e/f/g/h/i\", when_true = 1, otherwise = 0",
            "json = \"/a\", when_true = 0, otherwise = 0",
            "json = \"/a\", when_true = 9007199254740992, otherwise = 0",
            "json = \"/a\", when_true = 1",
        ] {
            assert!(json(wrong).starts_with("routes.toml:6: "), "{wrong}");
        }
        let large = "price = { json = \"/a\", when_true = 1, otherwise = 0 }\nbody_bytes_max = 1048577";
        assert!(changed("price = 1", large).starts_with("routes.toml:6: a price from the body"));
        assert!(changed("price = 1", "price = 1\nwhen_blocked = \"allow\"").starts_with("routes.toml:7: "));
        assert!(changed("upstream = \"demo\"", "").starts_with("routes.toml:1: "));
        assert!(
            changed("upstream = \"demo\"", "upstream = \"demo\"\ngive_back = [\"x\"]").starts_with("routes.toml:8: ")
        );
        for (auth, more) in [("api_key", ""), ("none", "upgrade = \"websocket\"\n")] {
            let more = format!("auth = \"{auth}\"\nprice = 0\n{more}price_per_message = 1");
            let error = changed("auth = \"api_key\"\nprice = 1", &more);
            assert!(
                error.starts_with(if more.contains("upgrade") { "routes.toml:8: a" } else { "routes.toml:7: a" }),
                "{error}"
            );
        }
        let durable = changed("price = 1", "price = 0\ndurability = \"fsync\"");
        assert!(durable.starts_with("routes.toml:7: `durability` needs a price"), "{durable}");
        assert!(changed("price = 1", "price = 1\ndurability = \"disk\"").starts_with("routes.toml:7: "));
        let grpc = |names: &str| changed("price = 1", &format!("price = 1\ngrpc_server_errors = [{names}]"));
        for wrong in ["\"OK\"", "\"unavailable\"", "\"UNAVAILABLE\", \"\"", "14"] {
            assert!(grpc(wrong).starts_with("routes.toml:7: "), "{wrong}");
        }
        assert!(changed("price = 1", "price = 1\nscope = \"A b\"").starts_with("routes.toml:7: scope"));
        assert!(
            changed("auth = \"api_key\"\nprice = 1", "auth = \"none\"\nprice = 0\nscope = \"a\"")
                .starts_with("routes.toml:7: `scope` needs auth")
        );
        assert!(refused("").contains("no route"));
    }

    #[test]
    fn a_hold_says_where_its_price_is_told_and_what_it_is_when_it_is_not() {
        let with = |price: &str| GOOD.replace("price = 1", &format!("price = {{ {price} }}"));
        let hold = |price: &str| match parse("routes.toml", &with(price), &upstreams()).unwrap()[0].price.clone() {
            Price::Hold(hold) => hold,
            other => panic!("{other:?}"),
        };
        let plain = Hold { credits: 50, report: Report::Header, unreported: 50, hold_max: Duration::from_mins(15) };
        assert_eq!(hold("hold = 50, report = \"header\""), plain);
        let usage = vec!["usage".to_owned(), "credits".to_owned()];
        for (report, means) in [
            ("{ json = \"/usage/credits\" }", Report::Json { pointer: usage.clone() }),
            ("{ last_event = \"/usage/credits\" }", Report::LastEvent { pointer: usage }),
            ("{ bytes_per_credit = 1024 }", Report::Bytes { per_credit: 1024 }),
        ] {
            let written = format!("hold = 50, unreported = 0, hold_ms_max = 92001, report = {report}");
            let wanted = Hold { credits: 50, report: means, unreported: 0, hold_max: Duration::from_millis(92_001) };
            assert_eq!(hold(&written), wanted);
        }
        for (wrong, line) in [
            ("hold = 0, report = \"header\"", 6),
            ("hold = 9007199254740992, report = \"header\"", 6),
            ("hold = 50", 6),
            ("hold = 50, report = \"body\"", 6),
            ("hold = 50, report = \"trailer\"", 6),
            ("hold = 50, report = { json = \"usage\" }", 6),
            ("hold = 50, report = { last_event = \"\" }", 6),
            ("hold = 50, report = { bytes_per_credit = 0 }", 6),
            ("hold = 50, report = { json = \"/a\", last_event = \"/a\" }", 6),
            ("hold = 50, report = \"header\", unreported = 51", 6),
            ("hold = 50, report = \"header\", unreported = -1", 6),
            ("hold = 50, report = \"header\", hold_ms_max = 92000", 6),
            ("hold = 50, report = \"header\", hold_ms_max = 43200001", 6),
            ("hold = 50, report = \"header\", min = 1", 6),
        ] {
            let error = refused(&with(wrong));
            assert!(error.starts_with(&format!("routes.toml:{line}: ")), "{wrong}: {error}");
        }
        let more =
            |line: &str, report: &str| refused(&format!("{}{line}\n", with(&format!("hold = 50, report = {report}"))));
        assert!(more("upgrade = \"websocket\"", "\"header\"").starts_with("routes.toml:8: a hold can't be settled"));
        assert!(more("terminal_event = \"x\"", "\"header\"").starts_with("routes.toml:8: a price told in the header"));
        assert!(
            more("terminal_event = \"x\"", "{ json = \"/a\" }").starts_with("routes.toml:8: an answer that is JSON")
        );
        assert!(more("response_ms = 900000", "\"header\"").starts_with("routes.toml:6: hold_ms_max = 900000"));
        let anonymous = with("hold = 50, report = \"header\"").replace("\"api_key\"", "\"none\"");
        assert!(refused(&anonymous).starts_with("routes.toml:6: a price needs auth"));
    }

    #[test]
    fn only_exact_origins_may_be_named_and_credentials_never_go_to_all() {
        let parsed = |cors: &str| parse("routes.toml", &format!("{GOOD}[route.cors]\n{cors}\n"), &upstreams());
        let cors =
            parsed("origins = [\"https://app.example:8443\"]\nheaders = [\"Content-Type\"]").unwrap()[0].cors.clone();
        let wanted = Cors {
            origins: Origins::These(vec!["https://app.example:8443".to_owned()]),
            headers: vec!["content-type".to_owned()],
            credentials: false,
            max_age_seconds: 600,
        };
        assert_eq!(cors, Some(wanted));
        assert_eq!(parsed("origins = [\"*\"]").unwrap()[0].cors.as_ref().unwrap().origins, Origins::All);
        for wrong in [
            "origins = []",
            "origins = [\"*\"]\ncredentials = true",
            "origins = [\"*\", \"https://a\"]",
            "origins = [\"null\"]",
            "origins = [\"https://a/\"]",
            "origins = [\"https://*.a\"]",
            "origins = [\"https://A\"]",
            "origins = [\"a\"]",
            "origins = [\"https://a\"]\nheaders = [\"*\"]",
            "origins = [\"https://a\"]\nmax_age_seconds = 86401",
            "origins = [\"https://a\"]\nmethods = [\"GET\"]",
        ] {
            let error = parsed(wrong).expect_err(wrong).to_string();
            assert!(error.starts_with("routes.toml:"), "{error}");
        }
    }

    #[test]
    fn a_second_route_for_the_same_requests_or_of_the_same_name_is_refused() {
        let second = GOOD.replace("name = \"a\"", "name = \"b\"");
        assert!(refused(&format!("{GOOD}{second}")).starts_with("routes.toml:11: the same requests as route `a`"));
        let second = GOOD.replace("\"/a\"", "\"/b\"");
        assert!(refused(&format!("{GOOD}{second}")).starts_with("routes.toml:9: a second route named `a`"));
        let (x, y) = (
            GOOD.replace("\"/a\"", "\"/{x}\""),
            GOOD.replace("\"/a\"", "\"/{y}\"").replace("name = \"a\"", "name = \"b\""),
        );
        assert!(refused(&format!("{x}{y}")).contains("the same requests"));
    }
}
