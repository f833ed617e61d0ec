//! Targets that one server reads in one way and the next in another.

use super::case::{Case, refused, served, target};

pub fn cases() -> Vec<Case> {
    let refused_target = |name: &'static str, bytes: &str| refused(name, 400, target(bytes));
    vec![
        refused_target("no slash at the beginning", "v1/artifacts/7"),
        refused_target("a star", "*"),
        refused_target("two slashes", "//v1/artifacts/7"),
        refused_target("two slashes inside", "/v1//artifacts/7"),
        refused_target("a dot segment", "/./v1/artifacts/7"),
        refused_target("a segment of two dots", "/x/../v1/artifacts/7"),
        refused_target("two dots at the end", "/v1/artifacts/.."),
        refused_target("dots in escapes", "/v1/artifacts/%2e%2E"),
        refused_target("a slash in an escape", "/v1/artifacts/a%2fb"),
        refused_target("a backslash", "/v1\\artifacts\\7"),
        refused_target("a backslash in an escape", "/v1/artifacts/a%5Cb"),
        refused_target("parameters of a segment", "/v1/artifacts/..;/7"),
        refused_target("a semicolon in an escape", "/v1/artifacts/7%3bx"),
        refused_target("a percent sign in an escape", "/v1/artifacts/%252e"),
        refused_target("NUL in an escape", "/v1/artifacts/%00"),
        refused_target("a line's end in an escape", "/v1/artifacts/%0d%0aHost:%20b"),
        refused_target("raw UTF-8", "/v1/artifacts/\u{e9}"),
        refused_target("an overlong slash", "/v1/artifacts/%c0%af"),
        refused_target("an escape that is none", "/v1/artifacts/%zz"),
        refused_target("half an escape", "/v1/artifacts/%4"),
        refused_target("NUL in the query", "/v1/artifacts/7?x=%00"),
        refused_target("a line's end in the query", "/v1/artifacts/7?x=%0d%0aHost:%20b"),
        refused_target("raw UTF-8 in the query", "/v1/artifacts/7?x=\u{e9}"),
        refused_target("the absolute form of another host", "http://b/v1/artifacts/7"),
        refused_target("the absolute form with a user", "http://a@b/v1/artifacts/7"),
        refused_target("the absolute form of another scheme", "ftp://a/v1/artifacts/7"),
        refused_target("the absolute form without a path", "http://a"),
        refused_target("the absolute form with dots", "http://a/x/../v1/artifacts/7"),
        refused_target("the absolute form of a host beyond ASCII", "http://a:8\u{e9}/v1/artifacts/7"),
        refused_target("the absolute form of a host with an escape", "https://a%2f/v1/artifacts/7"),
        refused_target("the absolute form with a backslash", "http://a\\@a/v1/artifacts/7"),
        refused("another case", 404, target("/v1/Artifacts/7")).goes_on(),
        refused("a slash at the end", 404, target("/v1/artifacts/7/")).goes_on(),
        refused("a priced path in another method", 404, target("/v1/messages")).goes_on(),
        served("the absolute form of its own host", target("http://a/v1/artifacts/7"), ["GET /v1/artifacts/7", "", ""])
            .goes_on(),
        served("letters in escapes", target("/v1/%61rtifacts/7?x=%61"), ["GET /v1/artifacts/7?x=%61", "", ""])
            .goes_on(),
        served("a fragment", target("/v1/artifacts/7#x"), ["GET /v1/artifacts/7", "", ""]).goes_on(),
        served("a priced path in escapes", target("/v1/%70riced"), ["GET /v1/priced", "", ""]).goes_on(),
    ]
}
