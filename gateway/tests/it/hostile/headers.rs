//! Header lines that mean something to whoever reads them: hosts, credentials, trusted names, connection options, sizes.

use super::case::{Case, get, post, refused, served};

const GET: &str = "GET /v1/artifacts/7";

pub fn cases() -> Vec<Case> {
    [hosts(), credentials(), trusted(), nominated(), sizes()].concat()
}

fn hosts() -> Vec<Case> {
    let host = |lines: &str| format!("GET /v1/artifacts/7 HTTP/1.1\r\nAuthorization: {{key}}\r\n{lines}\r\n");
    vec![
        refused("no host", 400, host("")),
        refused("no host in HTTP/1.0", 400, "GET /v1/artifacts/7 HTTP/1.0\r\nAuthorization: {key}\r\n\r\n"),
        refused("an empty host", 400, host("Host:\r\n")),
        refused("two equal hosts", 400, host("Host: a\r\nHost: a\r\n")),
        refused("two different hosts", 400, host("Host: a\r\nHost: b\r\n")),
        refused("a list of hosts", 400, host("Host: a, b\r\n")),
        refused("a host with a space", 400, host("Host: a b\r\n")),
        refused("a host with a path", 400, host("Host: a/v1\r\n")),
        refused("a host with a user", 400, host("Host: a@b\r\n")),
        refused("a host beyond ASCII", 400, host("Host: \u{e9}\r\n")),
        refused("a host with two ports", 400, host("Host: a:80:81\r\n")),
    ]
}

fn credentials() -> Vec<Case> {
    vec![
        refused("two keys", 400, get("Authorization: {key}\r\n")),
        refused("keys in both places", 400, get("X-Api-Key: x\r\n")),
        refused(
            "two keys in the other place",
            400,
            "GET /v1/artifacts/7 HTTP/1.1\r\nHost: a\r\nX-Api-Key: x\r\nX-Api-Key: x\r\n\r\n",
        ),
        refused(
            "two keys on an open route",
            400,
            "GET /open HTTP/1.1\r\nHost: a\r\nAuthorization: {key}\r\nX-Api-Key: x\r\n\r\n",
        ),
        refused(
            "a list of keys",
            401,
            "GET /v1/artifacts/7 HTTP/1.1\r\nHost: a\r\nAuthorization: {key}, {key}\r\n\r\n",
        )
        .goes_on(),
        refused("another scheme", 401, "GET /v1/artifacts/7 HTTP/1.1\r\nHost: a\r\nAuthorization: Basic {key}\r\n\r\n")
            .goes_on(),
        refused("a key in a name with _", 401, "GET /v1/artifacts/7 HTTP/1.1\r\nHost: a\r\nX_Api_Key: x\r\n\r\n")
            .goes_on(),
        refused("a key in the query", 401, "GET /v1/artifacts/7?api_key=x HTTP/1.1\r\nHost: a\r\n\r\n").goes_on(),
    ]
}

fn trusted() -> Vec<Case> {
    vec![
        served("an account of the caller's", get("Tollgate-Account: acct_1\r\nTollgate-Key-Id: k\r\n"), [GET, "", ""]).goes_on(),
        served("an account with _", get("Tollgate_Account: acct_1\r\nX_Account_Id: 1\r\n"), [GET, "", ""]).goes_on(),
        served("forwarded lines", get("X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Host: b\r\nX-Forwarded-Proto: https\r\nForwarded: for=6.6.6.6\r\nX-Real-Ip: 6.6.6.6\r\n"), [GET, "", ""]).goes_on(),
        served("a request id of the caller's", get("Request-Id: mine\r\nTraceparent: mine\r\n"), [GET, "", ""]).goes_on(),
    ]
}

fn nominated() -> Vec<Case> {
    vec![
        served("an option that names our line", get("Connection: Tollgate-Account, Request-Id\r\n"), [GET, "", ""])
            .goes_on(),
        served("an option that names the caller's own line", get("Connection: X-Own\r\nX-Own: 1\r\n"), [GET, "", ""])
            .goes_on(),
        served("an option that names the key", get("Connection: Authorization\r\n"), [GET, "", ""]).goes_on(),
        refused("an option that names the host", 400, get("Connection: Host\r\n")),
        refused("an option that names forwarded lines", 400, get("Connection: X-Forwarded-For\r\n")),
        refused("an option that is no name", 400, get("Connection: \"x\"\r\n")),
        served(
            "an option that names the length",
            post("Connection: Content-Length\r\nContent-Length: 2\r\n", "{}"),
            ["POST /v1/messages", "transfer-encoding: chunked", "2\r\n{}\r\n0\r\n\r\n"],
        )
        .goes_on(),
        served(
            "lines for one hop",
            get("Keep-Alive: timeout=9\r\nProxy-Connection: keep-alive\r\nTE: trailers\r\nTrailer: X\r\n"),
            [GET, "", ""],
        )
        .goes_on(),
        served("close said twice", get("Connection: close\r\nConnection: close\r\n"), [GET, "", ""]),
        served("close and keep-alive", get("Connection: keep-alive, close\r\n"), [GET, "", ""]),
    ]
}

fn sizes() -> Vec<Case> {
    let many = |count| "X-More: 1\r\n".repeat(count);
    vec![
        refused("a line of 33 kB", 431, get(&format!("X-Long: {}\r\n", "x".repeat(33_000)))),
        refused("70 lines", 431, get(&many(70))),
        refused("300 lines", 400, get(&many(300))),
        refused("a header of 2 MB", 400, get(&format!("X-Long: {}\r\n", "x".repeat(2_000_000)))),
        refused("a target of 33 kB", 431, super::case::target(&format!("/{}", "x".repeat(33_000)))),
    ]
}
