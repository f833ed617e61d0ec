//! The switch that puts the API out of order: another status, or no answer at all.

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

/// What a request of `/v1` meets instead of an answer.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    Status(StatusCode),
    /// The connection stays open and nothing comes.
    Hang,
    /// The request is done, and its answer is lost: the caller must repeat it by its idempotency key.
    AnswerLost,
}

/// The order as it is given and shown.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// A status such as 503, `hang`, or `answer_lost`.
    pub answer: String,
    /// How many requests meet it; without it all, until it is taken back.
    pub times: Option<u64>,
    /// Only paths that begin so, such as `/v1/checkout`.
    #[serde(default)]
    pub path: String,
}

#[derive(Default)]
pub struct Outage(Option<(Order, Fault)>);

impl Outage {
    pub fn order(&mut self, order: Order) -> Result<(), String> {
        let fault = match order.answer.as_str() {
            "hang" => Fault::Hang,
            "answer_lost" => Fault::AnswerLost,
            status => {
                let known = status.parse::<StatusCode>().ok().filter(|status| status.as_u16() >= 400);
                Fault::Status(known.ok_or("answer is a status from 400 on, \"hang\" or \"answer_lost\"")?)
            }
        };
        self.0 = Some((order, fault));
        Ok(())
    }

    pub fn clear(&mut self) {
        self.0 = None;
    }

    pub fn shown(&self) -> Option<&Order> {
        self.0.as_ref().map(|(order, _)| order)
    }

    /// What this request meets, counted down.
    pub fn meet(&mut self, path: &str) -> Option<Fault> {
        let (order, fault) = self.0.as_mut().filter(|(order, _)| path.starts_with(&order.path))?;
        let fault = *fault;
        match order.times.as_mut() {
            Some(times) if *times <= 1 => self.0 = None,
            Some(times) => *times -= 1,
            None => {}
        }
        Some(fault)
    }
}
