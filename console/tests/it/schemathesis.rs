//! schemathesis asks the API whatever its description allows, and what it does not: nothing may break, and nothing may be answered that the
//! description does not say. `cargo dev test` fetches it where it can be had.

use std::path::{Path, PathBuf};
use std::process::Command;

use metering::Status;

use crate::house::{House, Plan};

/// Requests to each operation, about, for each kind of data.
const EXAMPLES: &str = "10";
const SEED: &str = "20261126";
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,\
                      response_headers_conformance";
/// A stream of events: the tool takes the schema of what an event says for that of the event.
const STREAM: &str = "/api/billing/live";

/// Where its Python modules are; `None` where they could not be fetched.
fn modules() -> Option<PathBuf> {
    std::env::var_os("TOLLGATE_TEST_SCHEMATHESIS").map(PathBuf::from)
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_asked_nothing_breaks_and_nothing_is_answered_that_is_not_described() {
    let Some(modules) = modules() else {
        eprintln!("left out: there is no schemathesis (cargo dev test fetches it)");
        return;
    };
    let house = House::with(Plan { sync: true, stripe: true, ..Plan::default() }).await;
    let account = house.account("Ann", Status::Active, 1_000_000).await;
    house.key(account, "ci").await;
    for (role, paths) in [("billing_owner", "^/api/billing"), ("operator", "^/api/operator")] {
        let session = house.person(account, role).session;
        let ended = run(&modules, &house, &session, paths).await;
        assert!(ended.0, "as {role}:\n{}", ended.1);
        println!("as {role}:\n{}", ended.1);
    }
    assert!(!house.console.log().contains("panicked"), "{}", house.console.log());
}

/// Whether it found nothing, and what it said.
async fn run(modules: &Path, house: &House, session: &str, paths: &str) -> (bool, String) {
    let mut command = Command::new("python3");
    command.args(["-m", "schemathesis.cli", "run", &format!("{}/api/openapi.json", house.url), "--url", &house.url]);
    command.args(["--header", &format!("Authorization: Bearer {session}"), "--include-path-regex", paths]);
    command.args(["--exclude-path", STREAM]);
    command.args([
        "--checks",
        CHECKS,
        "--max-examples",
        EXAMPLES,
        "--seed",
        SEED,
        "--phases",
        "examples,coverage,fuzzing",
    ]);
    command.args(["--no-color", "--continue-on-failure", "--generation-database", "none", "--workers", "1"]);
    command.env("PYTHONPATH", modules).env("NO_PROXY", "127.0.0.1").current_dir(house.directory.path());
    let ended = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    (ended.status.success(), String::from_utf8_lossy(&[ended.stdout, ended.stderr].concat()).into_owned())
}
