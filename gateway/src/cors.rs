//! Which pages of other sites may read a route's answers, in the words of browsers (the Fetch standard's CORS protocol).

use config::routes::Origins;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, InvalidHeaderValue, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method};

/// What a page may read beside the body: all that the gateway says itself.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "request-id, credits-cost, credits-hold, credits-remaining, credits-receipt, budget-remaining, budget-reset, retry-after",
);

pub struct Cors {
    origins: Origins,
    method: HeaderValue,
    headers: HeaderValue,
    max_age: HeaderValue,
    credentials: bool,
}

/// What a browser asks before it sends: whether a page of this origin may use this method.
pub fn asked_method(method: &Method, lines: &HeaderMap) -> Option<Method> {
    if method != Method::OPTIONS || !lines.contains_key(ORIGIN) {
        return None;
    }
    Method::from_bytes(lines.get(ACCESS_CONTROL_REQUEST_METHOD)?.as_bytes()).ok()
}

impl Cors {
    pub fn new(rules: config::routes::Cors, method: &Method) -> Result<Self, InvalidHeaderValue> {
        Ok(Self {
            method: HeaderValue::from_str(method.as_str())?,
            headers: HeaderValue::from_str(&rules.headers.join(", "))?,
            max_age: HeaderValue::from(rules.max_age_seconds),
            credentials: rules.credentials,
            origins: rules.origins,
        })
    }

    /// The value of `Access-Control-Allow-Origin` for a request; `None` when its page may not read the answer.
    pub fn allows(&self, lines: &HeaderMap) -> Option<HeaderValue> {
        let mut sent = lines.get_all(ORIGIN).iter();
        let (Some(origin), None) = (sent.next(), sent.next()) else { return None };
        match &self.origins {
            Origins::All => Some(HeaderValue::from_static("*")),
            Origins::These(origins) => origins.iter().any(|known| origin == known.as_str()).then(|| origin.clone()),
        }
    }

    /// On every answer of the route.
    pub fn on_answer(&self, lines: &mut HeaderMap, allowed: Option<&HeaderValue>) {
        // Also without an origin: a cache must not give this answer to a page.
        lines.append(VARY, HeaderValue::from_static("Origin"));
        let Some(allowed) = allowed else { return };
        lines.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed.clone());
        lines.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        if self.credentials {
            lines.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
    }

    /// On the answer to a browser that asks first, beside [`Self::on_answer`].
    pub fn on_preflight(&self, lines: &mut HeaderMap, allowed: Option<&HeaderValue>) {
        for name in [ACCESS_CONTROL_REQUEST_METHOD, ACCESS_CONTROL_REQUEST_HEADERS] {
            lines.append(VARY, HeaderValue::from_name(name));
        }
        if allowed.is_none() {
            return;
        }
        lines.insert(ACCESS_CONTROL_ALLOW_METHODS, self.method.clone());
        lines.insert(ACCESS_CONTROL_MAX_AGE, self.max_age.clone());
        if !self.headers.is_empty() {
            lines.insert(ACCESS_CONTROL_ALLOW_HEADERS, self.headers.clone());
        }
    }
}
