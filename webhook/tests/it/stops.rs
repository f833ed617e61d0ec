//! A stop in the middle of work: who was heard is answered, who was answered is kept, nobody else is let in.

use std::time::Duration;

use ledger::testing::database;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::process::{SECRET, Webhook, wait_until};
use crate::signed::{plain, sign_now};

#[tokio::test]
async fn a_stop_while_busy_answers_what_was_heard_and_keeps_what_was_answered() {
    let (mut webhook, book) = Webhook::start().await;
    let mut senders = tokio::task::JoinSet::new();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    for sender in 0..8 {
        let (http, url) = (http.clone(), webhook.url());
        senders.spawn(async move {
            let mut taken = Vec::new();
            for number in 0.. {
                let id = format!("evt_{sender}_{number}");
                let signed = sign_now(SECRET, plain(&id).to_string().as_bytes());
                let request = http.post(&url).body(signed.body).header("stripe-signature", &signed.headers[0]);
                match request.send().await {
                    Ok(answer) => {
                        assert_eq!(answer.status().as_u16(), 200);
                        taken.push(id);
                    }
                    Err(_) => break,
                }
            }
            taken
        });
    }
    wait_until("it is busy", async || book.number("SELECT count(*) FROM stripe_deliveries").await > 40).await;
    webhook.signal("TERM");
    assert!(webhook.ended().await.success());
    let taken = senders.join_all().await.concat();
    assert!(taken.len() > 40);
    for id in &taken {
        assert!(book.ledger.delivery(id).await.unwrap().is_some(), "{id} was answered 200");
    }
    let next = Webhook::start_on(&book.url, "worker.lease_ms = 500");
    next.wait_ready().await;
    wait_until("nothing waits", async || {
        book.number("SELECT count(*) FROM stripe_deliveries WHERE state = 'waiting'").await == 0
    })
    .await;
}

#[tokio::test]
async fn who_is_in_the_middle_of_a_delivery_may_finish_it_after_the_stop() {
    let book = database().await;
    let mut webhook = Webhook::start_on(&book.url, "");
    webhook.wait_ready().await;
    let signed = sign_now(SECRET, plain("evt_slow").to_string().as_bytes());
    let mut stream = TcpStream::connect(("127.0.0.1", webhook.port())).await.unwrap();
    let head = format!(
        "POST /webhooks/stripe HTTP/1.1\r\nHost: x\r\nStripe-Signature: {}\r\nContent-Length: {}\r\n\r\n",
        signed.headers[0],
        signed.body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let (first, rest) = signed.body.split_at(10);
    stream.write_all(first).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await; // until the header was read; there is nothing to see of it
    webhook.signal("TERM");
    wait_until("nobody new is let in", async || TcpStream::connect(("127.0.0.1", webhook.port())).await.is_err()).await;
    stream.write_all(rest).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(webhook.ended().await.success());
    assert!(book.ledger.delivery("evt_slow").await.unwrap().is_some());
}
