//! The whole state of the pretend Stripe, behind one lock: objects, clock, events, and what waits to be delivered.

pub mod changed;
pub mod clock;
pub mod ids;
pub mod kind;
pub mod read;
pub mod shelves;

use serde_json::{Map, Value};

use crate::api::error::ApiError;
use crate::api::idempotency::Answers;
use crate::api::outage::Outage;
use crate::api::seen::Seen;
use crate::deliver::post::Post;
use crate::shapes;
use clock::Clock;
use kind::Kind;
use shelves::Shelves;

/// Who asked for what is being done, as events tell.
#[derive(Default)]
pub struct Asker {
    pub request: Option<String>,
    pub idempotency_key: Option<String>,
}

#[derive(Default)]
pub struct World {
    /// This server's own address, for the pages that its objects name.
    pub base: String,
    pub live: bool,
    pub clock: Clock,
    pub shelves: Shelves,
    pub answers: Answers,
    pub outage: Outage,
    pub seen: Seen,
    pub post: Post,
    pub asker: Asker,
    /// What becomes of a subscription once its invoice failed for the last time.
    pub after_retries: AfterRetries,
    /// Events of the act under way, which are delivered together once it is over.
    fresh: Vec<Value>,
}

#[derive(Clone, Copy, Debug, Default, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AfterRetries {
    #[default]
    Cancel,
    Unpaid,
    PastDue,
}

impl World {
    /// Empty, at the real time.
    pub fn new(base: String, live: bool) -> World {
        World { base, live, ..World::default() }
    }

    pub fn now(&self) -> i64 {
        self.clock.now()
    }

    pub fn get(&self, kind: Kind, id: &str) -> Result<Value, ApiError> {
        self.shelves.get(kind, id).cloned().ok_or_else(|| ApiError::missing(kind, id))
    }

    pub fn add(&mut self, kind: Kind, document: Value) -> Result<(), ApiError> {
        self.shelves.add(kind, document)
    }

    /// Adds an object and tells of it.
    pub fn announce(&mut self, event: &str, kind: Kind, document: Value) -> Result<(), ApiError> {
        let id = read::text(&document, "/id").to_owned();
        self.shelves.add(kind, document)?;
        self.tell(event, kind, &id)
    }

    /// Changes an object without an event.
    pub fn edit(&mut self, id: &str, change: impl FnOnce(&mut Value)) -> Result<Value, ApiError> {
        let (_, document) = self.shelves.edit(id).ok_or_else(|| ApiError::gone(id))?;
        change(document);
        Ok(document.clone())
    }

    /// Changes an object and tells of it, with what it was before; says nothing where nothing changed.
    pub fn update(&mut self, event: &str, id: &str, change: impl FnOnce(&mut Value)) -> Result<Value, ApiError> {
        let (kind, document) = self.shelves.edit(id).ok_or_else(|| ApiError::gone(id))?;
        let before = document.clone();
        change(document);
        let after = document.clone();
        let former = changed::former(&shown(kind, &before), &shown(kind, &after));
        if !former.is_empty() {
            self.emit(event, kind, &after, Some(former))?;
        }
        Ok(after)
    }

    /// Tells of an object as it is.
    pub fn tell(&mut self, event: &str, kind: Kind, id: &str) -> Result<(), ApiError> {
        let document = self.get(kind, id)?;
        self.emit(event, kind, &document, None)
    }

    fn emit(
        &mut self,
        event: &str,
        kind: Kind,
        document: &Value,
        former: Option<Map<String, Value>>,
    ) -> Result<(), ApiError> {
        let event = shapes::event::event(self, event, &shown(kind, document), former);
        self.emit_made(event)
    }

    /// Sends an event that was made elsewhere.
    pub fn emit_made(&mut self, event: Value) -> Result<(), ApiError> {
        self.shelves.add(Kind::Event, event.clone())?;
        self.fresh.push(event);
        Ok(())
    }

    /// Hands the events of an act that is over to the post.
    pub fn post_fresh(&mut self) {
        let fresh = std::mem::take(&mut self.fresh);
        self.post.take(&fresh);
        self.asker = Asker::default();
    }
}

/// An object without what is private and what is shown on request only.
pub fn shown(kind: Kind, document: &Value) -> Value {
    let mut shown = document.clone();
    if let Some(fields) = shown.as_object_mut() {
        for name in kind.on_request().iter().chain(kind.private()) {
            fields.remove(*name);
        }
    }
    shown
}
