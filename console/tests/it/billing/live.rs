//! The balance as it changes: told at once, told only when it is another one, for so long, and to so many.

use std::time::{Duration, Instant};

use metering::{SessionSubject, Status};
use reqwest::{Method, Response};
use serde_json::Value;

use super::{Draws, open_house};
use crate::house::{House, PATIENCE, Person, Plan, SECRET, claims, sign, wait_until};

/// A page that is told of changes.
struct Stream {
    response: Response,
    text: String,
}

impl Stream {
    async fn open(house: &House, person: &Person) -> Self {
        let cookie = format!("__Host-tollgate-session={}", person.session);
        let ask = house.http.get(format!("{}/api/billing/live", house.url)).header("cookie", cookie);
        let response = ask.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, text: String::new() }
    }

    /// The next event; `None` at the end.
    async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let data = event.lines().find_map(|line| line.strip_prefix("data: ")).map(str::to_owned);
                let rest = rest.to_owned();
                self.text = rest;
                match data {
                    Some(data) => return Some(serde_json::from_str(&data).unwrap()),
                    None => continue,
                }
            }
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk()).await.unwrap().unwrap()?;
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }
}

#[tokio::test]
async fn a_page_hears_of_a_draw_and_of_a_new_status_within_moments() {
    let house = open_house().await;
    let account = house.account("Ann", Status::Active, 1_000).await;
    let member = house.person(account, "member");
    let mut page = Stream::open(&house, &member).await;
    let first = page.next().await.unwrap();
    assert_eq!((&first["remaining"], &first["used"], &first["status"]), (&1_000.into(), &0.into(), &"active".into()));
    assert_eq!((&first["remaining_shown"], &first["source"]), (&"1\u{202f}000".into(), &"live".into()));
    Draws::of(&house).await.draw(account, 7, "chat", None).await;
    let drawn = page.next().await.unwrap();
    assert_eq!((&drawn["remaining"], &drawn["used"]), (&993.into(), &7.into()));
    let by = crate::house::by(house.now().await);
    house.book.ledger.set_budget(account, crate::house::credits(10), &by).await.unwrap();
    let budget = page.next().await.unwrap();
    assert_eq!((&budget["budget_limit"], &budget["budget_percent"]), (&10.into(), &70.into()));
    house.book.ledger.set_status(account, Status::Suspended, &by).await.unwrap();
    let stopped = page.next().await.unwrap();
    assert_eq!((&stopped["status"], &stopped["status_shown"]), (&"suspended".into(), &"Suspended".into()));
    house.console.wait_metric("tollgate_console_live_pages", 1).await;
    drop(page);
    house.console.wait_metric("tollgate_console_live_pages", 0).await;
}

#[tokio::test]
async fn a_stream_ends_after_its_time_and_when_the_console_stops() {
    let settings = "limits.live_ms_max = 400";
    let house = House::with(Plan { settings, ..Plan::default() }).await;
    let person = house.person(house.account("Ann", Status::Active, 5).await, "member");
    let began = Instant::now();
    let mut page = Stream::open(&house, &person).await;
    let first = page.next().await.unwrap();
    assert_eq!((&first["remaining"], &first["source"]), (&5.into(), &"book".into()), "nothing fills this live state");
    assert!(first["source_shown"].as_str().unwrap().starts_with("As of the book"));
    assert!(page.next().await.is_none(), "nothing has changed, so nothing more is told");
    assert!(began.elapsed() >= Duration::from_millis(400));

    let mut house = House::start().await;
    let person = house.person(house.account("Ann", Status::Active, 5).await, "member");
    let mut page = Stream::open(&house, &person).await;
    assert!(page.next().await.is_some());
    house.console.signal("TERM");
    assert!(page.next().await.is_none());
    assert!(house.console.ended().await.success(), "{}", house.console.log());
}

#[tokio::test]
async fn only_so_many_pages_are_told_and_others_are_shown_without() {
    let house = House::with(Plan { settings: "limits.live_max = 1", ..Plan::default() }).await;
    let person = house.person(house.account("Ann", Status::Active, 5).await, "member");
    let page = Stream::open(&house, &person).await;
    let refused = house.ask(Method::GET, "/api/billing/live").of(&person).send().await;
    assert_eq!(refused.problem(), "503 live_places_taken");
    assert_eq!(house.get(&person, "/billing").await.status, 200);
    drop(page);
    wait_until("the place is free again", async || {
        let cookie = format!("__Host-tollgate-session={}", person.session);
        let ask = house.http.get(format!("{}/api/billing/live", house.url)).header("cookie", cookie);
        ask.send().await.unwrap().status() == 200
    })
    .await;
}

#[tokio::test]
async fn a_stream_ends_within_moments_of_its_session_and_others_go_on() {
    let house = House::with(Plan { settings: "sessions.leeway_seconds = 0", ..Plan::default() }).await;
    let account = house.account("Ann", Status::Active, 5).await;
    let (ann, bob) = (house.person(account, "admin"), house.person(account, "member"));
    let (mut hers, mut his) = (Stream::open(&house, &ann).await, Stream::open(&house, &bob).await);
    assert!(hers.next().await.is_some() && his.next().await.is_some());
    let subject: SessionSubject = ann.subject.parse().unwrap();
    let by = crate::house::by(house.now().await);
    house.book.ledger.end_sessions(account, Some(&subject), None, &by).await.unwrap();
    let ended = Instant::now();
    assert!(hers.next().await.is_none(), "she is told nothing more");
    assert!(ended.elapsed() < Duration::from_secs(3), "{:?}", ended.elapsed()); // a second, on a machine that does other things too
    let refused = house.ask(Method::GET, "/api/billing/live").of(&ann).send().await;
    assert_eq!(refused.problem(), "401 session_expired");
    house.book.ledger.set_budget(account, crate::house::credits(10), &by).await.unwrap();
    let told = his.next().await.expect("his session is good");
    assert_eq!(told["budget_limit"], 10);

    let mut soon = claims(account, &bob.subject, &["member"]);
    soon["exp"] = (house.now().await.as_u64() / 1_000 + 2).into();
    let brief = Person { session: sign(SECRET, &soon), ..bob };
    let (mut page, opened) = (Stream::open(&house, &brief).await, Instant::now());
    assert!(page.next().await.is_some());
    assert!(page.next().await.is_none(), "it has run out");
    assert!(opened.elapsed() < Duration::from_secs(5), "{:?}", opened.elapsed());
}
