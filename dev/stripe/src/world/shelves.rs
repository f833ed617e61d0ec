//! Everything that was made, as the documents that are shown, in the order in which it was made.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::kind::Kind;
use crate::api::error::ApiError;

/// A test double that fills up was left running by mistake; it says so and goes on with what it has.
const EACH_MAX: usize = 20_000;

#[derive(Default)]
pub struct Shelves {
    things: HashMap<String, (Kind, Value)>,
    order: BTreeMap<Kind, Vec<String>>,
    changes: u64,
}

impl Shelves {
    pub fn add(&mut self, kind: Kind, document: Value) -> Result<(), ApiError> {
        let id = document["id"].as_str().unwrap_or_default().to_owned();
        if self.things.contains_key(&id) {
            let message = format!("{} already exists: '{id}'.", kind.noun());
            return Err(ApiError::invalid(message).code("resource_already_exists").param("id"));
        }
        let order = self.order.entry(kind).or_default();
        if order.len() >= EACH_MAX {
            let what = kind.path();
            return Err(ApiError::invalid(format!("pretend-stripe keeps {EACH_MAX} of {what} at most: reset it")));
        }
        order.push(id.clone());
        self.changes += 1;
        self.things.insert(id, (kind, document));
        Ok(())
    }

    pub fn get(&self, kind: Kind, id: &str) -> Option<&Value> {
        self.things.get(id).filter(|(found, _)| *found == kind).map(|(_, document)| document)
    }

    /// The object of that id, whatever it is.
    pub fn any(&self, id: &str) -> Option<(Kind, &Value)> {
        self.things.get(id).map(|(kind, document)| (*kind, document))
    }

    pub fn edit(&mut self, id: &str) -> Option<(Kind, &mut Value)> {
        self.changes += 1;
        self.things.get_mut(id).map(|(kind, document)| (*kind, document))
    }

    /// All of a kind, oldest first.
    pub fn all(&self, kind: Kind) -> impl DoubleEndedIterator<Item = &Value> {
        let ids = self.order.get(&kind).map(Vec::as_slice).unwrap_or_default();
        ids.iter().filter_map(|id| self.things.get(id)).map(|(_, document)| document)
    }

    /// Grows with whatever may have changed something.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    pub fn count(&self, kind: Kind) -> usize {
        self.order.get(&kind).map_or(0, Vec::len)
    }
}
