//! Sends signed events to whoever subscribed to them, until they answer with a 2xx.

pub mod endpoint;
pub mod order;
pub mod post;
pub mod sign;
pub mod switches;

use std::time::Duration;

use anyhow::Context;
use reqwest::Client;
use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;

use crate::stage::Stage;
use crate::world::clock::{wall_ms, wall_s};
use post::{Job, Outcome};

/// An endpoint that has not answered by then has failed, as at Stripe.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// How long the post sleeps when nothing is due.
const SLEEP_MAX_MS: i64 = 1_000;

pub fn client() -> anyhow::Result<Client> {
    // A redirect is a failed delivery, and a proxy has no business on loopback.
    let client = Client::builder().redirect(Policy::none()).timeout(ANSWER_WITHIN).no_proxy();
    client.build().context("building the client that delivers")
}

/// Sends what is due, for as long as the program runs.
pub async fn run(stage: Stage, client: Client) {
    loop {
        let (jobs, next) = stage.look(|world| world.post.due(wall_ms()));
        for job in jobs {
            let (stage, client) = (stage.clone(), client.clone());
            stage.tasks.clone().spawn(async move {
                let outcome = send(&client, &job).await;
                stage.act(|world| world.post.done(job.number, &outcome, wall_ms()));
            });
        }
        let sleep = next.map_or(SLEEP_MAX_MS, |due| (due - wall_ms()).clamp(1, SLEEP_MAX_MS));
        let sleep = Duration::from_millis(u64::try_from(sleep).unwrap_or(1));
        // Whether it was woken or has slept, it looks again.
        let _ = tokio::time::timeout(sleep, stage.wake.notified()).await;
    }
}

async fn send(client: &Client, job: &Job) -> Outcome {
    let signature = sign::header(&job.secrets, wall_s(), &job.body);
    let request = client
        .post(&job.url)
        .header(CONTENT_TYPE, "application/json; charset=utf-8")
        .header("user-agent", "Stripe/1.0 (pretend-stripe)")
        .header("stripe-signature", signature)
        .body(job.body.to_string());
    match request.send().await {
        Ok(response) => Outcome::Status(response.status().as_u16()),
        Err(err) => Outcome::NoAnswer(err.to_string()),
    }
}
