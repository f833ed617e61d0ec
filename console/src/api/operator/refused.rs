//! How reads of the operators' API may refuse, for its description.
#![expect(dead_code, reason = "only the description is made of them; refusals themselves are `Refusal`")]

use utoipa::IntoResponses;

use crate::api::Problem;

/// Of what reads. Writes refuse by `WriteRefused`.
#[derive(IntoResponses)]
pub enum OperatorReadRefused {
    /// A parameter can't be read (`bad_request`).
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(Problem),
    /// No session, or one that is over (`session_missing`, `session_expired`, `session_invalid`).
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthorized(Problem),
    /// Whoever asks is no operator (`role_missing`).
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(Problem),
    /// There is none (`not_found`, `account_not_found`, …).
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(Problem),
    /// A parameter says what can't be (`invalid`).
    #[response(status = 422, content_type = "application/problem+json")]
    Invalid(Problem),
    /// Not now; try again in a moment (`book_unavailable`, `sessions_unavailable`, `too_slow`).
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(Problem),
}
