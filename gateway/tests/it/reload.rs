//! Routes and upstreams change while the gateway serves: no request fails for it, and what is wrong changes nothing.

use metering::Status;

use crate::house::{House, Traffic, Upstream, bearer, until};

const OPEN: &str = "GET /group HTTP/1.1\r\nHost: a\r\n\r\n";
const LOADS: &str = "tollgate_gateway_loads_total";
const FAILED: &str = "tollgate_gateway_loads_failed_total";

async fn until_metric(house: &House, name: &str, at_least: u64) {
    let started = std::time::Instant::now();
    while house.gateway.metric(name).await < at_least {
        assert!(started.elapsed().as_secs() < 15, "{name} stays below {at_least}\n{}", house.gateway.log());
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reloads_under_traffic_fail_no_request() {
    let (one, two) = (Upstream::start().await, Upstream::start().await);
    let group = format!("[reload]\npoll_ms = 0\n[upstreams.group]\nservers = [{{ url = \"{}\" }}]", one.url());
    let mut house = House::start_with(&group).await;
    let account = house.account(Status::Active, 100_000).await;
    let key = bearer(&account.key);
    let priced = format!("POST /v1/group HTTP/1.1\r\nHost: a\r\nAuthorization: {key}\r\nContent-Length: 2\r\n\r\n{{}}");
    let free = Traffic::start(house.gateway.port, OPEN, 4, 4);
    let paid = Traffic::start(house.gateway.port, &priced, 4, 4);
    let (mut from, mut to) = (one.url(), two.url());
    for number in 0..20 {
        house.gateway.edit("gateway.toml", &from, &to);
        std::mem::swap(&mut from, &mut to);
        // Another route comes and goes, in the other file.
        let (old, new) =
            [("name = \"open\"", "name = \"opened\""), ("name = \"opened\"", "name = \"open\"")][number % 2];
        house.gateway.edit("routes.toml", old, new);
        house.gateway.signal("HUP");
        until_metric(&house, LOADS, u64::try_from(number).unwrap() + 2).await;
        free.until_more(10).await;
    }
    let (free, paid) = (free.end().await, paid.end().await);
    assert!(one.seen().len() > 100 && two.seen().len() > 100, "{} and {}", one.seen().len(), two.seen().len());
    assert_eq!(one.seen().len() + two.seen().len(), free + paid, "each was sent once");
    house.until_remaining(&account, 100_000 - u64::try_from(paid).unwrap()).await;
    // The route stayed through all of it, and so did its count.
    let counted = "tollgate_gateway_requests_total{route=\"group\",status_class=\"2xx\"}";
    assert_eq!(house.gateway.metric(counted).await, u64::try_from(paid).unwrap());
    assert_eq!(house.gateway.metric(FAILED).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_file_changes_nothing_and_is_named_with_its_line() {
    let house = House::start_with("[reload]\npoll_ms = 20").await;
    let last = house.gateway.metric("tollgate_gateway_last_load_timestamp_seconds").await;
    assert!(last > 1_700_000_000, "{last}");
    for (file, from, to, said) in [
        ("routes.toml", "upstream = \"group\"", "upstream = \"nobody\"", "routes.toml:"),
        ("gateway.toml", "threads = 2", "thread = 2", "gateway.toml:4: unknown key `thread`"),
        ("gateway.toml", "threads = 2", "threads = ", "gateway.toml:4: "),
    ] {
        let (loads, failed) = (house.gateway.metric(LOADS).await, house.gateway.metric(FAILED).await);
        house.gateway.edit(file, from, to);
        until_metric(&house, FAILED, failed + 1).await;
        let log = house.gateway.log();
        let line = log.lines().rfind(|line| line.contains("are refused and the old ones stay")).unwrap();
        assert!(line.contains(said), "{said} is not in {line}");
        assert_eq!(house.gateway.send("GET", "/group", &[], "").await.status, 200);
        assert_eq!(house.gateway.metric(LOADS).await, loads, "nothing was loaded");
        house.gateway.edit(file, to, from);
        until_metric(&house, LOADS, loads + 1).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_file_is_taken_up_by_itself_and_what_needs_a_restart_is_said() {
    let house = House::start_with("[reload]\npoll_ms = 20").await;
    assert_eq!(house.gateway.send("GET", "/later", &[], "").await.status, 404);
    house.gateway.edit("routes.toml", "path = \"/open\"", "path = \"/later\"");
    until_metric(&house, LOADS, 2).await;
    assert_eq!(house.gateway.send("GET", "/later", &[], "").await.status, 200);
    assert_eq!(house.gateway.send("GET", "/open", &[], "").await.status, 404);
    house.gateway.edit("gateway.toml", "threads = 2", "threads = 3\nbilling_url = \"https://console.example\"");
    until("the warning", || house.gateway.log().contains("need a restart: threads, billing_url")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_under_way_ends_on_the_route_it_was_admitted_with() {
    let (one, two) = (Upstream::start().await, Upstream::start().await);
    let group = format!("[upstreams.group]\nservers = [{{ url = \"{}\" }}]", one.url());
    let mut house = House::start_with(&group).await;
    let account = house.account(Status::Active, 10).await;
    let lines = [("Authorization", &*bearer(&account.key)), ("X-Do", "sse")];
    let streaming = house.gateway.send("POST", "/v1/group", &lines, "{}");
    let reloading = async {
        until("it is under way", || one.seen().len() == 1).await;
        house.gateway.edit("gateway.toml", &one.url(), &two.url());
        house.gateway.edit("routes.toml", "name = \"group\"", "name = \"grouped\"");
        house.gateway.signal("HUP");
        until_metric(&house, LOADS, 2).await;
        one.go_on();
    };
    let (answer, ()) = tokio::join!(streaming, reloading);
    assert!(answer.status == 200 && answer.text().contains("data: {}\n\n"), "{answer:?}");
    until("its line is written", || house.gateway.request_lines().iter().any(|line| line["route"] == "group")).await;
    assert_eq!(house.gateway.send("GET", "/group", &[], "").await.status, 200);
    assert_eq!((one.seen().len(), two.seen().len()), (1, 1));
}
