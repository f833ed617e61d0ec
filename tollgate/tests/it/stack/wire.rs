//! The wire between gateways and Redis: it passes every byte on as it is, but loses the answers of chosen calls, or holds calls or answers up.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use metering::AccountId;
use metering::live::keys::head;
use metering::live::scripts::Script;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::Stack;

/// What befalls one call. A connection is one queue, so what comes behind it on the same connection is held up too.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// It is carried out; its connection breaks before the answer.
    AnswerLost,
    /// It is carried out; its answer comes that much later.
    AnswerLate(Duration),
    /// It is carried out that much later.
    CallLate(Duration),
}

#[derive(Default)]
struct Rules {
    /// Digest of a script and tag of a shard, what befalls the next calls that name both, how many of them.
    next: Vec<([String; 2], Fault, usize)>,
    struck: usize,
}

impl Rules {
    fn strike(&mut self, call: &[u8]) -> Option<Fault> {
        let named = |word: &String| call.windows(word.len()).any(|part| part == word.as_bytes());
        let (_, fault, left) = self.next.iter_mut().find(|(words, _, left)| *left > 0 && words.iter().all(named))?;
        (*left, self.struck) = (*left - 1, self.struck + 1);
        Some(*fault)
    }
}

pub struct Wire {
    port: u16,
    rules: Arc<Mutex<Rules>>,
    /// End with it.
    _tasks: JoinSet<()>,
}

impl Wire {
    pub async fn to(redis: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let (port, rules) = (listener.local_addr().unwrap().port(), Arc::<Mutex<Rules>>::default());
        let shared = Arc::clone(&rules);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut lines = JoinSet::new();
            while let Ok((gateway, _)) = listener.accept().await {
                // Redis may be away: then so is the wire.
                if let Ok(redis) = TcpStream::connect(("127.0.0.1", redis)).await {
                    lines.spawn(carry(gateway, redis, Arc::clone(&shared)));
                }
            }
        });
        Self { port, rules, _tasks: tasks }
    }

    /// How a gateway finds Redis over it.
    pub fn settings(&self) -> String {
        format!("redis.url = \"redis://127.0.0.1:{}\"\n", self.port)
    }

    /// How many calls a fault befell so far.
    pub fn struck(&self) -> usize {
        self.rules.lock().unwrap().struck
    }
}

impl Stack {
    /// The next `times` calls of a script for an account's shard are befallen by a fault.
    pub fn next_calls(&self, account: AccountId, script: Script, fault: Fault, times: usize) {
        let shard = account.shard(metering::ShardCount::new(4).unwrap());
        let text = script.text(&self.redis.text(&["HGET", &head(shard), "process"]));
        let digest = self.redis.text(&["EVAL", "return redis.sha1hex(ARGV[1])", "0", &text]);
        self.wire.as_ref().unwrap().rules.lock().unwrap().next.push(([digest, format!("{{{shard}}}")], fault, times));
    }
}

/// Both ways of one connection. Calls and answers come in the same order, so the fault of a call waits for its answer.
async fn carry(gateway: TcpStream, redis: TcpStream, rules: Arc<Mutex<Rules>>) {
    gateway.set_nodelay(true).ok(); // slower without, no more
    redis.set_nodelay(true).ok();
    let (calls, to_gateway) = gateway.into_split();
    let (answers, to_redis) = redis.into_split();
    let (sent, awaited) = mpsc::unbounded_channel();
    tokio::select! {
        () = pass_calls(calls, to_redis, sent, rules) => {}
        () = pass_answers(answers, to_gateway, awaited) => {}
    }
}

async fn pass_calls(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    sent: mpsc::UnboundedSender<Option<Fault>>,
    rules: Arc<Mutex<Rules>>,
) {
    let mut frames = Frames::default();
    while let Some(call) = frames.next(&mut from).await {
        let fault = rules.lock().unwrap().strike(&call);
        if let Some(Fault::CallLate(by)) = fault {
            sleep(by).await;
        }
        if sent.send(fault).is_err() || to.write_all(&call).await.is_err() {
            return;
        }
    }
}

async fn pass_answers(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut awaited: mpsc::UnboundedReceiver<Option<Fault>>,
) {
    let mut frames = Frames::default();
    while let Some(answer) = frames.next(&mut from).await {
        // What Redis says unasked answers nothing.
        if answer[0] != b'>' {
            match awaited.recv().await.flatten() {
                Some(Fault::AnswerLost) => return,
                Some(Fault::AnswerLate(by)) => sleep(by).await,
                Some(Fault::CallLate(_)) | None => {}
            }
        }
        if to.write_all(&answer).await.is_err() {
            return;
        }
    }
}

/// Whole calls and answers out of a stream of bytes.
#[derive(Default)]
struct Frames {
    read: VecDeque<u8>,
}

impl Frames {
    async fn next(&mut self, from: &mut OwnedReadHalf) -> Option<Vec<u8>> {
        loop {
            if let Some(length) = frame(self.read.make_contiguous()) {
                return Some(self.read.drain(..length).collect());
            }
            let mut more = vec![0; 16_384];
            let count = from.read(&mut more).await.ok().filter(|count| *count > 0)?;
            self.read.extend(&more[..count]);
        }
    }
}

/// The length of the first whole value of RESP, if it is there.
fn frame(bytes: &[u8]) -> Option<usize> {
    let line = bytes.windows(2).position(|two| two == b"\r\n")? + 2;
    let count = || std::str::from_utf8(&bytes[1..line - 2]).ok()?.parse::<i64>().ok();
    let parts = match bytes[0] {
        b'$' | b'=' | b'!' => {
            let whole = usize::try_from(count()?).map_or(line, |length| line + length + 2); // -1 is nothing
            return (bytes.len() >= whole).then_some(whole);
        }
        b'*' | b'~' | b'>' => count()?.max(0),
        b'%' => count()? * 2,
        _ => 0,
    };
    let mut length = line;
    for _ in 0..parts {
        length += frame(bytes.get(length..).filter(|rest| !rest.is_empty())?)?;
    }
    Some(length)
}
