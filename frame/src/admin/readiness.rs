//! The answer of `/readyz`: whether a service does its work now, what is missing if not, and what it tells besides.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

/// Ready when nothing is missing. The facts are for people; nothing but the status decides.
pub fn answer(missing: Option<&str>, facts: impl IntoIterator<Item = (&'static str, Value)>) -> Response {
    let status = if missing.is_none() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let head = [("ready", missing.is_none().into()), ("says", missing.unwrap_or("ready").into())];
    let told: Map<String, Value> = head.into_iter().chain(facts).map(|(name, fact)| (name.to_owned(), fact)).collect();
    (status, Json(told)).into_response()
}

/// How a service stands that needs nothing but the book: it was found and fits, and it answers.
#[derive(Clone, Copy, Debug)]
pub struct OnBook {
    /// Told to stop.
    pub stopping: bool,
    /// The book was found and fits.
    pub fits: bool,
    /// It answered when it was last asked.
    pub answers: bool,
}

impl OnBook {
    /// Says so, with what the service tells besides.
    pub fn answer(self, facts: impl IntoIterator<Item = (&'static str, Value)>) -> Response {
        let book = ("book", (self.fits && self.answers).into());
        answer(self.missing(), std::iter::once(book).chain(facts))
    }

    const fn missing(self) -> Option<&'static str> {
        match (self.stopping, self.fits, self.answers) {
            (true, ..) => Some("stopping"),
            (false, false, _) => Some("the book is not there"),
            (false, true, false) => Some("the book does not answer"),
            (false, true, true) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    async fn told(stopping: bool, fits: bool, answers: bool) -> (u16, Value) {
        let answer = OnBook { stopping, fits, answers }.answer([("plans", 2.into())]);
        let status = answer.status().as_u16();
        let body = axum::body::to_bytes(answer.into_body(), 1024).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }

    #[tokio::test]
    async fn a_service_is_ready_only_while_the_book_fits_and_answers_and_nobody_stops_it() {
        let ready = json!({ "ready": true, "says": "ready", "book": true, "plans": 2 });
        assert_eq!(told(false, true, true).await, (200, ready));
        for (stopping, fits, answers, book, says) in [
            (true, true, true, true, "stopping"),
            (true, false, false, false, "stopping"),
            (false, false, true, false, "the book is not there"),
            (false, false, false, false, "the book is not there"),
            (false, true, false, false, "the book does not answer"),
        ] {
            let body = json!({ "ready": false, "says": says, "book": book, "plans": 2 });
            assert_eq!(told(stopping, fits, answers).await, (503, body));
        }
    }
}
