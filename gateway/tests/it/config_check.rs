//! Wrong settings are refused before a port is opened, with the place where they stand.

use std::fs;
use std::process::Output;

use tempfile::TempDir;

use crate::house::binary;

const ROUTE: &str =
    "[[route]]\nname = \"a\"\nmethod = \"GET\"\npath = \"/a\"\nauth = \"api_key\"\nprice = 1\nupstream = \"demo\"\n";

fn check(config: &str, routes: &str, variable: Option<(&str, &str)>) -> (Option<i32>, String) {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("gateway.toml"), config).unwrap();
    fs::write(directory.path().join("routes.toml"), routes).unwrap();
    let Output { status, stderr, .. } = binary()
        .arg("--check")
        .arg("--config")
        .arg(directory.path().join("gateway.toml"))
        .envs(variable)
        .output()
        .unwrap();
    (status.code(), String::from_utf8_lossy(&stderr).into_owned())
}

#[test]
fn the_compiled_in_settings_and_routes_are_good() {
    let Output { status, stderr, .. } = binary().arg("--check").output().unwrap();
    assert_eq!(status.code(), Some(0), "{}", String::from_utf8_lossy(&stderr));
    assert_eq!(check("", "", None).0, Some(0));
}

#[test]
fn wrong_settings_exit_with_64_and_name_their_place() {
    let with_routes = "routes = \"routes.toml\"\n";
    for (config, routes, place) in [
        ("threads = 1\nthread = 1\n", "", "gateway.toml:2: unknown key `thread`"),
        ("[redis]\nurl = 5\n", "", "gateway.toml:2: key `redis.url`"),
        ("[redis]\nurl = \"postgres://secret@x\"\n", "", "gateway.toml:2: key `redis.url`: must be a URL"),
        ("listen = \"here\"\n", "", "gateway.toml:1: key `listen`"),
        ("[upstreams]\nx = \"/tmp\"\n", "", "gateway.toml:2: key `upstreams.x`"),
        ("[upstreams.x]\nservers = []\n", "", "gateway.toml:1: key `upstreams.x`: `servers` must be 1 to 64"),
        (
            "[upstreams.x]\nservers = [{ url = \"http://a\" }]\ntries = 3\n",
            "",
            "gateway.toml:3: unknown key `upstreams.x.tries`",
        ),
        (
            "[upstreams.x]\nservers = [{ url = \"https://a\" }]\nca_file = \"absent.pem\"\n",
            "",
            "gateway: upstreams.x: ca_file ",
        ),
        ("[log]\nlevel = \"gateway=loud\"\n", "", "key `log.level`"),
        ("[traces]\nendpoint = \"collector:4318\"\n", "", "key `traces.endpoint`: "),
        ("[traces]\nendpoint = \"http://c/\"\nsampled_per_10_000 = 10001\n", "", "key `traces.sampled_per_10_000`: "),
        ("x = = 1\n", "", "gateway.toml:1: "),
        (with_routes, "", "routes.toml:1: no route"),
        (with_routes, &ROUTE.replace("\"demo\"", "\"chat\""), "routes.toml:7: unknown upstream `chat`"),
        (with_routes, &ROUTE.replace("\"api_key\"", "\"none\""), "routes.toml:6: a price needs auth"),
        (with_routes, &format!("{ROUTE}upgrade = \"h2c\"\n"), "routes.toml:8: "),
        (
            with_routes,
            &format!("{ROUTE}upgrade = \"websocket\"\nterminal_event = \"x\"\n"),
            "routes.toml:9: a connection",
        ),
        (
            with_routes,
            &format!("{}upgrade = \"websocket\"\n", ROUTE.replace("GET", "POST")),
            "routes.toml:8: an upgrade needs method GET",
        ),
        (with_routes, &ROUTE.replace("price", "prize"), "routes.toml:6: unknown field `prize`"),
        (
            with_routes,
            &format!("{ROUTE}{}", ROUTE.replace("\"a\"", "\"b\"")),
            "routes.toml:11: the same requests as route `a`",
        ),
        ("routes = \"absent.toml\"\n", "", "absent.toml: "),
    ] {
        refused(config, routes, place);
    }
}

#[test]
fn wrong_settings_of_sessions_exit_with_64_and_name_their_place() {
    let with_routes = "routes = \"routes.toml\"\n";
    for (config, routes, place) in [
        ("[sessions]\nalgorithm = \"none\"\n", "", "key `sessions.algorithm`: must be"),
        (
            with_routes,
            &ROUTE.replace("api_key", "session"),
            "key `sessions.algorithm`: route `a` takes sessions only, and they are off",
        ),
        (
            with_routes,
            &format!("{}session_cookie = \"keep\"\n", ROUTE.replace("api_key", "none").replace("= 1", "= 0")),
            "key `sessions.algorithm`: route `a` keeps the session's cookie, and sessions are off",
        ),
        (
            with_routes,
            &format!("{ROUTE}session_cookie = \"keep\"\n"),
            "routes.toml:8: `session_cookie = \"keep\"` needs auth \"none\"",
        ),
        (
            with_routes,
            &ROUTE.replace("/a", "/a/{rest...}"),
            "routes.toml:4: a path with `{…...}` needs price 0 and an upstream",
        ),
        ("[sessions]\nalgorithm = \"HS256\"\n", "", "key `sessions.issuer`: must be set"),
        (
            "[sessions]\nalgorithm = \"HS256\"\nissuer = \"i\"\naudience = \"a\"\nsecret = \"secret-too-short\"\n",
            "",
            "key `sessions.secret`: must have 32 bytes or more",
        ),
        (
            "[sessions]\nalgorithm = \"RS256\"\nissuer = \"i\"\naudience = \"a\"\njwks_url = \"http://id.example/\"\n",
            "",
            "key `sessions.jwks_url`: must be https, or http on loopback",
        ),
    ] {
        refused(config, routes, place);
    }
}

fn refused(config: &str, routes: &str, place: &str) {
    let (code, error) = check(config, routes, None);
    assert_eq!(code, Some(64), "{config}{routes}{error}");
    assert!(error.contains(place), "{place} is not in {error}");
    assert!(!error.contains("secret@") && !error.contains("secret-"), "{error}");
}

#[test]
fn variables_win_and_are_named_when_they_are_wrong() {
    for (name, value) in [
        ("THREADS", "2"),
        ("LISTEN", "127.0.0.1:9"),
        ("LISTEN", "[::1]:9"),
        ("REDIS__URL", "redis://user:1234@127.0.0.1:6379/0"),
        ("UPSTREAMS__CHAT", "http://127.0.0.1:7071"),
        ("LOG__FORMAT", "pretty"),
        ("BILLING_URL", "https://console.example"),
    ] {
        let (code, error) = check("threads = 1\n", "", Some((&format!("TOLLGATE_GATEWAY_{name}"), value)));
        assert_eq!(code, Some(0), "{name}={value}: {error}");
    }
    let (code, error) = check("threads = 1\n", "", Some(("TOLLGATE_GATEWAY_REDIS__URLL", "redis://:secret@x")));
    assert_eq!(code, Some(64));
    assert!(error.contains("variable TOLLGATE_GATEWAY_REDIS__URLL: unknown key `redis.urll`"), "{error}");
    assert!(!error.contains("secret"), "{error}");
}
