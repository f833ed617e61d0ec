//! What holds for every request, whatever it asks for.

use metering::Status;
use reqwest::Method;

use crate::house::{Answer, House, Plan};

const HEADERS: [(&str, &str); 4] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
];

#[track_caller]
fn is_guarded(answer: &Answer) {
    for (name, value) in HEADERS {
        assert_eq!(answer.header(name), Some(value), "{answer:?}");
    }
    let policy = answer.header("content-security-policy").unwrap_or_else(|| panic!("{answer:?}"));
    for part in ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(
        !policy.contains("http:") && !policy.contains("https:") && !policy.contains('*'),
        "no other host: {policy}"
    );
    assert!(!policy.contains("script-src 'self' 'unsafe"), "{policy}");
}

#[tokio::test]
async fn every_kind_of_answer_tells_browsers_what_they_may_do_with_it() {
    let house = House::with(Plan { settings: "dev.login = true", ..Plan::default() }).await;
    let nobody = async |path: &str| house.ask(Method::GET, path).send().await;
    for (path, status, kept) in [
        ("/", 303, "no-store"),
        ("/nowhere", 404, "no-store"),
        ("/api/nowhere", 404, "no-store"),
        ("/api/openapi.json", 200, "no-store"),
        ("/assets/console.css", 200, "public, max-age=86400"),
        ("/assets/nothing.css", 404, "no-store"),
        ("/assets/..%2f..%2fCargo.toml", 404, "no-store"),
        ("/dev/login?account=nonsense", 400, "no-store"),
    ] {
        let answer = nobody(path).await;
        is_guarded(&answer);
        assert_eq!((answer.status, answer.header("cache-control")), (status, Some(kept)), "{path}");
    }
    let forged = house.ask(Method::POST, "/").header("sec-fetch-site", "cross-site").send().await;
    is_guarded(&forged);
    let styled = nobody("/assets/console.css").await;
    assert_eq!(styled.header("content-type"), Some("text/css; charset=utf-8"));
    let docs = nobody("/api/docs/").await;
    is_guarded(&docs);
    assert_eq!(docs.status, 200);
    assert!(house.console.metric("tollgate_console_answers_total").await >= 11);
    assert!(!house.console.log().contains("panicked"), "{}", house.console.log());
}

#[tokio::test]
async fn what_a_page_of_another_site_sends_is_refused_whoever_is_signed_in() {
    let house = House::start().await;
    let own = house.url.clone();
    let send = async |lines: &[(&str, &str)]| {
        let post = house.ask(Method::POST, "/nowhere").body("application/x-www-form-urlencoded", "a=1");
        lines.iter().fold(post, |post, (name, value)| post.header(name, value)).send().await
    };
    for lines in [
        &[("sec-fetch-site", "cross-site")][..],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
    ] {
        let refused = send(lines).await;
        assert_eq!(refused.status, 403, "{lines:?}: {refused:?}");
        assert!(refused.text.contains("cross_site"), "{lines:?}: {refused:?}");
    }
    for lines in [
        &[("sec-fetch-site", "same-origin")][..],
        &[("sec-fetch-site", "none")],
        &[("origin", own.as_str())],
        // Programs say neither; a browser would.
        &[],
    ] {
        let taken = send(lines).await;
        assert_eq!(taken.status, 404, "goes on to the routes: {lines:?}: {taken:?}");
    }
    let read = house.ask(Method::GET, "/").header("sec-fetch-site", "cross-site").send().await;
    assert_eq!(read.status, 303, "reading from elsewhere is a link that somebody clicked");
}

#[tokio::test]
async fn no_form_is_taken_from_another_site_with_a_session_that_could_send_it() {
    let house = House::start().await;
    let account = house.account("Ann", Status::Active, 10).await;
    let owner = house.person(account, "billing_owner");
    for path in ["/billing/budget", "/billing/checkout", "/billing/portal", "/keys/new", "/settings"] {
        let forged = house.ask(Method::POST, path).of(&owner).header("sec-fetch-site", "cross-site");
        let forged = forged.body("application/x-www-form-urlencoded", "limit=40&plan=team&name=laptop").send().await;
        assert_eq!(forged.status, 403, "{path}: {forged:?}");
    }
    assert_eq!(house.book.number("SELECT count(*) FROM audit WHERE actor LIKE '%@example.org'").await, 0);
    let sent = house.form(&owner, "/billing/budget", &[("limit", "40")]).await;
    assert_eq!(sent.location(), "/billing?done=budget_saved");
}
