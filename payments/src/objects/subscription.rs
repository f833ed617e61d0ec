//! A subscription; since March 2025 its items have the periods.

use serde::Deserialize;

use super::{List, Metadata, id, own_id};

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Subscription {
    #[serde(deserialize_with = "own_id")]
    pub id: String,
    #[serde(default, deserialize_with = "id")]
    pub customer: Option<String>,
    pub status: Option<String>,
    pub metadata: Option<Metadata>,
    #[serde(default)]
    pub items: List<Item>,
    #[serde(default)]
    pub cancel_at_period_end: bool,
    pub cancel_at: Option<u64>,
    pub trial_end: Option<u64>,
    #[serde(default, deserialize_with = "id")]
    pub latest_invoice: Option<String>,
    /// Before March 2025.
    current_period_end: Option<u64>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Item {
    #[serde(default, deserialize_with = "id")]
    price: Option<String>,
    #[serde(default, deserialize_with = "id")]
    plan: Option<String>,
    current_period_end: Option<u64>,
}

impl Item {
    pub fn price(&self) -> Option<&str> {
        self.price.as_deref().or(self.plan.as_deref())
    }
}

impl Subscription {
    /// End of the period that runs: the one of this item, else the last of all, else the subscription's own.
    pub fn period_end(&self, item: Option<&Item>) -> Option<u64> {
        let last = self.items.data.iter().filter_map(|item| item.current_period_end).max();
        item.and_then(|item| item.current_period_end).or(last).or(self.current_period_end)
    }

    /// Whether its payer has called it off, to the end of the period or to a date.
    pub fn ends(&self) -> bool {
        self.cancel_at_period_end || self.cancel_at.is_some()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::objects::read;

    #[test]
    fn a_period_stands_on_the_item_or_on_the_subscription() {
        let newer: Subscription = read(&json!({ "id": "sub_1", "items": { "data": [
            { "price": { "id": "price_1" }, "current_period_end": 5 }, { "plan": { "id": "plan_1" }, "current_period_end": 9 },
        ] } }))
        .unwrap();
        let items = &newer.items.data;
        assert_eq!((items[0].price(), items[1].price()), (Some("price_1"), Some("plan_1")));
        assert_eq!((newer.period_end(items.first()), newer.period_end(None)), (Some(5), Some(9)));
        let older: Subscription =
            read(&json!({ "id": "sub_1", "current_period_end": 7, "items": { "data": [{ "price": "price_1" }] } }))
                .unwrap();
        assert_eq!((older.period_end(older.items.data.first()), older.period_end(None)), (Some(7), Some(7)));
        let bare: Subscription = read(&json!({ "id": "sub_1" })).unwrap();
        assert_eq!(bare.period_end(None), None);
    }

    #[test]
    fn an_end_is_told_by_a_flag_or_a_date() {
        let ends = |more| {
            let mut subscription = json!({ "id": "sub_1" });
            subscription.as_object_mut().unwrap().extend(serde_json::Map::from_iter([more]));
            read::<Subscription>(&subscription).unwrap().ends()
        };
        assert!(ends(("cancel_at_period_end".to_owned(), json!(true))));
        assert!(ends(("cancel_at".to_owned(), json!(5))));
        assert!(!ends(("cancel_at".to_owned(), json!(null))));
        assert!(!ends(("cancel_at_period_end".to_owned(), json!(false))));
    }
}
