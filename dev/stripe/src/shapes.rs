//! Objects as Stripe shows them in the API version that is pretended, with every field that its schema wants.

pub mod customer;
pub mod dispute;
pub mod event;
pub mod invoice;
pub mod offer;
pub mod payment;
pub mod portal;
pub mod session;
pub mod subscription;

use serde_json::Value;

/// The version whose shapes these are.
pub const API_VERSION: &str = "2026-09-30.endive";

/// The document with fields that are there and empty.
fn with_nulls(mut document: Value, names: &[&str]) -> Value {
    if let Some(fields) = document.as_object_mut() {
        for name in names {
            fields.entry(*name).or_insert(Value::Null);
        }
    }
    document
}
