//! Callers who leave: they pay once the upstream has their request, and nobody pays for one it never got.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::stack::{CHAT, Customer, STREAM, Stack, Totals, wait_until};

/// One call, written by hand so that it can be left at any point.
struct Caller(TcpStream);

impl Caller {
    async fn sends(stack: &Stack, customer: &Customer, headers: &str, body: &str) -> Self {
        let (key, length) = (&customer.key, body.len());
        let text = format!("Authorization: Bearer {key}\r\nContent-Length: {length}\r\n{headers}\r\n{body}");
        Self::sends_raw(stack, &text).await
    }

    async fn sends_raw(stack: &Stack, text: &str) -> Self {
        let mut stream = TcpStream::connect(stack.gateways[0].address()).await.unwrap();
        stream.set_nodelay(true).unwrap();
        stream.write_all(format!("POST /v1/messages HTTP/1.1\r\n{text}").as_bytes()).await.unwrap();
        Self(stream)
    }

    async fn reads_until(&mut self, part: &str) -> String {
        let mut text = String::new();
        let mut piece = [0; 1024];
        while !text.contains(part) {
            let count = self.0.read(&mut piece).await.unwrap();
            assert!(count > 0, "the answer ended without {part}: {text}");
            text.push_str(std::str::from_utf8(&piece[..count]).unwrap());
        }
        text
    }

    /// Leaves like a program that was killed: without a word, or with a reset when bytes were left unread.
    fn hangs_up(self) {
        drop(self.0);
    }
}

async fn wait_sent(stack: &Stack, count: u64) {
    wait_until("the upstream has the request", async || stack.upstream.count().await == count).await;
}

/// After everything has come to its end.
async fn settled(stack: &Stack, customer: &Customer, remaining: u64) -> Totals {
    let totals = stack.audit().await;
    assert_eq!(stack.remaining(customer).await, remaining, "{totals:?}");
    totals
}

#[tokio::test]
async fn who_leaves_before_the_answer_pays() {
    let stack = Stack::start().await;
    let ada = stack.customer(5).await;
    let caller = Caller::sends(&stack, &ada, "Host: any\r\nPretend-Fault: delay=400\r\n", CHAT).await;
    wait_sent(&stack, 1).await;
    caller.hangs_up();
    assert_eq!(settled(&stack, &ada, 4).await.give_backs, 0);
    assert_eq!(stack.upstream.count().await, 1, "not asked again");
}

#[tokio::test]
async fn who_leaves_in_the_middle_of_a_stream_pays_once() {
    let stack = Stack::start().await;
    let ada = stack.customer(5).await;
    let shape = "Host: any\r\nPretend-Stream: chunks=6, gap=100\r\n";
    let mut caller = Caller::sends(&stack, &ada, shape, STREAM).await;
    caller.reads_until("data: {").await;
    caller.hangs_up();
    assert_eq!(settled(&stack, &ada, 4).await.give_backs, 0);

    // The same where the answer is long enough that nobody can have it all buffered.
    let shape = "Host: any\r\nPretend-Stream: chunks=20000, gap=0\r\n";
    let mut caller = Caller::sends(&stack, &ada, shape, STREAM).await;
    caller.reads_until("data: {").await;
    caller.hangs_up();
    assert_eq!(settled(&stack, &ada, 3).await.give_backs, 0);
    assert_eq!(stack.upstream.count().await, 2);
}

#[tokio::test]
async fn who_leaves_a_stream_that_the_upstream_has_left_before_does_not_pay() {
    let stack = Stack::start().await;
    let ada = stack.customer(5).await;
    let mut caller = Caller::sends(&stack, &ada, "Host: hasty.test\r\nPretend-Fault: cut\r\n", STREAM).await;
    let mut rest = Vec::new();
    let _ = caller.0.read_to_end(&mut rest).await; // however it ends
    caller.hangs_up();
    assert_eq!(settled(&stack, &ada, 5).await.standing(), 0);
}

#[tokio::test]
async fn who_leaves_before_the_upstream_was_reached_does_not_pay() {
    let stack = Stack::start().await;
    let ada = stack.customer(5).await;
    let caller = Caller::sends(&stack, &ada, "Host: stuck.test\r\n", CHAT).await;
    wait_until("the credit is drawn", async || stack.remaining(&ada).await == 4).await;
    caller.hangs_up();
    wait_until("the credit is back", async || stack.remaining(&ada).await == 5).await;
    assert_eq!(settled(&stack, &ada, 5).await.standing(), 0);
    assert_eq!(stack.upstream.count().await, 0);
}

#[tokio::test]
async fn who_leaves_in_the_middle_of_a_body_pays_at_most_once() {
    let stack = Stack::start().await;
    let ada = stack.customer(5).await;
    let text = format!("Authorization: Bearer {}\r\nHost: any\r\nContent-Length: 1000\r\n\r\n{{\"half\":", ada.key);
    let caller = Caller::sends_raw(&stack, &text).await;
    wait_until("the credit is drawn", async || stack.remaining(&ada).await == 4).await;
    tokio::time::sleep(Duration::from_millis(100)).await; // lets the half body reach the upstream
    caller.hangs_up();
    // The upstream has the header and half of the body: it was reached.
    assert_eq!(settled(&stack, &ada, 4).await.standing(), 1);
}

#[tokio::test]
async fn a_body_that_breaks_framing_is_refused_and_given_back() {
    let stack = Stack::start().await;
    let ada = stack.customer(5).await;
    let text = format!(
        "Authorization: Bearer {}\r\nHost: any\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nnot a length\r\n",
        ada.key
    );
    let mut caller = Caller::sends_raw(&stack, &text).await;
    let answer = caller.reads_until("request_id").await;
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("bad_request"), "{answer}");
    caller.hangs_up();
    assert_eq!(settled(&stack, &ada, 5).await.standing(), 0);
}

#[tokio::test]
async fn a_hundred_who_leave_at_any_moment_pay_at_most_once_each() {
    let stack = Stack::start().await;
    let ada = stack.customer(1000).await;
    let mut callers = tokio::task::JoinSet::new();
    for number in 0..100_u64 {
        let (address, key) = (stack.gateways[0].address(), ada.key.clone());
        callers.spawn(async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let length = STREAM.len();
            let head = format!(
                "POST /v1/messages HTTP/1.1\r\nHost: any\r\nAuthorization: Bearer {key}\r\nContent-Length: {length}\r\n\
                 Pretend-Stream: chunks=3, gap=5\r\n\r\n{STREAM}"
            );
            stream.write_all(head.as_bytes()).await.unwrap();
            tokio::time::sleep(Duration::from_micros(number * 300)).await;
        });
    }
    callers.join_all().await;
    let totals = stack.audit().await;
    let sent = usize::try_from(stack.upstream.count().await).unwrap();
    assert!(sent <= totals.debits && totals.debits <= 100, "{totals:?}, {sent} sent");
    assert_eq!(totals.standing(), sent, "who was sent pays, who was not does not: {totals:?}");
    assert_eq!(stack.remaining(&ada).await, 1000 - u64::try_from(sent).unwrap());
}
