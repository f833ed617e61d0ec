//! Path tricks can't change which route serves a request, nor which price applies.

use metering::Status;

use crate::house::{House, bearer};

#[tokio::test(flavor = "multi_thread")]
async fn the_upstream_gets_the_canonical_target_and_nothing_else() {
    let mut house = House::start().await;
    let account = house.account(Status::Active, 10).await;
    for (sent, served) in [
        ("/v1/artifacts/7", "/v1/artifacts/7"),
        ("/v1/%61rtifacts/7?x=%61", "/v1/artifacts/7?x=%61"),
        ("/v1/artifacts/%c3%a9", "/v1/artifacts/%C3%A9"),
        ("http://gateway.test/v1/artifacts/7", "/v1/artifacts/7"),
        ("/v1/artifacts/7#fragment", "/v1/artifacts/7"),
    ] {
        assert_eq!(house.get(sent, &account).await.status, 200, "{sent}");
        assert_eq!(house.upstream.last().line(), format!("GET {served} HTTP/1.1"), "{sent}");
    }
    // A priced path in disguise is still priced.
    let lines = [("Authorization", &*bearer(&account.key))];
    assert_eq!(house.gateway.send("POST", "/v1/%6dessages", &lines, "{}").await.status, 200);
    assert_eq!(house.remaining(&account).await, 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn tricks_are_refused_and_never_proxied() {
    let mut house = House::start().await;
    let account = house.account(Status::Active, 10).await;
    for trick in [
        "v1/usage",
        "*",
        "//v1/artifacts/7",
        "/v1//artifacts/7",
        "/./v1/artifacts/7",
        "/x/../v1/artifacts/7",
        "/v1/artifacts/..%2fmessages",
        "/v1/artifacts/a%2fb",
        "/v1/artifacts/a%5cb",
        "/v1\\artifacts\\7",
        "/v1/artifacts/..;/messages",
        "/v1/artifacts/7;x=1",
        "/v1/artifacts/%2e%2e",
        "/v1/artifacts/%00",
        "/v1/artifacts/%0d%0aHost:%20x",
        "/v1/artifacts/%c0%af",
        "/v1/artifacts/\u{e9}",
        "/v1/artifacts/%zz",
        "/v1/artifacts/%252e",
        "/v1/artifacts/7?x=%00",
        "http://other.test/v1/artifacts/7",
        "ftp://gateway.test/v1/artifacts/7",
    ] {
        let answer = house.get(trick, &account).await;
        assert_eq!(answer.status, 400, "{trick}: {answer:?}");
    }
    for unknown in
        ["/", "/admin", "/v1/Messages", "/v1/artifacts", "/v1/artifacts/", "/v1/artifacts/a/b", "/v1/messages/"]
    {
        let answer = house.get(unknown, &account).await;
        assert_eq!((answer.status, answer.code().as_str()), (404, "no_route"), "{unknown}");
    }
    for method in ["TRACE", "OPTIONS", "DELETE", "PROPFIND"] {
        let lines = [("Authorization", &*bearer(&account.key))];
        assert_eq!(house.gateway.send(method, "/v1/messages", &lines, "").await.status, 404, "{method}");
    }
    assert_eq!(house.gateway.send("CONNECT", "gateway.test:443", &[], "").await.status, 405);
    assert_eq!(house.upstream.seen().len(), 0);
    assert_eq!(house.remaining(&account).await, 10);
}
