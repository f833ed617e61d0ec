//! What is to be delivered, what was, and how it went.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use super::endpoint::Endpoint;
use super::switches::Switches;
use crate::world::clock::wall_ms;
use crate::world::read::text;

/// Deliveries that are remembered; the oldest go first.
const REMEMBERED: usize = 10_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Held,
    Waiting,
    Sending,
    Delivered,
    GivenUp,
    Dropped,
}

#[derive(Clone, Debug, Serialize)]
pub struct Delivery {
    pub number: u64,
    pub event: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub endpoint: String,
    pub state: State,
    pub attempts: u32,
    pub last_status: Option<u16>,
    pub last_error: Option<String>,
    pub due_ms: i64,
    #[serde(skip)]
    pub body: Arc<str>,
}

/// One attempt.
pub struct Job {
    pub number: u64,
    pub url: String,
    pub secrets: Vec<String>,
    pub body: Arc<str>,
}

pub enum Outcome {
    Status(u16),
    NoAnswer(String),
}

#[derive(Default)]
pub struct Post {
    pub endpoints: Vec<Endpoint>,
    pub switches: Switches,
    pub deliveries: VecDeque<Delivery>,
    last_number: u64,
}

impl Post {
    pub fn endpoints(&self) -> usize {
        self.endpoints.len()
    }

    /// Takes the events of one act, as the switches will.
    pub fn take(&mut self, events: &[Value]) {
        let mut events: Vec<&Value> = events.iter().collect();
        self.switches.reorder(&mut events);
        for event in events {
            let state = if self.switches.drops(text(event, "/type")) {
                State::Dropped
            } else if self.switches.hold {
                State::Held
            } else {
                State::Waiting
            };
            self.enter(event, state, self.switches.duplicate.saturating_add(1));
        }
    }

    /// Enters copies of an event for every endpoint that wants its kind.
    pub fn enter(&mut self, event: &Value, state: State, copies: u32) {
        let kind = text(event, "/type");
        let wanting: Vec<Endpoint> = self.endpoints.iter().filter(|endpoint| endpoint.wants(kind)).cloned().collect();
        for endpoint in wanting {
            let mut sent = event.clone();
            if let Some(version) = &endpoint.api_version {
                sent["api_version"] = version.as_str().into();
            }
            let body: Arc<str> = format!("{sent:#}").into();
            for _ in 0..copies {
                self.last_number += 1;
                let delivery = Delivery {
                    number: self.last_number,
                    event: text(event, "/id").to_owned(),
                    kind: kind.to_owned(),
                    endpoint: endpoint.id.clone(),
                    state,
                    attempts: 0,
                    last_status: None,
                    last_error: None,
                    due_ms: wall_ms() + i64::from(self.switches.delay_ms),
                    body: Arc::clone(&body),
                };
                self.push(delivery);
            }
        }
    }

    fn push(&mut self, delivery: Delivery) {
        if self.deliveries.len() >= REMEMBERED {
            self.deliveries.pop_front();
        }
        self.deliveries.push_back(delivery);
    }

    /// Lets a delivery go that was held, behind all that wait already.
    pub fn let_go(&mut self, mut delivery: Delivery) {
        self.last_number += 1;
        delivery.number = self.last_number;
        delivery.state = State::Waiting;
        delivery.due_ms = wall_ms();
        self.push(delivery);
    }

    /// What is to be sent now, and when to look again.
    pub fn due(&mut self, now_ms: i64) -> (Vec<Job>, Option<i64>) {
        let mut jobs = Vec::new();
        for endpoint in &self.endpoints {
            let mine = |delivery: &&mut Delivery| delivery.endpoint == endpoint.id;
            let busy = self.deliveries.iter_mut().filter(mine).filter(|one| one.state == State::Sending).count();
            let free = usize::try_from(self.switches.parallel).unwrap_or(1).saturating_sub(busy);
            let ready = |delivery: &&mut Delivery| delivery.state == State::Waiting && delivery.due_ms <= now_ms;
            for delivery in self.deliveries.iter_mut().filter(mine).filter(ready).take(free) {
                delivery.state = State::Sending;
                jobs.push(Job {
                    number: delivery.number,
                    url: endpoint.url.clone(),
                    secrets: endpoint.secrets.clone(),
                    body: Arc::clone(&delivery.body),
                });
            }
        }
        let waiting = self.deliveries.iter().filter(|delivery| delivery.state == State::Waiting);
        // What is due and waits for its turn is looked at once the one before is done.
        let next = waiting.map(|delivery| delivery.due_ms).filter(|due| *due > now_ms).min();
        (jobs, next)
    }

    pub fn done(&mut self, number: u64, outcome: &Outcome, now_ms: i64) {
        let Some(delivery) = self.deliveries.iter_mut().find(|delivery| delivery.number == number) else { return };
        delivery.attempts += 1;
        (delivery.last_status, delivery.last_error) = match outcome {
            Outcome::Status(status) => (Some(*status), None),
            Outcome::NoAnswer(why) => (None, Some(why.clone())),
        };
        delivery.state = match outcome {
            Outcome::Status(200..=299) => State::Delivered,
            _ if delivery.attempts >= self.switches.attempts_max => State::GivenUp,
            _ => State::Waiting,
        };
        delivery.due_ms = now_ms + self.switches.retry_after_ms(delivery.attempts);
    }

    /// Whether nothing waits and nothing is under way; what is held is not counted.
    pub fn is_idle(&self) -> bool {
        !self.deliveries.iter().any(|delivery| [State::Waiting, State::Sending].contains(&delivery.state))
    }
}
