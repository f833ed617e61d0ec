//! A WebSocket whose messages have a price: each of the caller's is drawn for before it goes on.

use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use metering::{Change, Status};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::house::{Account, HANDSHAKE_TIME, House, PATIENCE, bearer, until};

const HANDSHAKE: &str = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
                         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const MASK: [u8; 4] = [9, 8, 7, 6];

/// Takes every handshake, remembers what it hears, and says what it is told to.
struct Talker {
    port: u16,
    heard: Arc<Mutex<Vec<u8>>>,
    says: mpsc::UnboundedSender<Vec<u8>>,
    _tasks: JoinSet<()>,
}

impl Talker {
    async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::<Mutex<Vec<u8>>>::default();
        let (says, mut told) = mpsc::unbounded_channel::<Vec<u8>>();
        let remembered = heard.clone();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut asked = Vec::new();
                while !asked.ends_with(b"\r\n\r\n") {
                    asked.push(stream.read_u8().await.unwrap());
                }
                tokio::time::sleep(HANDSHAKE_TIME).await;
                let taken = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
                stream.write_all(taken.as_bytes()).await.unwrap();
                let mut buffer = [0; 4096];
                loop {
                    tokio::select! {
                        read = stream.read(&mut buffer) => match read {
                            Ok(length @ 1..) => remembered.lock().unwrap().extend_from_slice(&buffer[..length]),
                            _ => break,
                        },
                        Some(bytes) = told.recv() => drop(stream.write_all(&bytes).await),
                    }
                }
            }
        });
        Self { port, heard, says, _tasks: tasks }
    }

    fn settings(&self) -> String {
        format!("[upstreams.group]\nservers = [{{ url = \"http://127.0.0.1:{}\" }}]\n", self.port)
    }

    async fn until_heard(&self, wanted: &[u8]) {
        let heard = || self.heard.lock().unwrap().clone();
        until(&format!("{wanted:?} is heard"), || heard().len() >= wanted.len()).await;
        assert_eq!(heard(), wanted);
    }
}

/// A frame of a caller.
fn frame(first: u8, text: &str) -> Vec<u8> {
    let masked = text.bytes().zip(MASK.iter().cycle()).map(|(byte, key)| byte ^ key);
    [0x80 | first, 0x80 | u8::try_from(text.len()).unwrap()].into_iter().chain(MASK).chain(masked).collect()
}

fn part(opcode: u8, text: &str) -> Vec<u8> {
    let mut frame = frame(opcode, text);
    frame[0] &= 0x7f;
    frame
}

/// The code and the reason of a Close frame at the end of what was heard, and what stood before it.
fn split_close(heard: &[u8], masked: bool) -> (Vec<u8>, u16, String) {
    let begins = if masked { 6 } else { 2 };
    let is_close = |at: &usize| {
        heard[*at] == 0x88
            && heard.get(at + 1).is_some_and(|length| at + begins + usize::from(length & 0x7f) == heard.len())
    };
    let at = (0..heard.len()).find(is_close).unwrap_or_else(|| panic!("no Close frame ends {heard:?}"));
    let (before, close) = heard.split_at(at);
    assert_eq!(close[1] & 0x80 != 0, masked);
    let payload = &close[begins..];
    let key = if masked { &close[2..6] } else { &[0; 4] };
    let plain: Vec<u8> = payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
    (before.to_vec(), u16::from_be_bytes([plain[0], plain[1]]), String::from_utf8_lossy(&plain[2..]).into_owned())
}

async fn open(house: &House, account: &Account) -> TcpStream {
    let key = bearer(&account.key);
    let request = format!("GET /v1/talk HTTP/1.1\r\nHost: a\r\nAuthorization: {key}\r\n{HANDSHAKE}\r\n");
    let mut stream = TcpStream::connect(("127.0.0.1", house.gateway.port)).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(tokio::time::timeout(PATIENCE, stream.read_u8()).await.unwrap().unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&head));
    stream
}

async fn hear(house: &House, stream: &mut TcpStream, length: usize) -> Vec<u8> {
    let mut heard = vec![0; length];
    let read = tokio::time::timeout(PATIENCE, stream.read_exact(&mut heard)).await.expect("something comes");
    read.unwrap_or_else(|error| panic!("{error} after {heard:?}\n{}", house.gateway.log()));
    heard
}

/// The connection ends, and nothing more is heard.
async fn until_ended(stream: &mut TcpStream) {
    let mut rest = Vec::new();
    tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest)).await.expect("the connection ends").ok();
    assert_eq!(rest, b"");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_message_draws_its_price_and_passes_unchanged() {
    let talker = Talker::start().await;
    let mut house = House::start_with(&talker.settings()).await;
    let account = house.account(Status::Active, 10).await;
    let mut stream = open(&house, &account).await;
    assert_eq!(house.remaining(&account).await, 9);
    // One message in two parts with a ping between them, byte by byte.
    let in_parts = [part(1, "hel"), frame(9, "ping"), frame(0, "lo")].concat();
    for byte in &in_parts {
        stream.write_all(&[*byte]).await.unwrap();
        stream.flush().await.unwrap();
    }
    talker.until_heard(&in_parts).await;
    assert_eq!(house.remaining(&account).await, 7);
    let two = [frame(2, "a"), frame(10, ""), frame(1, "")].concat();
    stream.write_all(&two).await.unwrap();
    talker.until_heard(&[&in_parts[..], &two].concat()).await;
    assert_eq!(house.remaining(&account).await, 3);
    // What the upstream says is free.
    talker.says.send(b"\x81\x02hi".to_vec()).unwrap();
    assert_eq!(hear(&house, &mut stream, 4).await, b"\x81\x02hi");
    drop(stream);
    until("the log line", || house.gateway.request_lines().len() == 1).await;
    let line = &house.gateway.request_lines()[0];
    assert_eq!((&line["status"], &line["messages"]), (&101.into(), &3.into()), "{line}");
    assert_eq!((&line["credits"], &line["remaining"]), (&7.into(), &3.into()), "{line}");
    assert_eq!(house.gateway.metric("tollgate_gateway_websocket_messages_total").await, 3);
    assert_eq!(house.gateway.metric("tollgate_gateway_debits_total{outcome=\"drawn\"}").await, 4);
    house.until_remaining(&account, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_can_not_be_paid_ends_the_connection_on_both_sides() {
    let talker = Talker::start().await;
    let mut house = House::start_with(&talker.settings()).await;
    let account = house.account(Status::Active, 4).await;
    let mut stream = open(&house, &account).await;
    let (paid, unpaid) = (frame(1, "paid"), frame(1, "unpaid"));
    stream.write_all(&[&paid[..], &unpaid, &paid].concat()).await.unwrap();
    let wanted = "credits_exhausted";
    let (before, code, reason) = split_close(&hear(&house, &mut stream, 4 + wanted.len()).await, false);
    assert_eq!((before.as_slice(), code, reason.as_str()), (&b""[..], 1008, wanted));
    until("the upstream is told", || talker.heard.lock().unwrap().len() == paid.len() + 8 + wanted.len()).await;
    let (before, code, reason) = split_close(&talker.heard.lock().unwrap().clone(), true);
    assert_eq!((before, code, reason.as_str()), (paid, 1008, wanted));
    // The caller's answer, which ends it.
    stream.write_all(&frame(8, "")).await.unwrap();
    until_ended(&mut stream).await;
    until("the log line", || house.gateway.request_lines().len() == 1).await;
    let line = &house.gateway.request_lines()[0];
    assert_eq!((&line["status"], &line["code"], &line["messages"]), (&101.into(), &wanted.into(), &1.into()), "{line}");
    house.until_remaining(&account, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_caller_is_told_of_the_end_only_between_two_frames_of_the_upstream() {
    let talker = Talker::start().await;
    let mut house = House::start_with(&talker.settings()).await;
    let account = house.account(Status::Active, 1).await;
    let mut stream = open(&house, &account).await;
    talker.says.send(b"\x81\x06abc".to_vec()).unwrap();
    assert_eq!(hear(&house, &mut stream, 5).await, b"\x81\x06abc");
    stream.write_all(&frame(1, "unpaid")).await.unwrap();
    until("the upstream is told", || !talker.heard.lock().unwrap().is_empty()).await;
    talker.says.send(b"def\x81\x04more".to_vec()).unwrap();
    let heard = hear(&house, &mut stream, 3 + 4 + "credits_exhausted".len()).await;
    let (before, code, _) = split_close(&heard, false);
    assert_eq!((before.as_slice(), code), (&b"def"[..], 1008));
    talker.says.send(b"\x81\x04more".to_vec()).unwrap();
    stream.write_all(&frame(8, "")).await.unwrap();
    until_ended(&mut stream).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_that_could_hide_a_message_end_the_connection_and_draw_nothing() {
    let talker = Talker::start().await;
    let mut house = House::start_with(&talker.settings()).await;
    let account = house.account(Status::Active, 10).await;
    for (number, wrong) in (1..).zip([
        vec![0x81, 1, b'a'],
        frame(0, "a part of nothing"),
        frame(3, "reserved"),
        part(9, "a ping in parts"),
        vec![0x81, 0xfe, 0, 125],
        [part(1, "a"), frame(1, "b")].concat(),
    ]) {
        talker.heard.lock().unwrap().clear();
        let mut stream = open(&house, &account).await;
        let before = house.remaining(&account).await;
        stream.write_all(&wrong).await.unwrap();
        let (_, code, reason) = split_close(&hear(&house, &mut stream, 4 + "bad_request".len()).await, false);
        assert_eq!((code, reason.as_str()), (1002, "bad_request"));
        stream.write_all(&frame(8, "")).await.unwrap();
        until_ended(&mut stream).await;
        // Only the last has begun a message that was one.
        assert_eq!(house.remaining(&account).await, if number == 6 { before - 2 } else { before }, "{wrong:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_whose_debit_is_not_answered_does_not_go_on_and_is_undone() {
    let talker = Talker::start().await;
    let mut house = House::start_with(&talker.settings()).await;
    let account = house.account(Status::Active, 10).await;
    let mut stream = open(&house, &account).await;
    let signal = |name: &str| {
        let pid = house.redis.pid().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    };
    signal("STOP");
    stream.write_all(&frame(1, "hello")).await.unwrap();
    let (_, code, reason) = split_close(&hear(&house, &mut stream, 4 + "meter_unavailable".len()).await, false);
    signal("CONT");
    assert_eq!((code, reason.as_str()), (1013, "meter_unavailable"));
    until("the upstream is told", || !talker.heard.lock().unwrap().is_empty()).await;
    assert_eq!(split_close(&talker.heard.lock().unwrap().clone(), true).0, b"", "nothing of the message went on");
    drop(stream);
    let started = Instant::now();
    let is_undo = |event: &metering::Event| matches!(&event.body, metering::Body::Undo { .. });
    while !house.stage.events(&account.id).await.iter().any(is_undo) {
        assert!(started.elapsed() < PATIENCE, "no undo\n{}", house.gateway.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(house.gateway.metric("tollgate_gateway_websocket_messages_total").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stops_requests_stops_the_messages_of_an_open_connection() {
    let talker = Talker::start().await;
    let mut house = House::start_with(&talker.settings()).await;
    let mut held = house.account(Status::Active, 10).await;
    let policy = r#"{"rates":[{"name":"hour","count":2,"per_ms":3600000}]}"#;
    held.key_image.policy = serde_json::from_str(policy).unwrap();
    house.stage.put_key(held.key_image.clone()).await;
    let stopped = house.account(Status::Active, 10).await;
    for (account, code, left) in [(&held, "rate_limited", 7), (&stopped, "account_suspended", 7)] {
        talker.heard.lock().unwrap().clear();
        let mut stream = open(&house, account).await;
        stream.write_all(&frame(1, "paid")).await.unwrap();
        talker.until_heard(&frame(1, "paid")).await;
        if code == "account_suspended" {
            house.stage.control(account.id, Change::StatusSet { status: Status::Suspended }).await;
        }
        stream.write_all(&frame(1, "more")).await.unwrap();
        let (_, close, reason) = split_close(&hear(&house, &mut stream, 4 + code.len()).await, false);
        assert_eq!((close, reason.as_str()), (1008, code));
        stream.write_all(&frame(8, "")).await.unwrap();
        until_ended(&mut stream).await;
        house.until_remaining(account, left).await;
    }
}
