//! Lists: newest first, a page at a time, filtered by what the query names.

use serde::Deserialize;
use serde_json::{Value, json};

use super::error::ApiError;
use super::{expand, form};
use crate::world::World;
use crate::world::kind::Kind;
use crate::world::read::{list, number, text};

const LIMIT: i64 = 10;
const LIMIT_MAX: i64 = 100;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Page {
    limit: Option<i64>,
    starting_after: Option<String>,
    ending_before: Option<String>,
    created: Created,
    expand: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Created {
    gt: Option<i64>,
    gte: Option<i64>,
    lt: Option<i64>,
    lte: Option<i64>,
}

impl Created {
    fn holds(&self, created: i64) -> bool {
        self.gt.is_none_or(|bound| created > bound)
            && self.gte.is_none_or(|bound| created >= bound)
            && self.lt.is_none_or(|bound| created < bound)
            && self.lte.is_none_or(|bound| created <= bound)
    }
}

/// Every filter by which some list can be narrowed.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Filters {
    active: Option<bool>,
    charge: Option<String>,
    collection_method: Option<String>,
    currency: Option<String>,
    customer: Option<String>,
    email: Option<String>,
    ids: Vec<String>,
    invoice: Option<String>,
    lookup_keys: Vec<String>,
    payment: Payment,
    payment_intent: Option<String>,
    price: Option<String>,
    product: Option<String>,
    status: Option<String>,
    subscription: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    types: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Payment {
    payment_intent: Option<String>,
}

impl Filters {
    fn holds(&self, kind: Kind, document: &Value) -> bool {
        let subscription = match kind {
            Kind::Invoice => "/parent/subscription_details/subscription",
            _ => "/subscription",
        };
        let named = [
            ("/charge", &self.charge),
            ("/collection_method", &self.collection_method),
            ("/currency", &self.currency),
            ("/customer", &self.customer),
            ("/email", &self.email),
            ("/invoice", &self.invoice),
            ("/payment/payment_intent", &self.payment.payment_intent),
            ("/payment_intent", &self.payment_intent),
            ("/product", &self.product),
            (subscription, &self.subscription),
        ];
        named.iter().all(|(pointer, wanted)| wanted.as_deref().is_none_or(|wanted| text(document, pointer) == wanted))
            && self.active.is_none_or(|active| document["active"] == active)
            && self.status_holds(kind, text(document, "/status"))
            && among(&self.ids, text(document, "/id"))
            && among(&self.lookup_keys, text(document, "/lookup_key"))
            && self.kind_holds(text(document, "/type"))
            && self
                .price
                .as_deref()
                .is_none_or(|price| list(document, "/items/data").iter().any(|item| text(item, "/price/id") == price))
    }

    /// Subscriptions that have ended are shown to those who ask for them.
    fn status_holds(&self, kind: Kind, status: &str) -> bool {
        match self.status.as_deref() {
            None => kind != Kind::Subscription || status != "canceled",
            Some("all") => true,
            Some("ended") => ["canceled", "incomplete_expired"].contains(&status),
            Some(wanted) => wanted == status,
        }
    }

    fn kind_holds(&self, kind: &str) -> bool {
        among(&self.types, kind)
            && self.kind.as_deref().is_none_or(|wanted| match wanted.strip_suffix('*') {
                Some(beginning) => kind.starts_with(beginning),
                None => kind == wanted,
            })
    }
}

fn among(wanted: &[String], found: &str) -> bool {
    wanted.is_empty() || wanted.iter().any(|one| one == found)
}

pub fn page(world: &World, kind: Kind, query: &str) -> Result<Value, ApiError> {
    let (page, filters): (Page, Filters) = (form::read(query)?, form::read(query)?);
    let limit = page.limit.unwrap_or(LIMIT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        return Err(ApiError::invalid(format!("limit is from 1 to {LIMIT_MAX}.")).param("limit"));
    }
    let all: Vec<&Value> = (world.shelves.all(kind).rev())
        .filter(|document| document["deleted"] != true)
        .filter(|document| page.created.holds(number(document, "/created")) && filters.holds(kind, document))
        .collect();
    let place = |id: &str| {
        let found = all.iter().position(|document| document["id"] == id);
        found.ok_or_else(|| ApiError::missing(kind, id))
    };
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let (rest, has_more) = match (&page.starting_after, &page.ending_before) {
        (Some(id), _) => ahead(&all[place(id)? + 1..], limit),
        (None, Some(id)) => {
            let before = &all[..place(id)?];
            (&before[before.len().saturating_sub(limit)..], before.len() > limit)
        }
        (None, None) => ahead(&all, limit),
    };
    let rest: Vec<Value> = rest.iter().map(|document| (*document).clone()).collect();
    let mut shown = json!({ "object": "list", "url": kind.path(), "has_more": has_more, "data": rest });
    expand::show_list(world, kind, &mut shown, &page.expand)?;
    Ok(shown)
}

fn ahead<'a>(all: &'a [&'a Value], limit: usize) -> (&'a [&'a Value], bool) {
    (&all[..all.len().min(limit)], all.len() > limit)
}
