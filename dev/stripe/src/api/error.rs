//! Refusals in Stripe's shape.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::world::kind::Kind;

#[derive(Debug)]
pub struct ApiError {
    pub status: StatusCode,
    kind: &'static str,
    code: Option<&'static str>,
    param: Option<String>,
    decline_code: Option<&'static str>,
    message: String,
}

impl ApiError {
    fn new(status: StatusCode, kind: &'static str, message: String) -> ApiError {
        ApiError { status, kind, code: None, param: None, decline_code: None, message }
    }

    pub fn invalid(message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::BAD_REQUEST, "invalid_request_error", message.into())
    }

    pub fn lacking(param: &str) -> ApiError {
        ApiError::invalid(format!("Missing required param: {param}.")).code("parameter_missing").param(param)
    }

    pub fn missing(kind: Kind, id: &str) -> ApiError {
        let message = format!("No such {}: '{id}'", kind.noun());
        ApiError::new(StatusCode::NOT_FOUND, "invalid_request_error", message).code("resource_missing").param("id")
    }

    /// An object that names another which is not kept.
    pub fn gone(id: &str) -> ApiError {
        ApiError::new(StatusCode::NOT_FOUND, "invalid_request_error", format!("No such object: '{id}'"))
            .code("resource_missing")
    }

    pub fn no_path(method: &str, path: &str) -> ApiError {
        let message = format!("Unrecognized request URL ({method}: {path}). pretend-stripe has no such path.");
        ApiError::new(StatusCode::NOT_FOUND, "invalid_request_error", message)
    }

    pub fn unauthorized(message: &str) -> ApiError {
        ApiError::new(StatusCode::UNAUTHORIZED, "invalid_request_error", message.to_owned())
    }

    pub fn other_parameters(key: &str) -> ApiError {
        let message = format!(
            "Keys for idempotent requests can only be used with the same parameters they were first used with: '{key}'."
        );
        ApiError::new(StatusCode::BAD_REQUEST, "idempotency_error", message)
    }

    pub fn declined() -> ApiError {
        let message = "Your card was declined.".to_owned();
        let mut error = ApiError::new(StatusCode::PAYMENT_REQUIRED, "card_error", message).code("card_declined");
        error.decline_code = Some("generic_decline");
        error
    }

    pub fn needs_action() -> ApiError {
        let message = "This payment needs the customer to confirm it.".to_owned();
        ApiError::new(StatusCode::PAYMENT_REQUIRED, "card_error", message)
            .code("invoice_payment_intent_requires_action")
    }

    pub fn out_of_order(status: StatusCode) -> ApiError {
        let kind = if status == StatusCode::TOO_MANY_REQUESTS { "invalid_request_error" } else { "api_error" };
        let error = ApiError::new(status, kind, "pretend-stripe was told to be out of order.".to_owned());
        if status == StatusCode::TOO_MANY_REQUESTS { error.code("rate_limit") } else { error }
    }

    pub fn code(mut self, code: &'static str) -> ApiError {
        self.code = Some(code);
        self
    }

    pub fn param(mut self, param: &str) -> ApiError {
        self.param = Some(param.to_owned());
        self
    }

    /// What a parameter names and isn't there is the parameter's fault, not the path's.
    pub fn named_by(mut self, param: &str) -> ApiError {
        self.status = StatusCode::BAD_REQUEST;
        self.param(param)
    }

    pub fn message(&self) -> &str {
        &self.message
    }

    pub fn body(&self) -> Value {
        let mut error = json!({ "message": self.message, "type": self.kind });
        let more = [("code", self.code), ("decline_code", self.decline_code), ("param", self.param.as_deref())];
        for (name, value) in more {
            if let Some(value) = value {
                error[name] = value.into();
            }
        }
        json!({ "error": error })
    }
}
