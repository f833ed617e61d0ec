//! Where a body ends: lengths, transfer codings, chunks, trailers.

use super::case::{Case, broken_off, post, refused, served};

const POST: &str = "POST /v1/messages";
const CHUNKED: &str = "transfer-encoding: chunked";
const CHUNKS: &str = "2\r\n{}\r\n0\r\n\r\n";

pub fn cases() -> Vec<Case> {
    [lengths(), codings(), chunks()].concat()
}

fn lengths() -> Vec<Case> {
    let smuggled = format!("{CHUNKS}GET /v1/priced HTTP/1.1\r\nHost: a\r\n\r\n");
    vec![
        served(
            "a length before a coding",
            post("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", &smuggled),
            [POST, CHUNKED, CHUNKS],
        ),
        served(
            "a coding before a length",
            post("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", &smuggled),
            [POST, CHUNKED, CHUNKS],
        ),
        refused("two equal lengths", 400, post("Content-Length: 2\r\nContent-Length: 2\r\n", "{}")),
        refused("two different lengths", 400, post("Content-Length: 2\r\nContent-Length: 3\r\n", "{}")),
        refused("a list of lengths", 400, post("Content-Length: 2, 2\r\n", "{}")),
        refused("a length with a plus", 400, post("Content-Length: +2\r\n", "{}")),
        refused("a negative length", 400, post("Content-Length: -2\r\n", "{}")),
        refused("an empty length", 400, post("Content-Length:\r\n", "{}")),
        refused("a length in hex", 400, post("Content-Length: 0x2\r\n", "{}")),
        refused("a length with a fraction", 400, post("Content-Length: 2.0\r\n", "{}")),
        refused("a length beyond 64 bits", 400, post("Content-Length: 18446744073709551618\r\n", "{}")),
        refused("a length beyond the route's limit", 413, post("Content-Length: 1001\r\n", "{}")),
        refused("a length with a zero before it", 400, post("Content-Length: 02\r\n", "{}")),
        served(
            "more bytes than the length says",
            post("Content-Length: 2\r\n", "{}XX"),
            [POST, "content-length: 2", "{}"],
        ),
        served(
            "a body of HTTP/1.0",
            "POST /v1/messages HTTP/1.0\r\nHost: a\r\nAuthorization: {key}\r\nContent-Length: 2\r\n\r\n{}",
            [POST, "content-length: 2", "{}"],
        ),
        served(
            "a GET with a length",
            super::case::get("Content-Length: 2\r\nConnection: close\r\n")
                .into_iter()
                .chain(*b"{}")
                .collect::<Vec<u8>>(),
            ["GET /v1/artifacts/7", "content-length: 2", "{}"],
        ),
    ]
}

fn codings() -> Vec<Case> {
    let coded = |coding: &str| post(&format!("Transfer-Encoding: {coding}\r\n"), CHUNKS);
    vec![
        refused("an unknown coding", 400, coded("xchunked")),
        refused("a coding after chunked", 400, coded("chunked, identity")),
        refused("a coding twice in a line", 400, coded("chunked, chunked")),
        refused(
            "a coding on two lines",
            400,
            post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", CHUNKS),
        ),
        refused("a coding before a space and colon", 400, post("Transfer-Encoding : chunked\r\n", CHUNKS)),
        refused("a coding after a vertical tab", 400, coded("\u{b}chunked")),
        refused("a coding in quotes", 400, coded("\"chunked\"")),
        refused("an empty coding", 400, coded("")),
        refused("a coding on a folded line", 400, post("Transfer-Encoding:\r\n chunked\r\n", CHUNKS)),
        refused(
            "a coding in HTTP/1.0",
            400,
            format!(
                "POST /v1/messages HTTP/1.0\r\nHost: a\r\nAuthorization: {{key}}\r\nTransfer-Encoding: chunked\r\n\r\n{CHUNKS}"
            ),
        ),
        served("identity before chunked", coded("identity, chunked"), [POST, CHUNKED, CHUNKS]).goes_on(),
        served("a coding in capitals", coded("CHUNKED"), [POST, CHUNKED, CHUNKS]).goes_on(),
    ]
}

fn chunks() -> Vec<Case> {
    let chunked = |chunks: &str| post("Transfer-Encoding: chunked\r\n", chunks);
    let bad = |name, chunks| broken_off(name, 400, chunked(chunks), [POST, CHUNKED, ""]);
    vec![
        bad("a chunk size that is no number", "zz\r\n{}\r\n0\r\n\r\n"),
        bad("a negative chunk size", "-2\r\n{}\r\n0\r\n\r\n"),
        bad("a chunk size with 0x", "0x2\r\n{}\r\n0\r\n\r\n"),
        bad("a chunk size beyond 64 bits", "ffffffffffffffffff\r\n{}\r\n0\r\n\r\n"),
        // The parser takes it for the end, and the rest for trailers: one reading, here and behind.
        served("an empty chunk size", chunked("\r\n{}\r\n0\r\n\r\n"), [POST, CHUNKED, "0\r\n\r\n"]).goes_on(),
        bad("a chunk that ends in other bytes", "2\r\n{}xx0\r\n\r\n"),
        bad("chunk lines that end in a bare LF", "2\n{}\n0\n\n"),
        served("a chunk with an extension", chunked("2;a=b\r\n{}\r\n0\r\n\r\n"), [POST, CHUNKED, CHUNKS]).goes_on(),
        served(
            "a trailer that upstreams trust",
            chunked("2\r\n{}\r\n0\r\nTollgate-Account: acct_1\r\nX-Account-Id: 1\r\n\r\n"),
            [POST, CHUNKED, CHUNKS],
        )
        .goes_on(),
        served(
            "a trailer with another length",
            chunked("2\r\n{}\r\n0\r\nContent-Length: 100\r\n\r\n"),
            [POST, CHUNKED, CHUNKS],
        )
        .goes_on(),
    ]
}
