//! Hostile requests, byte by byte: for each the exact answer, and exactly what the upstream saw of it.

mod case;
mod connections;
mod framing;
mod headers;
mod lines;
mod targets;

use std::time::Duration;

use metering::Status;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::house::{Account, House, Seen, bearer};
use case::{After, Case, Forwarded};

/// Enough for every case together.
const CREDITS: u64 = 1_000;
/// A connection on which nothing came for so long is neither answered nor closed.
const SILENCE: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
async fn every_hostile_request_gets_its_one_answer_and_the_upstream_sees_what_was_admitted() {
    let cases = [framing::cases(), headers::cases(), lines::cases(), targets::cases(), connections::cases()].concat();
    assert!(cases.len() >= 70, "the corpus has {} cases", cases.len());
    let mut house = House::start().await;
    let account = house.account(Status::Active, CREDITS).await;
    let (mut wrong, mut drawn) = (Vec::new(), 0);
    for case in cases {
        let before = house.upstream.seen().len();
        let told = tell(&house, &account, &case).await;
        let awaited = before + usize::from(!matches!(case.forwarded, Forwarded::Nothing));
        house.upstream.until_seen(awaited).await;
        let seen = house.upstream.seen().split_off(before);
        let seen: Vec<String> = seen.iter().map(|seen| normal(seen, &house, &account)).collect();
        let due = (case.expected_answers(), case.after, case.expected_requests());
        let got = (told.statuses, told.after, seen);
        if got != due {
            wrong.push(format!("{}\n  due {due:?}\n  got {got:?}", case.name));
            drawn = CREDITS - house.remaining(&account).await;
            continue;
        }
        // A request that broke off after it was drawn for is given back, a moment after its answer.
        drawn += u64::from(case.draws());
        house.until_remaining(&account, CREDITS - drawn).await;
    }
    assert!(wrong.is_empty(), "{} cases differ\n{}", wrong.len(), wrong.join("\n"));
}

struct Told {
    statuses: Vec<u16>,
    after: After,
}

/// Sends the case on a connection of its own. A connection that shall live on is proven to live by one more request.
async fn tell(house: &House, account: &Account, case: &Case) -> Told {
    let mut stream = TcpStream::connect(("127.0.0.1", house.gateway.port)).await.unwrap();
    // The gateway may close before it has read everything.
    stream.write_all(&case.bytes(&bearer(&account.key))).await.ok();
    let mut bytes = Vec::new();
    let mut state = Read::More;
    if case.after == After::GoesOn {
        while state == Read::More && statuses(&bytes).len() < case.expected_answers().len() {
            state = read(&mut stream, &mut bytes).await;
        }
        stream.write_all(b"GET /v1/credits HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.ok();
    }
    while state == Read::More {
        state = read(&mut stream, &mut bytes).await;
    }
    let mut statuses = statuses(&bytes);
    // The last word is the answer to the one more request, which bears no key.
    let went_on = case.after == After::GoesOn && statuses.pop_if(|status| *status == 401).is_some();
    let after = match state {
        Read::Nothing => After::Silent,
        _ if went_on => After::GoesOn,
        _ => After::Closed,
    };
    Told { statuses, after }
}

#[derive(PartialEq, Eq)]
enum Read {
    More,
    End,
    Nothing,
}

async fn read(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Read {
    match tokio::time::timeout(SILENCE, stream.read_buf(bytes)).await {
        Ok(Ok(1..)) => Read::More,
        Ok(_) => Read::End,
        Err(_) => Read::Nothing,
    }
}

/// The statuses of all whole answers; every answer of the test upstream and of the gateway has a length.
fn statuses(mut bytes: &[u8]) -> Vec<u16> {
    let mut statuses = Vec::new();
    while let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
        let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
        let Some(rest) = bytes.get(end + 4 + length..) else { break };
        statuses.extend(head.split(' ').nth(1).and_then(|status| status.parse::<u16>().ok()));
        bytes = rest;
    }
    statuses
}

/// What the upstream saw, as the table writes it: without the lines that are the gateway's own, each of which must be there once.
fn normal(seen: &Seen, house: &House, account: &Account) -> String {
    let host = house.upstream.url().replace("http://", "");
    let lines = seen.head.lines().skip(1).map(|line| {
        let (name, value) = line.split_once(": ").unwrap_or((line, ""));
        format!("{}: {value}", name.to_ascii_lowercase())
    });
    let mut lines: Vec<String> = lines.collect();
    let account_lines =
        [format!("tollgate-account: {}", account.id), format!("tollgate-key-id: {}", account.key_image.key)];
    let every =
        ["x-forwarded-host: a", "x-forwarded-proto: http", "request-id: ", "traceparent: 00-"].map(str::to_owned);
    let owned = [format!("host: {host}"), "x-forwarded-for: 127.0.0.1".to_owned()].into_iter().chain(every);
    let owned = owned.chain(account_lines.into_iter().filter(|_| !seen.line().contains(" /open ")));
    let drawn = "tollgate-price-drawn: 1".to_owned();
    let priced = ["POST /v1/messages", "GET /v1/priced"].iter().any(|line| seen.line().starts_with(line));
    let owned = owned.chain(priced.then_some(drawn));
    let mut missing = Vec::new();
    for own in owned {
        match lines.iter().position(|line| line.starts_with(&own)) {
            Some(at) => drop(lines.remove(at)),
            None => missing.push(own),
        }
    }
    let own = if missing.is_empty() { String::new() } else { format!("WITHOUT {missing:?} ") };
    let end = if seen.whole { "" } else { " (broken off)" };
    lines.sort_unstable();
    format!("{own}{} [{}] {:?}{end}", seen.line(), lines.join(", "), String::from_utf8_lossy(&seen.body))
}
