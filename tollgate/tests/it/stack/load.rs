//! Many callers at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;

use super::{Answer, Call, Customer, Reply, Stack, Tally};

/// What each caller of a load does between two calls.
const PAUSE: Duration = Duration::from_millis(5);

/// Callers that go on until they are stopped.
pub struct Load {
    over: Arc<AtomicBool>,
    served: Arc<AtomicUsize>,
    callers: JoinSet<Vec<Reply>>,
}

impl Load {
    /// How many calls were served so far.
    pub fn served(&self) -> usize {
        self.served.load(Ordering::Relaxed)
    }

    /// Waits until this many more calls were served.
    pub async fn wait_served(&self, more: usize) {
        let goal = self.served() + more;
        super::wait_until(&format!("{more} more calls are served"), async || self.served() >= goal).await;
    }

    /// Lets every call come to its end.
    pub async fn stop(self) -> Tally {
        self.over.store(true, Ordering::Relaxed);
        Tally { replies: self.callers.join_all().await.concat() }
    }
}

impl Stack {
    /// Starts `callers` who chat one message after the other, each through the next gateway.
    pub fn load(&self, customer: &Customer, callers: usize) -> Load {
        self.load_of(customer, callers, vec![Call::chat()])
    }

    /// The same with calls of your choice, in turn.
    pub fn load_of(&self, customer: &Customer, callers: usize, calls: Vec<Call>) -> Load {
        let calls = Arc::new(calls);
        let (over, served) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let mut set = JoinSet::new();
        for caller in 0..callers {
            let (over, served, line) = (Arc::clone(&over), Arc::clone(&served), self.line(&customer.key));
            let calls = Arc::clone(&calls);
            set.spawn(async move {
                let mut replies = Vec::new();
                while !over.load(Ordering::Relaxed) {
                    let turn = caller + replies.len();
                    let reply = line.reply(calls[turn % calls.len()].clone().via(turn)).await;
                    served.fetch_add(usize::from(reply.what == "200"), Ordering::Relaxed);
                    replies.push(reply);
                    tokio::time::sleep(PAUSE).await;
                }
                replies
            });
        }
        Load { over, served, callers: set }
    }

    /// `total` calls by `callers` at once, through all gateways in turn; each is answered.
    pub async fn race(&self, key: &str, call: &Call, total: usize, callers: usize) -> Tally {
        let next = Arc::new(AtomicUsize::new(0));
        let mut set = JoinSet::new();
        for _ in 0..callers {
            let (line, call, next) = (self.line(key), call.clone(), Arc::clone(&next));
            set.spawn(async move {
                let mut replies = Vec::new();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= total {
                        return replies;
                    }
                    replies.push(line.reply(call.clone().via(number)).await);
                }
            });
        }
        Tally { replies: set.join_all().await.concat() }
    }

    fn line(&self, key: &str) -> Line {
        Line { http: self.http.clone(), gateways: self.urls(), key: key.to_owned() }
    }
}

/// What a caller needs to call.
struct Line {
    http: reqwest::Client,
    gateways: Vec<String>,
    key: String,
}

impl Line {
    async fn reply(&self, call: Call) -> Reply {
        match call.request(&self.http, &self.gateways, Some(&self.key)).send().await {
            Ok(response) => Reply::of(Ok(&Answer::read(response).await)),
            Err(error) => Reply::of(Err(&error)),
        }
    }
}
