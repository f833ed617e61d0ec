//! An API key is known to its holder only: it stands in no log, no metric, no Redis and no Postgres, whatever is done with it.

use std::path::Path;

use metering::Status;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::stack::{Call, Customer, Plan, Stack, wait_until};

/// The shown beginning of a key is no secret; any other part of this length is.
const SHOWN: usize = 12;
const PART: usize = 16;

/// Everything that must not hold a key, by name.
async fn everything_written(stack: &Stack) -> Vec<(String, Vec<u8>)> {
    let mut written = Vec::new();
    let programs =
        stack.gateways.iter().map(|gateway| &gateway.program).chain(stack.syncs.iter().map(|sync| &sync.program));
    for program in programs {
        written.push((format!("{}'s metrics", program.name()), program.metrics().await.into_bytes()));
        written.push((format!("{}'s log", program.name()), program.log().into_bytes()));
    }
    let postgres = stack.postgres.as_ref().unwrap();
    written.push(("Postgres' log".to_owned(), postgres.log().into_bytes()));
    written.push(("the book".to_owned(), postgres.dump().into_bytes()));
    stack.redis.command(&["SAVE"]);
    read_all(stack.redis.directory(), &mut written);
    read_all(&stack.directory.path().join("journal-0"), &mut written);
    written
}

fn read_all(directory: &Path, written: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_all(&path, written);
        } else {
            written.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
}

/// Where a part of the secret stands, as it is or in hex.
fn leaks(key: &str, written: &[(String, Vec<u8>)]) -> Vec<String> {
    let secret = &key.as_bytes()[SHOWN..];
    let hex = secret.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    let mut found = Vec::new();
    for (name, bytes) in written {
        for part in secret.windows(PART).chain(hex.as_bytes().windows(2 * PART)) {
            if let Some(place) = bytes.windows(part.len()).position(|window| window == part) {
                let line = bytes[..place].rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
                found.push(format!("{name} holds it after: {}", String::from_utf8_lossy(line)));
                break;
            }
        }
    }
    found
}

/// Writes bytes that are no proper request, and reads whatever comes back.
async fn write_raw(stack: &Stack, text: &str) -> String {
    let mut stream = TcpStream::connect(stack.gateways[0].address()).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await; // a reset is an answer, too
    String::from_utf8_lossy(&answer).into_owned()
}

/// Everything a caller may do with a key, well or badly.
async fn use_it_all_ways(stack: &Stack, ada: &Customer) {
    let key = &ada.key;
    for call in [
        Call::chat(),
        Call::stream(),
        Call::get("/v1/credits"),
        Call::get(&format!("/v1/usage?api_key={key}")),
        Call::get(&format!("/v1/artifacts/{key}")),
        Call::get(&format!("/nowhere/{key}")),
        Call::get(&format!("/v1/artifacts/%2f{key}")),
        Call::post("/v1/messages", key),
        Call::batch(key),
        Call::chat().header("x-api-key", key),
        Call::chat().header("cookie", key),
        Call::chat().header("traceparent", key),
        Call::chat().on("gone"),
        Call::chat().on("hasty").fault("silence"),
        Call::chat().fault("cut"),
        Call::chat().fault("refuse"),
        Call::chat().header("x-large", format!("{key}{}", "x".repeat(40_000))),
    ] {
        stack.send(key, call).await;
    }
    for head in [
        format!("POST /v1/messages HTTP/1.1\r\nHost: any\r\nAuthorization: Bearer {key}\r\nbroken line\r\n\r\n"),
        format!("POST /v1/messages HTTP/1.1\r\nHost: any\r\nAuthorization : Bearer {key}\r\n\r\n"),
        format!("POST /v1/messages HTTP/1.1\r\nHost: any\r\nAuthorization: Bearer {key}\0\r\n\r\n"),
        format!("POST /v1/messages HTTP/9.9\r\nHost: any\r\nAuthorization: Bearer {key}\r\n\r\n"),
        format!("{key} /v1/messages HTTP/1.1\r\nHost: any\r\n\r\n"),
        format!("GET {key} HTTP/1.1\r\nHost: any\r\n\r\n"),
        format!("GET /v1/usage HTTP/1.1\r\nHost: {key}\r\nAuthorization: Bearer {key}\r\n\r\n"),
        format!("GET /v1/usage HTTP/1.1\r\nHost: any\r\nAuthorization: Bearer {key}\r\nContent-Length: {key}\r\n\r\n"),
        format!(
            "GET /v1/usage HTTP/1.1\r\nHost: any\r\nAuthorization: Bearer {key}\r\nTransfer-Encoding: {key}\r\n\r\n"
        ),
        format!(
            "POST /v1/messages HTTP/1.1\r\nHost: any\r\nAuthorization: Bearer {key}\r\nTransfer-Encoding: chunked\r\n\r\n{key}\r\n"
        ),
        format!("POST /v1/messages HTTP/1.1\r\nHost: any\r\nAuthorization: Bearer {key}"),
        format!("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n{key}"),
        key.clone(),
    ] {
        write_raw(stack, &head).await;
    }
}

#[tokio::test]
async fn a_key_leaves_no_trace_even_where_everything_is_logged() {
    let mut stack = Stack::with(Plan {
        own_postgres: true,
        gateway_settings: "log.level = \"trace\"",
        sync_settings: "log.level = \"trace\"",
        ..Plan::default()
    })
    .await;
    let ada = stack.customer(1000).await;
    use_it_all_ways(&stack, &ada).await;
    let mistyped: String =
        ada.key.char_indices().map(|(place, letter)| if place == 40 { '0' } else { letter }).collect();
    for call in [Call::chat(), Call::get("/v1/usage")] {
        stack.send(&mistyped, call).await;
    }
    stack.set_status(ada.account, Status::Suspended).await;
    stack.wait_carried().await;
    use_it_all_ways(&stack, &ada).await;
    stack.redis.kill();
    use_it_all_ways(&stack, &ada).await;
    stack.redis.start_again();
    stack.set_status(ada.account, Status::Active).await;
    stack.revoke(ada.key_id).await;
    wait_until("the key is refused", async || stack.send(&ada.key, Call::chat()).await.status == 401).await;
    use_it_all_ways(&stack, &ada).await;
    stack.audit().await;

    let written = everything_written(&stack).await;
    let log = written.iter().find(|(name, _)| name == "gateway-0's log").unwrap();
    assert!(
        !leaks(&format!("{:SHOWN$}meter_unavailable", ""), std::slice::from_ref(log)).is_empty(),
        "it finds what is there"
    );
    let found = [leaks(&ada.key, &written), leaks(&mistyped, &written)].concat();
    assert!(found.is_empty(), "{}", found.join("\n"));
}
