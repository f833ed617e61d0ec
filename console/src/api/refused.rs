//! How the API may refuse, for its description: handlers name one of these beside the answer they give.
#![expect(dead_code, reason = "only the description is made of them; refusals themselves are `Refusal`")]

use utoipa::IntoResponses;

use crate::api::Problem;

/// Of what reads.
#[derive(IntoResponses)]
pub enum ReadRefused {
    /// A parameter can't be read (`bad_request`).
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(Problem),
    /// No session, or one that is over (`session_missing`, `session_expired`, `session_invalid`).
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthorized(Problem),
    /// There is none, or it belongs to another account (`not_found`, `account_not_found`).
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(Problem),
    /// Not now; try again in a moment (`book_unavailable`, `sessions_unavailable`, `too_slow`).
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(Problem),
}

/// Of what writes.
#[derive(IntoResponses)]
pub enum WriteRefused {
    /// The body or a parameter can't be read (`bad_request`).
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(Problem),
    /// No session, or one that is over (`session_missing`, `session_expired`, `session_invalid`).
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthorized(Problem),
    /// The person may not (`role_missing`), or a page of another site asks (`cross_site`).
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(Problem),
    /// There is none, or it belongs to another account (`not_found`, `account_not_found`).
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(Problem),
    /// It can't be done as things stand; the code says why.
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(Problem),
    /// The body is larger than this takes (`body_too_large`).
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(Problem),
    /// The body is of another type (`unsupported_media_type`).
    #[response(status = 415, content_type = "application/problem+json")]
    Unsupported(Problem),
    /// The body says what can't be (`invalid`).
    #[response(status = 422, content_type = "application/problem+json")]
    Invalid(Problem),
    /// Not now; try again in a moment (`book_unavailable`, `stripe_unavailable`, `too_slow`).
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(Problem),
}

/// Of what changes only what the caller has seen (`If-Match`), beside [`WriteRefused`].
#[derive(IntoResponses)]
pub enum ChangedMeanwhile {
    /// Somebody else was faster (`changed_meanwhile`).
    #[response(status = 412, content_type = "application/problem+json")]
    PreconditionFailed(Problem),
}
