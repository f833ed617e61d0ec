//! Groups of servers: how requests are shared, who is left out, and what is never sent twice.

use metering::Status;
use metering::testing::free_port;

use crate::house::{Account, Answer, House, Upstream, bearer};

/// Settings of a group of these servers, each with its weight.
fn group(servers: &[(&str, u32)], more: &str) -> String {
    let servers: Vec<String> =
        servers.iter().map(|(url, weight)| format!("{{ url = \"{url}\", weight = {weight} }}")).collect();
    format!("[upstreams.group]\nservers = [{}]\n{more}", servers.join(", "))
}

fn refusing() -> String {
    format!("http://127.0.0.1:{}", free_port())
}

async fn priced(house: &House, account: &Account, order: &str) -> Answer {
    let lines = [("Authorization", &*bearer(&account.key)), ("X-Do", order)];
    house.gateway.send("POST", "/v1/group", &lines, "{}").await
}

async fn free(house: &House) -> Answer {
    house.gateway.send("GET", "/group", &[], "").await
}

/// The value of a metric of one server of the group.
async fn of_server(house: &House, metric: &str, url: &str) -> u64 {
    house.gateway.metric(&format!("tollgate_gateway_{metric}{{server=\"{url}\",upstream=\"group\"}}")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_shared_by_weight_and_each_server_gets_its_own_host() {
    let (many, few) = (Upstream::start().await, Upstream::start().await);
    let house = House::start_with(&group(&[(&many.url(), 9), (&few.url(), 1)], "")).await;
    for _ in 0..50 {
        assert_eq!(free(&house).await.status, 200);
    }
    let (many_seen, few_seen) = (many.seen().len(), few.seen().len());
    assert!(many_seen + few_seen == 50 && (4..=6).contains(&few_seen), "{many_seen} and {few_seen}");
    for server in [&many, &few] {
        let host = server.url().replace("http://", "");
        assert_eq!(server.last().values("host"), [host.as_str()]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_refuses_connections_is_passed_over_and_costs_nobody() {
    let (good, bad) = (Upstream::start().await, refusing());
    let mut house = House::start_with(&group(&[(&good.url(), 1), (&bad, 1)], "eject = { ms = 60000 }\n")).await;
    let account = house.account(Status::Active, 30).await;
    for _ in 0..20 {
        let answer = priced(&house, &account, "").await;
        assert_eq!(answer.status, 200, "{answer:?}\n{}", house.gateway.log());
    }
    house.until_remaining(&account, 10).await;
    assert_eq!(good.seen().len(), 20, "each was sent once");
    // Five failures in a row, and then it is asked no more.
    assert_eq!(of_server(&house, "upstream_ejections_total", &bad).await, 1);
    assert_eq!(of_server(&house, "upstream_up", &bad).await, 0);
    assert_eq!(of_server(&house, "upstream_up", &good.url()).await, 1);
    assert_eq!(house.gateway.metric("tollgate_gateway_upstream_connect_retries_total{upstream=\"group\"}").await, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_nobody_can_reach_is_502_and_given_back_once() {
    let mut house = House::start_with(&group(&[(&refusing(), 1), (&refusing(), 1), (&refusing(), 1)], "")).await;
    let account = house.account(Status::Active, 10).await;
    for _ in 0..10 {
        let answer = priced(&house, &account, "").await;
        assert_eq!((answer.status, answer.code().as_str()), (502, "upstream_failed"));
        assert_eq!((answer.header("Credits-Cost"), answer.header("Credits-Remaining")), (Some("0"), Some("10")));
    }
    house.until_remaining(&account, 10).await;
    assert_eq!(house.gateway.metric("tollgate_gateway_give_backs_total{reason=\"unreachable\"}").await, 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_reached_a_server_is_never_sent_to_another() {
    let (one, two) = (Upstream::start().await, Upstream::start().await);
    let mut house = House::start_with(&group(&[(&one.url(), 1), (&two.url(), 1)], "connect_tries = 5\n")).await;
    let account = house.account(Status::Active, 10).await;
    for (order, status) in [("close", 502), ("silence", 504), ("status=500", 500)] {
        let before = one.seen().len() + two.seen().len();
        assert_eq!(priced(&house, &account, order).await.status, status, "{order}");
        assert_eq!(one.seen().len() + two.seen().len(), before + 1, "{order}");
    }
    house.until_remaining(&account, 10).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_answers_500_is_left_out_and_comes_back() {
    let (good, bad) = (Upstream::start().await, Upstream::start().await);
    let eject = "eject = { after = 3, ms = 300, ms_max = 300 }\n";
    let house = House::start_with(&group(&[(&good.url(), 1), (&bad.url(), 1)], eject)).await;
    bad.usually("status=500");
    while of_server(&house, "upstream_ejections_total", &bad.url()).await == 0 {
        free(&house).await;
    }
    assert_eq!(bad.seen().len(), 3, "left out at the third failure in a row");
    assert_eq!(free(&house).await.status, 200);
    bad.usually("");
    let started = std::time::Instant::now();
    while bad.seen().len() < 5 {
        assert!(started.elapsed().as_secs() < 10, "it never comes back\n{}", house.gateway.log());
        assert_eq!(free(&house).await.status, 200);
    }
    let lines = house.gateway.log();
    assert!(lines.contains("is left out for 0.3 s after 3 failures in a row"), "{lines}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_server_is_left_out_and_the_last_one_never_is() {
    let (one, two) = (Upstream::start().await, Upstream::start().await);
    let eject = "eject = { after = 1, ms = 60000, percent_max = 100 }\n";
    let house = House::start_with(&group(&[(&one.url(), 1), (&two.url(), 1)], eject)).await;
    for server in [&one, &two] {
        server.usually("silence");
    }
    for _ in 0..4 {
        assert_eq!(free(&house).await.status, 504);
    }
    let mut seen = [one.seen().len(), two.seen().len()];
    seen.sort_unstable();
    assert_eq!(seen, [1, 3], "one is out, the other goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_server_is_503_and_nothing_is_drawn() {
    let server = Upstream::start().await;
    let mut house = House::start_with(&group(&[(&server.url(), 1)], "requests_max = 1\n")).await;
    let account = house.account(Status::Active, 10).await;
    let waiting = async { priced(&house, &account, "sse").await };
    let refused = async {
        crate::house::until("the first one is there", || server.seen().len() == 1).await;
        let answer = priced(&house, &account, "").await;
        server.go_on();
        answer
    };
    let (waiting, refused) = tokio::join!(waiting, refused);
    assert_eq!(waiting.status, 200);
    assert_eq!((refused.status, refused.code().as_str()), (503, "upstream_busy"));
    assert_eq!((refused.header("Retry-After"), refused.header("Credits-Receipt")), (Some("1"), None));
    assert_eq!(house.gateway.metric("tollgate_gateway_upstream_busy_total{upstream=\"group\"}").await, 1);
    assert_eq!(priced(&house, &account, "").await.status, 200, "the place is free again");
    house.until_remaining(&account, 8).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_fails_its_health_checks_gets_nothing_until_it_passes_them() {
    let (good, sick) = (Upstream::start().await, Upstream::start().await);
    sick.usually("status=503");
    let health = "health = { path = \"/up\", interval_ms = 20, timeout_ms = 500, down_after = 2, up_after = 2 }\n";
    let house = House::start_with(&group(&[(&good.url(), 1), (&sick.url(), 1)], health)).await;
    let log = || house.gateway.log();
    let (url, sick_url) = (good.url(), sick.url());
    crate::house::until("it is found out", || log().contains("is not healthy: it answers 503")).await;
    let asked = |server: &Upstream| server.seen().iter().filter(|seen| seen.line().contains("/group")).count();
    for _ in 0..10 {
        assert_eq!(free(&house).await.status, 200);
    }
    assert_eq!((asked(&good), asked(&sick)), (10, 0));
    assert_eq!(
        (of_server(&house, "upstream_up", &url).await, of_server(&house, "upstream_up", &sick_url).await),
        (1, 0)
    );
    sick.usually("");
    crate::house::until("it is healthy again", || log().contains("is healthy again")).await;
    for _ in 0..10 {
        assert_eq!(free(&house).await.status, 200);
    }
    assert!(asked(&good) + asked(&sick) == 20 && asked(&sick) >= 4, "{} and {}", asked(&good), asked(&sick));
    // When nobody is healthy, everybody is asked.
    for server in [&good, &sick] {
        server.usually("status=503");
    }
    crate::house::until("both are down", || log().matches("is not healthy").count() == 3).await;
    for server in [&good, &sick] {
        server.usually("");
    }
    assert_eq!(free(&house).await.status, 200);
}
