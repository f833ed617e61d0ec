//! Upstreams behind TLS, believed only with the right certificate, and upstreams that speak HTTP/2.

use std::path::Path;
use std::time::{Duration, Instant};

use metering::Status;
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::house::{House, SecureUpstream, TEST_CA, bearer};

fn group(url: &str, more: &str) -> String {
    format!("[upstreams.group]\nservers = [{{ url = \"{url}\" }}]\n{more}\n")
}

fn with_ca(more: &str) -> String {
    format!("ca_file = \"{TEST_CA}\"\n{more}")
}

#[tokio::test(flavor = "multi_thread")]
async fn https_is_believed_only_with_a_certificate_for_its_name_from_a_known_ca() {
    let upstream = SecureUpstream::start(Some(&["http/1.1"])).await;
    let named = format!("https://localhost:{}", upstream.port());
    let by_address = format!("https://127.0.0.1:{}", upstream.port());
    for (url, more, status) in
        [(&named, with_ca(""), 200), (&by_address, with_ca(""), 502), (&named, String::new(), 502)]
    {
        let mut house = House::start_with(&group(url, &more)).await;
        let account = house.account(Status::Active, 10).await;
        let lines = [("Authorization", &*bearer(&account.key))];
        let answer = house.gateway.send("POST", "/v1/group", &lines, "").await;
        assert_eq!(answer.status, status, "{url} {more}: {answer:?}\n{}", house.gateway.log());
        house.until_remaining(&account, if status == 200 { 9 } else { 10 }).await;
    }
    assert_eq!(upstream.seen(), ["h1 POST /v1/group"], "who is not believed is sent nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn http_2_is_spoken_where_the_settings_want_it() {
    for (tls, more) in [(Some(&["h2", "http/1.1"][..]), with_ca("h2 = true")), (None, "h2 = true".to_owned())] {
        let upstream = SecureUpstream::start(tls).await;
        let url = format!("{}://localhost:{}", if tls.is_some() { "https" } else { "http" }, upstream.port());
        let house = House::start_with(&group(&url, &more)).await;
        for _ in 0..3 {
            let answer = house.gateway.send("GET", "/group?a=1", &[], "").await;
            assert!(answer.status == 200 && answer.text().contains("{}"), "{url} {answer:?}\n{}", house.gateway.log());
        }
        assert_eq!(upstream.seen(), vec![format!("h2 GET {url}/group?a=1"); 3], "its own name, once each");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_http_2_is_spoken_to_in_http_1() {
    let upstream = SecureUpstream::start(Some(&["http/1.1"])).await;
    let url = format!("https://localhost:{}", upstream.port());
    let house = House::start_with(&group(&url, &with_ca("h2 = true"))).await;
    assert_eq!(house.gateway.send("GET", "/group", &[], "").await.status, 200);
    assert_eq!(upstream.seen(), ["h1 GET /group"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_silent_while_connecting_leaves_time_for_another() {
    let upstream = SecureUpstream::start(Some(&["http/1.1"])).await;
    // The kernel takes its connections, and nobody ever says a word on them.
    let silent = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let [silent_url, url] = [silent.local_addr().unwrap().port(), upstream.port()]
        .map(|port| format!("{{ url = \"https://localhost:{port}\" }}"));
    let settings = format!("[upstreams.group]\nservers = [{silent_url}, {url}]\n{}\n", with_ca(""));
    let mut house = House::start_with(&settings).await;
    let account = house.account(Status::Active, 10).await;
    let lines = [("Authorization", &*bearer(&account.key))];
    let mut longest = Duration::ZERO;
    for _ in 0..4 {
        let asked = Instant::now();
        let answer = house.gateway.send("POST", "/v1/group", &lines, "").await;
        assert_eq!(answer.status, 200, "{answer:?}\n{}", house.gateway.log());
        longest = longest.max(asked.elapsed());
    }
    // The route's connect_ms is 1000, and there are two tries.
    assert!((450..1_000).contains(&longest.as_millis()), "{longest:?}");
    house.until_remaining(&account, 6).await;
    assert_eq!(upstream.seen().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_that_are_exchanged_in_their_file_are_believed_after_a_reload() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("ca.pem");
    // A certificate, but of nobody who signed.
    std::fs::copy(Path::new(TEST_CA).with_file_name("server.pem"), &file).unwrap();
    let upstream = SecureUpstream::start(Some(&["http/1.1"])).await;
    let more = format!("ca_file = \"{}\"", file.display());
    let house = House::start_with(&group(&format!("https://localhost:{}", upstream.port()), &more)).await;
    assert_eq!(house.gateway.send("GET", "/group", &[], "").await.status, 502);
    std::fs::copy(TEST_CA, &file).unwrap();
    house.gateway.signal("HUP");
    crate::house::until("it is loaded", || house.gateway.log().contains("loaded anew")).await;
    assert_eq!(house.gateway.send("GET", "/group", &[], "").await.status, 200, "{}", house.gateway.log());
}
