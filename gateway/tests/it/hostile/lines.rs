//! The bytes between the lines: line ends, folds, control characters, request lines that are none.

use super::case::{Case, get, refused, served};

pub fn cases() -> Vec<Case> {
    [header_lines(), request_lines()].concat()
}

fn header_lines() -> Vec<Case> {
    vec![
        refused("a folded line", 400, get("X-Own: 1\r\n 2\r\n")),
        refused("a line folded with a tab", 400, get("X-Own: 1\r\n\t2\r\n")),
        refused("a bare CR in a value", 400, get("X-Own: 1\r2\r\n")),
        refused("a bare CR as a line's end", 400, get("X-Own: 1\rX-Other: 2\r\n")),
        refused("a bare LF as a line's end", 400, get("X-Own: 1\nX-Other: 2\r\n")),
        refused("bare LFs everywhere", 400, "GET /v1/artifacts/7 HTTP/1.1\nHost: a\nAuthorization: {key}\n\n"),
        refused("a NUL in a value", 400, get("X-Own: 1\0 2\r\n")),
        refused("a NUL in a name", 400, get("X-O\0wn: 1\r\n")),
        refused("a control character in a value", 400, get("X-Own: \u{1}\r\n")),
        refused("a DEL in a value", 400, get("X-Own: \u{7f}\r\n")),
        refused("a space in a name", 400, get("X Own: 1\r\n")),
        refused("a space before the colon", 400, get("X-Own : 1\r\n")),
        refused("a name beyond ASCII", 400, get("X-\u{e9}: 1\r\n")),
        refused("a line without a name", 400, get(": 1\r\n")),
        refused("a line without a colon", 400, get("nonsense\r\n")),
        refused("a space before the first line", 400, "GET /v1/artifacts/7 HTTP/1.1\r\n Host: a\r\n\r\n"),
        served("a value beyond ASCII", get("X-Own: \u{e9}\r\n"), ["GET /v1/artifacts/7", "x-own: \u{e9}", ""])
            .goes_on(),
    ]
}

fn request_lines() -> Vec<Case> {
    let line = |line: &str| format!("{line}\r\nHost: a\r\nAuthorization: {{key}}\r\n\r\n");
    vec![
        refused("two spaces in the request line", 400, line("GET  /v1/artifacts/7 HTTP/1.1")),
        refused("a tab in the request line", 400, line("GET\t/v1/artifacts/7\tHTTP/1.1")),
        refused("a space at the end of the request line", 400, line("GET /v1/artifacts/7 HTTP/1.1 ")),
        // The parser escapes it before anybody reads the target.
        served("a space in the target", line("GET /v1/artifacts/7 8 HTTP/1.1"), ["GET /v1/artifacts/7%208", "", ""])
            .goes_on(),
        refused("a bare CR in the target", 400, line("GET /v1/artifacts/7\r8 HTTP/1.1")),
        refused("a NUL in the target", 400, line("GET /v1/artifacts/7\0x8 HTTP/1.1")),
        refused("a second version in the target", 400, line("GET /v1/artifacts/7 HTTP/1.1 HTTP/1.1")),
        refused("a space before the method", 400, line(" GET /v1/artifacts/7 HTTP/1.1")),
        refused("HTTP/0.9", 400, "GET /open\r\n\r\n"),
        refused("HTTP/1.2", 400, line("GET /open HTTP/1.2")),
        refused("HTTP/2.0 in words", 400, line("GET /open HTTP/2.0")),
        refused("the version in small letters", 400, line("GET /open http/1.1")),
        refused("no method", 400, line("/open HTTP/1.1")),
        refused("the preface of HTTP/2", 400, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        refused("a hello of TLS", 400, *b"\x16\x03\x01\x00\xf4\x01\x00\x00\xf0\x03\x03\r\n\r\n"),
        refused("bytes of chance", 400, *b"\xff\xfe\x00\x80\r\n\r\n"),
        refused("the method in small letters", 404, line("get /open HTTP/1.1")).goes_on(),
        refused("a method unheard of", 404, line("MONEY /open HTTP/1.1")).goes_on(),
        served("an empty line before the request", "\r\nGET /open HTTP/1.1\r\nHost: a\r\n\r\n", ["GET /open", "", ""])
            .goes_on(),
    ]
}
