//! Prices and products.

use serde::Deserialize;
use serde_json::Value;

use super::{id, own_id, read};

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Price {
    #[serde(deserialize_with = "own_id")]
    pub id: String,
    #[serde(default)]
    product: Value,
    pub unit_amount: Option<u64>,
    pub currency: Option<String>,
    pub recurring: Option<Recurring>,
    #[serde(default)]
    pub active: bool,
    #[serde(default)]
    pub deleted: bool,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Recurring {
    pub interval: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Product {
    #[serde(deserialize_with = "own_id")]
    pub id: String,
    pub name: Option<String>,
    #[serde(default)]
    pub active: bool,
    #[serde(default)]
    pub deleted: bool,
}

impl Price {
    /// The product's id, expanded or not.
    pub fn product_id(&self) -> Option<String> {
        id(&self.product).ok().flatten()
    }

    /// The product itself, where it was expanded.
    pub fn product(&self) -> Option<Product> {
        if self.product.is_object() { read(&self.product).ok() } else { None }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_price_knows_its_product_by_id_or_whole() {
        let price: Price = read(&json!({ "id": "price_1", "product": "prod_1" })).unwrap();
        assert_eq!(price.product_id(), Some("prod_1".into()));
        assert!(price.product().is_none());
        let price: Price =
            read(&json!({ "id": "price_1", "product": { "id": "prod_1", "name": "Team", "active": true } })).unwrap();
        assert_eq!(price.product_id(), Some("prod_1".into()));
        assert_eq!(price.product().unwrap().name, Some("Team".into()));
        let price: Price = read(&json!({ "id": "price_1" })).unwrap();
        assert_eq!(price.product_id(), None);
    }
}
