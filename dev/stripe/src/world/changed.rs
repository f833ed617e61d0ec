//! What an update changed, in the form of `data.previous_attributes`.

use serde_json::{Map, Value};

/// The former values of what differs: of objects only the fields that differ, of lists the whole.
pub fn former(before: &Value, after: &Value) -> Map<String, Value> {
    let mut changed = Map::new();
    let (Some(before), Some(after)) = (before.as_object(), after.as_object()) else { return changed };
    for (name, was) in before {
        match after.get(name) {
            Some(is) if is == was => {}
            Some(is) if was.is_object() && is.is_object() => {
                changed.insert(name.clone(), Value::Object(former(was, is)));
            }
            _ => {
                changed.insert(name.clone(), was.clone());
            }
        }
    }
    for name in after.keys().filter(|name| !before.contains_key(*name)) {
        changed.insert(name.clone(), Value::Null);
    }
    changed
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_differs_is_told_and_as_it_was() {
        let before = json!({ "status": "active", "same": 1, "in": { "a": 1, "b": 2 }, "list": [1] });
        let after = json!({ "status": "past_due", "same": 1, "in": { "a": 1, "b": 3 }, "list": [1, 2], "new": 4 });
        let told = json!({ "status": "active", "in": { "b": 2 }, "list": [1], "new": null });
        assert_eq!(Value::Object(former(&before, &after)), told);
    }
}
