//! Stripe over the wire: async-stripe carries the requests, answers are read into small structs of our own.
//!
//! Each request has a deadline, and whatever makes something is sent under an idempotency key that we choose.

mod form;
mod refusal;

use std::fmt;

use async_stripe::{Client, ClientBuilder, IdempotencyKey, RequestStrategy};
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use serde_json::Value;
use stripe_client_core::{RequestBuilder, StripeMethod};

use crate::error::StripeError;
use crate::objects::{self, InvoicePayment, List};

/// As many as Stripe gives at once.
pub(crate) const PAGE: &str = "100";
/// An invoice with more lines than this many pages is nobody's subscription.
const LINE_PAGES_MAX: usize = 10;

/// A way to Stripe's API. Its `Debug` shows no key.
#[derive(Clone)]
pub struct Stripe {
    client: Client,
}

impl fmt::Debug for Stripe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stripe").finish_non_exhaustive()
    }
}

/// What goes into a query or a form: names as Stripe writes them (`line_items[0][price]`).
pub(crate) type Fields<'a> = &'a [(&'a str, &'a str)];

impl Stripe {
    /// `None` = no key is set: Stripe is not configured.
    pub fn new(settings: &config::Stripe) -> Result<Option<Self>, StripeError> {
        let Some(key) = &settings.api_key else { return Ok(None) };
        let client = ClientBuilder::new(key.expose_secret())
            .url(&settings.api_url)
            .timeout(settings.timeout)
            .app_info("tollgate", Some(env!("CARGO_PKG_VERSION").to_owned()), None)
            .build()
            .map_err(|_| StripeError::Settings("the URL or the key is none that a request can carry".to_owned()))?;
        Ok(Some(Self { client }))
    }

    pub(crate) async fn get(&self, path: &str, query: Fields<'_>) -> Result<Value, StripeError> {
        let mut request = RequestBuilder::new(StripeMethod::Get, path);
        if !query.is_empty() {
            request.query = Some(form::encode(query));
        }
        self.send(request, RequestStrategy::Once).await
    }

    /// Makes something, once for each key: repeated under the same key it answers what it answered first.
    pub(crate) async fn post(&self, path: &str, fields: Fields<'_>, key: &str) -> Result<Value, StripeError> {
        let key = IdempotencyKey::new(key).map_err(|_| StripeError::Refused {
            status: 400,
            message: "an idempotency key has 1 to 255 letters".to_owned(),
        })?;
        let mut request = RequestBuilder::new(StripeMethod::Post, path);
        request.body = Some(form::encode(fields));
        self.send(request, RequestStrategy::Idempotent(key)).await
    }

    /// Makes something that is worth nothing twice, and that must be new each time.
    pub(crate) async fn post_each_time(&self, path: &str, fields: Fields<'_>) -> Result<Value, StripeError> {
        let mut request = RequestBuilder::new(StripeMethod::Post, path);
        request.body = Some(form::encode(fields));
        self.send(request, RequestStrategy::Once).await
    }

    async fn send(&self, request: RequestBuilder, strategy: RequestStrategy) -> Result<Value, StripeError> {
        let path = request.path.clone();
        let answer: miniserde::json::Value = request
            .customize()
            .request_strategy(strategy)
            .send(&self.client)
            .await
            .map_err(|error| refusal::of(&path, &error))?;
        // One more turn through text: it is the only way from that library's values to ours.
        serde_json::from_str(&miniserde::json::to_string(&answer)).map_err(|_| unreadable(&path))
    }

    /// One object by its id.
    pub(crate) async fn object(&self, path: &str, id: &str, query: Fields<'_>) -> Result<Value, StripeError> {
        self.get(&format!("{path}/{}", form::segment(id)), query).await
    }

    /// A price with its product.
    pub(crate) async fn price(&self, id: &str) -> Result<Value, StripeError> {
        self.object("/prices", id, &[("expand[]", "product")]).await
    }

    /// An invoice with all its lines and with what pays it.
    pub(crate) async fn invoice(&self, id: &str) -> Result<Value, StripeError> {
        let mut invoice = self.object("/invoices", id, &[("expand[]", "payments")]).await?;
        self.complete_lines(&mut invoice).await?;
        Ok(invoice)
    }

    /// Lists inside of objects are cut after ten.
    pub(crate) async fn complete_lines(&self, invoice: &mut Value) -> Result<(), StripeError> {
        if invoice.pointer("/lines/has_more") != Some(&Value::Bool(true)) {
            return Ok(());
        }
        let Some(id) = invoice.get("id").and_then(Value::as_str) else { return Ok(()) };
        let path = format!("/invoices/{}/lines", form::segment(id));
        let (mut lines, mut after, mut more) = (Vec::new(), None, true);
        for _ in 0..LINE_PAGES_MAX {
            let page = self.page(&path, &[], after.as_deref()).await?;
            after = last_id(&page);
            more = page.has_more;
            lines.extend(page.data);
            if !more || after.is_none() {
                break;
            }
        }
        if let Some(list) = invoice.get_mut("lines") {
            *list = serde_json::json!({ "data": lines, "has_more": more });
        }
        Ok(())
    }

    /// The invoices that a payment intent pays, each with the intent.
    pub(crate) async fn invoices_of(&self, payment_intent: &str) -> Result<Vec<(String, String)>, StripeError> {
        let query = [("payment[type]", "payment_intent"), ("payment[payment_intent]", payment_intent)];
        let page = self.page("/invoice_payments", &query, None).await?;
        let payments = page.data.iter().filter_map(|payment| objects::read::<InvoicePayment>(payment).ok());
        Ok(payments.filter_map(|payment| payment.invoice).map(|invoice| (invoice, payment_intent.to_owned())).collect())
    }

    /// One page of a list, after the id given.
    pub(crate) async fn page(
        &self,
        path: &str,
        query: Fields<'_>,
        after: Option<&str>,
    ) -> Result<List<Value>, StripeError> {
        let mut query: Vec<(&str, &str)> = query.to_vec();
        query.push(("limit", PAGE));
        query.extend(after.map(|after| ("starting_after", after)));
        of_answer(path, &self.get(path, &query).await?)
    }
}

/// Reads an answer into a struct of ours.
pub(crate) fn of_answer<T: DeserializeOwned>(path: &str, answer: &Value) -> Result<T, StripeError> {
    objects::read(answer).map_err(|_| unreadable(path))
}

/// Where the page after this one begins.
pub(crate) fn last_id(page: &List<Value>) -> Option<String> {
    page.data.last().and_then(|last| last.get("id")).and_then(Value::as_str).map(str::to_owned)
}

pub(crate) fn unreadable(path: &str) -> StripeError {
    StripeError::Unreadable(format!("what {path} answered is not of the shape that we know"))
}
