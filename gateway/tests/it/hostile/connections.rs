//! More than one request, or none, on a connection: pipelines, upgrades, tunnels, methods about the way itself.

use super::case::{Case, get, post, refused, served};

const GET: &str = "GET /v1/artifacts/7";
const POST: &str = "POST /v1/messages";
const HANDSHAKE: &str = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const SOCKET: &str = "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==, sec-websocket-version: 13";
const SECOND: &str = "GET /v1/priced HTTP/1.1\r\nHost: a\r\nAuthorization: {key}\r\n\r\n";

pub fn cases() -> Vec<Case> {
    let line = |line: &str| format!("{line}\r\nHost: a\r\nAuthorization: {{key}}\r\n\r\n");
    let then = |first: Vec<u8>, second: &str| [first, second.as_bytes().to_vec()].concat();
    vec![
        served("a second request in the same bytes", then(get(""), SECOND), [GET, "", ""]),
        served(
            "a second request behind a body",
            then(post("Content-Length: 2\r\n", "{}"), SECOND),
            [POST, "content-length: 2", "{}"],
        ),
        served(
            "a second request behind chunks",
            then(post("Transfer-Encoding: chunked\r\n", "2\r\n{}\r\n0\r\n\r\n"), SECOND),
            [POST, "transfer-encoding: chunked", "2\r\n{}\r\n0\r\n\r\n"],
        ),
        served("an upgrade to a WebSocket", get(HANDSHAKE), [GET, SOCKET, ""]).goes_on(),
        served("an upgrade and a request in the same bytes", then(get(HANDSHAKE), SECOND), [GET, SOCKET, ""]),
        served(
            "an upgrade with a body",
            post(&format!("{HANDSHAKE}Content-Length: 2\r\n"), "{}"),
            [POST, "content-length: 2, sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==, sec-websocket-version: 13", "{}"],
        )
        .goes_on(),
        served(
            "an upgrade to HTTP/2",
            get("Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"),
            [GET, "", ""],
        )
        .goes_on(),
        served("an upgrade to TLS", get("Upgrade: TLS/1.0\r\nConnection: Upgrade\r\n"), [GET, "", ""]).goes_on(),
        refused("a tunnel", 405, "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\nAuthorization: {key}\r\n\r\n"),
        refused("a tunnel to a path", 405, line("CONNECT /v1/artifacts/7 HTTP/1.1")),
        refused("TRACE", 404, line("TRACE /v1/artifacts/7 HTTP/1.1")).goes_on(),
        refused("OPTIONS of everything", 400, line("OPTIONS * HTTP/1.1")),
        refused("OPTIONS of a path", 404, line("OPTIONS /v1/artifacts/7 HTTP/1.1")).goes_on(),
        served(
            "keep-alive in HTTP/1.0",
            "GET /open HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n",
            ["GET /open", "", ""],
        )
        .goes_on(),
        served("HTTP/1.0 and no more", "GET /open HTTP/1.0\r\nHost: a\r\n\r\n", ["GET /open", "", ""]),
        served("an expectation of another kind", get("Expect: money\r\n"), [GET, "expect: money", ""]).goes_on(),
    ]
}
