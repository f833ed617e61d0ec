//! Who may ask each route, and what is sent so that it could be done.

/// Who may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Also nobody: it shows nothing of anybody.
    Anybody,
    /// Everybody of the account.
    Member,
    /// Its admins and its billing owner.
    Manager,
    /// Who runs the installation.
    Operator,
}

pub struct Route {
    /// Method and path, as in `routes.rs` and in the description.
    pub name: &'static str,
    pub who: Who,
    /// A form, or JSON; ids stand in it as in paths.
    pub body: &'static str,
}

impl Route {
    /// Whether it names something that belongs to one account, and is its people's.
    pub fn is_own(&self) -> bool {
        matches!(self.who, Who::Member | Who::Manager) && self.name.contains('{')
    }
}

const fn route(who: Who, name: &'static str, body: &'static str) -> Route {
    Route { name, who, body }
}

use Who::{Anybody, Manager, Member, Operator};

pub const TABLE: &[Route] = &[
    route(Anybody, "GET /", ""),
    route(Anybody, "GET /assets/{name}", ""),
    route(Member, "GET /billing", ""),
    route(Manager, "POST /billing/budget", "limit=40"),
    route(Manager, "POST /billing/checkout", "plan=team"),
    route(Manager, "POST /billing/portal", ""),
    route(Member, "GET /receipts", ""),
    route(Member, "GET /receipts/{op}", ""),
    route(Member, "GET /keys", ""),
    route(Manager, "GET /keys/new", ""),
    route(Manager, "POST /keys/new", "nonce={nonce}&name=ci&mode=live"),
    route(Member, "GET /keys/{key}", ""),
    route(Manager, "POST /keys/{key}", "held=x&cap_day=5"),
    route(Manager, "GET /keys/{key}/rotate", ""),
    route(Manager, "POST /keys/{key}/rotate", "nonce={nonce}&grace=24h"),
    route(Manager, "GET /keys/{key}/revoke", ""),
    route(Manager, "POST /keys/{key}/revoke", ""),
    route(Member, "GET /activity", ""),
    route(Member, "GET /activity.csv", ""),
    route(Member, "GET /settings", ""),
    route(Manager, "POST /settings", "version=0&lifecycle=on"),
    route(Operator, "GET /operator", ""),
    route(Operator, "GET /operator/accounts/{account}", ""),
    route(Operator, "GET /operator/accounts/{account}/receipts", ""),
    route(Operator, "POST /operator/accounts/{account}/verify", ""),
    route(Operator, "GET /operator/letters", ""),
    route(Operator, "GET /operator/letters/{shard}/{event}", ""),
    route(Operator, "GET /operator/deliveries", ""),
    route(Operator, "GET /operator/deliveries/{event}", ""),
    route(Operator, "GET /operator/mails", ""),
    route(Operator, "GET /operator/mails/{mail}", ""),
    route(Operator, "GET /operator/suppressions", ""),
    route(Operator, "GET /operator/incidents", ""),
    route(Operator, "GET /operator/incidents/{incident}", ""),
    route(Operator, "GET /operator/losses", ""),
    route(Operator, "GET /operator/reconcile", ""),
    route(Operator, "POST /operator/reconcile", ""),
    route(Operator, "GET /operator/audit", ""),
    route(Operator, "GET /operator/accounts/{account}/grant", ""),
    route(Operator, "POST /operator/accounts/{account}/grant", ""),
    route(Operator, "GET /operator/accounts/{account}/lots/{lot}/expiry", ""),
    route(Operator, "POST /operator/accounts/{account}/lots/{lot}/expiry", ""),
    route(Operator, "GET /operator/accounts/{account}/lots/{lot}/void", ""),
    route(Operator, "POST /operator/accounts/{account}/lots/{lot}/void", ""),
    route(Operator, "GET /operator/accounts/{account}/lots/{lot}/take", ""),
    route(Operator, "POST /operator/accounts/{account}/lots/{lot}/take", ""),
    route(Operator, "GET /operator/accounts/{account}/status/{word}", ""),
    route(Operator, "POST /operator/accounts/{account}/status/{word}", ""),
    route(Operator, "GET /operator/accounts/{account}/rebuild", ""),
    route(Operator, "POST /operator/accounts/{account}/rebuild", ""),
    route(Operator, "GET /operator/letters/{shard}/{event}/retry", ""),
    route(Operator, "POST /operator/letters/{shard}/{event}/retry", ""),
    route(Operator, "GET /operator/letters/{shard}/{event}/discard", ""),
    route(Operator, "POST /operator/letters/{shard}/{event}/discard", ""),
    route(Operator, "GET /operator/deliveries/{event}/replay", ""),
    route(Operator, "POST /operator/deliveries/{event}/replay", ""),
    route(Operator, "GET /operator/deliveries/{event}/resolve", ""),
    route(Operator, "POST /operator/deliveries/{event}/resolve", ""),
    route(Operator, "GET /operator/mails/{mail}/resend", ""),
    route(Operator, "POST /operator/mails/{mail}/resend", ""),
    route(Operator, "GET /operator/suppress", ""),
    route(Operator, "POST /operator/suppress", ""),
    route(Operator, "GET /operator/suppressions/{address}/release", ""),
    route(Operator, "POST /operator/suppressions/{address}/release", ""),
    route(Operator, "GET /operator/reconcile/repair", ""),
    route(Operator, "POST /operator/reconcile/repair", ""),
    route(Member, "GET /api/billing", ""),
    route(Member, "GET /api/billing/live", ""),
    route(Member, "GET /api/billing/budget", ""),
    route(Manager, "PUT /api/billing/budget", r#"{"limit":40}"#),
    route(Member, "GET /api/billing/plans", ""),
    route(Manager, "POST /api/billing/checkout", r#"{"plan":"team"}"#),
    route(Manager, "POST /api/billing/portal", ""),
    route(Member, "GET /api/billing/lots", ""),
    route(Member, "GET /api/billing/forecast", ""),
    route(Member, "GET /api/billing/usage", ""),
    route(Member, "GET /api/billing/receipts", ""),
    route(Member, "GET /api/billing/receipts/{op}", ""),
    route(Member, "GET /api/billing/keys", ""),
    route(Manager, "POST /api/billing/keys", r#"{"name":"ci"}"#),
    route(Member, "GET /api/billing/keys/{key}", ""),
    route(Manager, "PATCH /api/billing/keys/{key}", r#"{"cap_day":5}"#),
    route(Manager, "POST /api/billing/keys/{key}/rotate", r#"{"grace_s":60}"#),
    route(Manager, "DELETE /api/billing/keys/{key}", ""),
    route(Member, "GET /api/billing/activity", ""),
    route(Member, "GET /api/billing/settings", ""),
    route(Manager, "PUT /api/billing/settings", r#"{"low_balance":true,"lifecycle":true,"recipients":[]}"#),
    route(Member, "GET /api/billing/mails", ""),
    route(Operator, "GET /api/operator/accounts", ""),
    route(Operator, "GET /api/operator/accounts/{account}", ""),
    route(Operator, "GET /api/operator/accounts/{account}/lots", ""),
    route(Operator, "POST /api/operator/accounts/{account}/lots", "{}"),
    route(Operator, "POST /api/operator/accounts/{account}/lots/{lot}/expiry", "{}"),
    route(Operator, "POST /api/operator/accounts/{account}/lots/{lot}/reduction", "{}"),
    route(Operator, "POST /api/operator/accounts/{account}/lots/{lot}/void", "{}"),
    route(Operator, "POST /api/operator/accounts/{account}/rebuild", "{}"),
    route(Operator, "GET /api/operator/accounts/{account}/receipts", ""),
    route(Operator, "POST /api/operator/accounts/{account}/status", "{}"),
    route(Operator, "POST /api/operator/accounts/{account}/verify", "{}"),
    route(Operator, "GET /api/operator/activity", ""),
    route(Operator, "GET /api/operator/attention", ""),
    route(Operator, "GET /api/operator/dead-letters", ""),
    route(Operator, "GET /api/operator/dead-letters/{shard}/{event}", ""),
    route(Operator, "POST /api/operator/dead-letters/{shard}/{event}/discard", "{}"),
    route(Operator, "POST /api/operator/dead-letters/{shard}/{event}/retry", "{}"),
    route(Operator, "GET /api/operator/decisions", ""),
    route(Operator, "GET /api/operator/decisions/{decision}", ""),
    route(Operator, "GET /api/operator/deliveries", ""),
    route(Operator, "GET /api/operator/deliveries/{event}", ""),
    route(Operator, "POST /api/operator/deliveries/{event}/replay", "{}"),
    route(Operator, "POST /api/operator/deliveries/{event}/resolve", "{}"),
    route(Operator, "GET /api/operator/incidents", ""),
    route(Operator, "GET /api/operator/incidents/{incident}", ""),
    route(Operator, "GET /api/operator/losses", ""),
    route(Operator, "GET /api/operator/mails", ""),
    route(Operator, "GET /api/operator/mails/{mail}", ""),
    route(Operator, "POST /api/operator/mails/{mail}/resend", "{}"),
    route(Operator, "POST /api/operator/reconcile", "{}"),
    route(Operator, "GET /api/operator/suppressions", ""),
    route(Operator, "POST /api/operator/suppressions", "{}"),
    route(Operator, "POST /api/operator/suppressions/release", "{}"),
];
