//! Stripe's form encoding, `line_items[0][price]=…`, read into the parameters of one request.

use std::collections::HashMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_qs::Config;

use super::error::ApiError;

/// Stripe's parameters are nested less deeply than this.
const DEPTH_MAX: usize = 8;

pub type Metadata = HashMap<String, String>;

/// Reads a query or a body. What the parameters don't name is left alone, as are the many that this double doesn't know.
pub fn read<T: DeserializeOwned>(form: &str) -> Result<T, ApiError> {
    let config = Config::new().max_depth(DEPTH_MAX).use_form_encoding(true);
    config.deserialize_str(form).map_err(|err| ApiError::invalid(format!("These parameters can't be read: {err}.")))
}

/// The only parameters that every request may have.
#[derive(Default, Deserialize)]
pub struct Expand {
    #[serde(default)]
    pub expand: Vec<String>,
}

/// Merges metadata the way Stripe does: an empty value takes a key away.
pub fn merge_metadata(document: &mut Value, metadata: &Metadata) {
    let Some(kept) = document["metadata"].as_object_mut() else { return };
    for (key, value) in metadata {
        if value.is_empty() {
            kept.remove(key);
        } else {
            kept.insert(key.clone(), Value::from(value.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Line {
        price: String,
        quantity: Option<i64>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Params {
        line_items: Vec<Line>,
        #[serde(default)]
        metadata: Metadata,
        #[serde(default)]
        expand: Vec<String>,
        live: Option<bool>,
    }

    #[test]
    fn brackets_are_read_plain_and_encoded() {
        let plain = "line_items[0][price]=price_1&line_items[0][quantity]=2&line_items[1][price]=b&metadata[account]=a+b\
                     &expand[]=data.x&live=true&unknown[x]=1";
        let encoded = "line_items%5B0%5D%5Bprice%5D=price_1&line_items%5B0%5D%5Bquantity%5D=2&line_items%5B1%5D%5Bprice%5D=b\
                       &metadata%5Baccount%5D=a%20b&expand%5B0%5D=data.x&live=true";
        let params: Params = read(plain).unwrap();
        assert_eq!(params.line_items[0], Line { price: "price_1".to_owned(), quantity: Some(2) });
        assert_eq!(params.metadata["account"], "a b");
        assert_eq!(params.expand, ["data.x"]);
        assert_eq!(params, read(encoded).unwrap());
    }

    #[test]
    fn an_empty_value_takes_a_key_away() {
        let mut document = serde_json::json!({ "metadata": { "old": "1", "kept": "2" } });
        merge_metadata(&mut document, &Metadata::from([("old".to_owned(), String::new())]));
        assert_eq!(document["metadata"], serde_json::json!({ "kept": "2" }));
    }
}
