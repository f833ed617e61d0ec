//! What comes in: query, path, form and JSON, each with its limit, and refused in our own terms.

use std::fmt::Display;
use std::str::FromStr;

use axum::extract::rejection::{FormRejection, JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts};
use axum::http::StatusCode;
use metering::AccountId;

use crate::refusal::Refusal;

/// Most items that a list gives at once, and how many it gives where nobody says.
pub const ITEMS_MAX: u32 = 200;
pub const ITEMS: u32 = 50;

/// The query of a request.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Query), rejection(Refusal))]
pub struct Query<T>(pub T);

/// The parameters of its path.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(Refusal))]
pub struct Path<T>(pub T);

/// A form.
#[derive(FromRequest)]
#[from_request(via(axum::extract::Form), rejection(Refusal))]
pub struct Form<T>(pub T);

/// A JSON body.
#[derive(FromRequest)]
#[from_request(via(axum::Json), rejection(Refusal))]
pub struct Json<T>(pub T);

/// How many items a list shall give: 1 to [`ITEMS_MAX`].
pub fn limit(asked: Option<u32>) -> Result<u32, Refusal> {
    match asked {
        None => Ok(ITEMS),
        Some(limit) if (1..=ITEMS_MAX).contains(&limit) => Ok(limit),
        Some(_) => Err(Refusal::bad_request(format!("`limit` is 1 to {ITEMS_MAX}."))),
    }
}

/// The same where one more is read, which tells whether there is a next page: the book reads [`ITEMS_MAX`] at most.
pub fn limit_of_read(asked: Option<u32>) -> Result<u32, Refusal> {
    Ok(limit(asked)?.min(ITEMS_MAX - 1))
}

/// Reads a parameter that may be left out; one that can't be read is named, with why.
pub fn read<T: FromStr<Err: Display>>(name: &str, text: Option<&str>) -> Result<Option<T>, Refusal> {
    text.map(str::parse).transpose().map_err(|error| Refusal::bad_request(format!("`{name}`: {error}.")))
}

/// The account that a list of programs is narrowed to.
pub fn account(text: Option<&str>) -> Result<Option<AccountId>, Refusal> {
    text.map(str::parse).transpose().map_err(|_| Refusal::bad_request("`account` is no account's id."))
}

/// Where a page of a list begins.
pub fn place<T: FromStr>(after: Option<&str>) -> Result<Option<T>, Refusal> {
    after.map(str::parse).transpose().map_err(|_| no_place())
}

/// What says where a page begins is nothing that an earlier one has said.
pub fn no_place() -> Refusal {
    Refusal::bad_request("`after` is no place in this list.")
}

impl From<QueryRejection> for Refusal {
    fn from(rejection: QueryRejection) -> Self {
        Self::bad_request(format!("The query can't be read: {}.", rejection.body_text()))
    }
}

/// What a path names and can't be read is nothing that is there.
impl From<PathRejection> for Refusal {
    fn from(_: PathRejection) -> Self {
        Self::not_found("thing")
    }
}

impl From<FormRejection> for Refusal {
    fn from(rejection: FormRejection) -> Self {
        of_body(rejection.status(), &rejection.body_text())
    }
}

impl From<JsonRejection> for Refusal {
    fn from(rejection: JsonRejection) -> Self {
        of_body(rejection.status(), &rejection.body_text())
    }
}

fn of_body(status: StatusCode, what: &str) -> Refusal {
    match status.as_u16() {
        413 => Refusal::new(status, "body_too_large", "This is more than can be taken."),
        415 => Refusal::new(status, "unsupported_media_type", "The body is of another type than this takes."),
        422 => Refusal::invalid(format!("The body can't be taken: {what}.")),
        _ => Refusal::bad_request(format!("The body can't be read: {what}.")),
    }
}
