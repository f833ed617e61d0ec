//! What an error of the transport or an answer that is none means for us.

use crate::error::StripeError;

/// An operator reads a line or two of it.
const MESSAGE_LETTERS_MAX: usize = 300;

pub(super) fn of(path: &str, error: &async_stripe::StripeError) -> StripeError {
    match error {
        async_stripe::StripeError::Stripe(told, status) => {
            let code = told.code.as_ref().map(async_stripe::ApiErrorsCode::as_str).unwrap_or_default();
            answered(path, *status, told.type_.as_str(), code, told.message.as_deref().unwrap_or_default())
        }
        async_stripe::StripeError::Timeout => StripeError::Unavailable("no answer in time".to_owned()),
        // A proxy's page, or half an answer: as good as none.
        async_stripe::StripeError::JSONDeserialize(_) => {
            StripeError::Unavailable("the answer is none of Stripe's".to_owned())
        }
        async_stripe::StripeError::ClientError(why) => StripeError::Unavailable(scrubbed(why)),
        async_stripe::StripeError::ConfigError(_) => {
            StripeError::Settings("the request can't be built from the settings".to_owned())
        }
    }
}

fn answered(path: &str, status: u16, kind: &str, code: &str, message: &str) -> StripeError {
    match status {
        401 | 403 => StripeError::KeyRefused { status },
        404 => StripeError::Missing(path.to_owned()),
        // 409: the same key is just being worked on, or the object is locked. 424: somebody behind Stripe is away.
        409 | 424 | 429 | 500.. => StripeError::Unavailable(format!("it answered {status}")),
        _ if kind == "idempotency_error" => StripeError::KeyReused,
        _ => {
            let message = if code.is_empty() { scrubbed(message) } else { format!("{code}: {}", scrubbed(message)) };
            StripeError::Refused { status, message }
        }
    }
}

/// Without anything that looks like a key, and not longer than a line or two.
fn scrubbed(message: &str) -> String {
    let secret = |word: &str| ["sk_", "rk_", "pk_", "whsec_"].iter().any(|prefix| word.contains(prefix));
    let words = message.split_whitespace().map(|word| if secret(word) { "…" } else { word });
    words.collect::<Vec<_>>().join(" ").chars().take(MESSAGE_LETTERS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(status: u16, kind: &str) -> &'static str {
        answered("/x", status, kind, "", "").code()
    }

    #[test]
    fn what_may_pass_is_unavailable_and_the_rest_is_not() {
        for status in [409, 424, 429, 500, 502, 503, 504, 599] {
            assert_eq!(told(status, "api_error"), "stripe_unavailable", "{status}");
        }
        assert_eq!((told(401, ""), told(403, "")), ("stripe_key_refused", "stripe_key_refused"));
        assert_eq!(told(404, ""), "stripe_missing");
        assert_eq!(told(400, "idempotency_error"), "idempotency_key_mismatch");
        assert_eq!((told(400, "invalid_request_error"), told(402, "card_error")), ("stripe_refused", "stripe_refused"));
    }

    #[test]
    fn what_stripe_did_not_answer_is_unavailable() {
        use async_stripe::StripeError as Transport;
        for error in [
            Transport::Timeout,
            Transport::ClientError("connection refused".to_owned()),
            Transport::JSONDeserialize("x".to_owned()),
        ] {
            assert!(of("/x", &error).is_passing(), "{error}");
        }
        assert_eq!(of("/x", &Transport::ConfigError("x".to_owned())).code(), "stripe_settings");
    }

    #[test]
    fn a_refusal_says_why_and_never_the_key() {
        let refused =
            |message: &str| answered("/x", 400, "invalid_request_error", "resource_missing", message).to_string();
        assert_eq!(
            refused("No such price: 'price_1'"),
            "Stripe refused the request (400): resource_missing: No such price: 'price_1'"
        );
        for key in ["sk_test_secret", "(rk_live_secret)", "key=whsec_secret", "pk_live_secret"] {
            assert!(!refused(&format!("Invalid key {key} given")).contains("secret"), "{key}");
        }
        assert_eq!(scrubbed(&"a".repeat(301)).len(), 300);
        let bare = answered("/x", 400, "", "", "why").to_string();
        assert_eq!(bare, "Stripe refused the request (400): why");
    }
}
