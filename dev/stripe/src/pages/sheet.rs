//! What all pages share: the frame that says that nothing is real, money in words, and the way back.

use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};

use crate::api::error::ApiError;

const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1a1f36; --paper: #fff; --line: #c9cedb; --go: #4b3fd6; --warn: #8a4b00; \
--warn-paper: #fff4e0; --bad: #a3123a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaf2; --paper: #14161f; --line: #444a5e; --go: #a79fff; \
--warn: #ffcf8a; --warn-paper: #3a2a10; --bad: #ff9db3; } }
* { box-sizing: border-box; }
body { margin: 0; font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
main { max-width: 36rem; margin: 0 auto; padding: 1rem; }
.double { margin: 0; padding: .5rem 1rem; text-align: center; color: var(--warn); background: var(--warn-paper); }
.bad { color: var(--bad); font-weight: 600; }
table { width: 100%; border-collapse: collapse; } th, td { padding: .4rem 0; text-align: left; \
border-bottom: 1px solid var(--line); } td:last-child, th:last-child { text-align: right; }
form { margin: .75rem 0; } label { display: block; margin: .75rem 0; }
input { width: 100%; padding: .5rem; font: inherit; color: inherit; background: transparent; \
border: 1px solid var(--line); border-radius: .4rem; }
button, .link { display: block; width: 100%; margin: .5rem 0; padding: .65rem; font: inherit; text-align: center; \
color: var(--go); background: transparent; border: 1px solid var(--go); border-radius: .4rem; cursor: pointer; }
button.first { color: var(--paper); background: var(--go); }
:focus-visible { outline: 3px solid var(--go); outline-offset: 2px; }
";

pub fn page(title: &str, body: &str) -> Html<String> {
    let title = escape(title);
    Html(format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\"><title>{title} – pretend Stripe</title><style>{STYLE}</style>\
         </head><body><p class=\"double\" role=\"note\">This is a test double of Stripe. No money moves; type no real \
         card or address.</p><main><h1>{title}</h1>{body}</main></body></html>"
    ))
}

/// A refusal, in words, with the way back.
pub fn refused(err: &ApiError) -> Response {
    let body = format!("<p class=\"bad\" role=\"alert\">{}</p>", escape(err.message()));
    let status = if err.status == StatusCode::UNAUTHORIZED { StatusCode::BAD_REQUEST } else { err.status };
    (status, page("That did not work", &body)).into_response()
}

pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

/// A form of one button.
pub fn button(action: &str, words: &str) -> String {
    format!("<form method=\"post\" action=\"{}\"><button>{}</button></form>", escape(action), escape(words))
}

/// A link that looks like a button; only to a web address.
pub fn link(url: &str, words: &str) -> String {
    if !url.starts_with("http://") && !url.starts_with("https://") {
        return String::new();
    }
    format!("<a class=\"link\" href=\"{}\">{}</a>", escape(url), escape(words))
}

pub fn back_to(path: &str) -> Response {
    Redirect::to(path).into_response()
}

/// Minor units as people write them, for the currencies that have two decimals.
pub fn money(amount: i64, currency: &str) -> String {
    let sign = if amount < 0 { "-" } else { "" };
    let amount = amount.unsigned_abs();
    format!("{sign}{}.{:02} {}", amount / 100, amount % 100, currency.to_uppercase())
}
