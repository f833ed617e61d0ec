//! What `loadtest run` makes of a server that behaves, and of one that does not.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::fake::{Fake, Manners};

struct Run {
    dir: TempDir,
    output: Output,
}

impl Run {
    /// 200 calls a second for a second and a half, half a second of them to warm up.
    fn at(fake: &Fake, args: &[&str]) -> Run {
        Run::at_rate(fake, "200", args)
    }

    fn at_rate(fake: &Fake, rate: &str, args: &[&str]) -> Run {
        let dir = TempDir::new().unwrap();
        let keys = dir.path().join("keys");
        fs::write(&keys, "key_a acct_1\nkey_b acct_2\n").unwrap();
        let path = |name: &str| dir.path().join(name);
        let mut command = Command::new(env!("CARGO_BIN_EXE_loadtest"));
        command.args([
            "run",
            "--target",
            &fake.url,
            "--rate",
            rate,
            "--duration",
            "1s",
            "--warm-up",
            "500ms",
            "--keys",
        ]);
        command.arg(keys).arg("--json").arg(path("json")).arg("--html").arg(path("html"));
        command.arg("--receipts").arg(path("receipts")).args(args);
        let output = command.output().unwrap();
        Run { dir, output }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn json(&self) -> Value {
        assert!(self.path("json").exists(), "{}", String::from_utf8_lossy(&self.output.stderr));
        serde_json::from_str(&text(&self.path("json"))).unwrap()
    }

    fn receipts(&self) -> Vec<String> {
        text(&self.path("receipts")).lines().map(str::to_owned).collect()
    }
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

fn ms(value: &Value) -> f64 {
    value.as_f64().unwrap() / 1_000.0
}

#[test]
fn calls_are_made_at_the_rate_and_each_answer_has_a_receipt() {
    let fake = Fake::start(Manners::default());
    let run = Run::at(&fake, &["--connections", "8"]);
    assert_eq!(run.output.status.code(), Some(0));
    let json = run.json();
    let all = &json["all"];
    // Of the 300 calls, 100 were due before the measurement.
    assert_eq!(
        (all["calls"].as_u64(), all["served"].as_u64(), all["failed"].as_u64()),
        (Some(200), Some(200), Some(0))
    );
    assert_eq!((all["credits"].as_u64(), &all["answers"]["200"]), (Some(200), &Value::from(200)));
    assert_eq!(fake.calls(), 300);
    let receipts = run.receipts();
    assert_eq!(receipts.len(), 300, "the warm-up's calls have drawn, too");
    assert!(receipts.contains(&"01a207da-9ea2-723b-819e-00000000012b 200 1".to_owned()), "{receipts:?}");
    assert!(String::from_utf8_lossy(&run.output.stdout).contains("json"), "and there is a table for people");
}

#[test]
fn who_was_due_while_the_server_stood_still_waited_as_well() {
    let still = Some((Duration::from_millis(800), Duration::from_millis(500)));
    let fake = Fake::start(Manners { stands_still: still, ..Manners::default() });
    let json = Run::at(&fake, &["--connections", "4"]).json();
    // Four calls were under way; a hundred more were due in that half second, a quarter of them 375 ms or more before its end.
    let (from_due, from_sent) = (&json["all"]["latency_us"], &json["all"]["service_us"]);
    assert!(ms(&from_due["p90"]) > 200.0, "{json}");
    assert!(ms(&from_sent["p90"]) < 200.0, "a closed loop would have said so: {json}");
    assert!(ms(&json["late_us"]["p90"]) > 200.0, "{json}");
    assert_eq!(json["all"]["calls"], 200, "and all of them were made");
}

#[test]
fn a_server_that_draws_more_than_it_says_is_found_out() {
    let honest = Run::at(&Fake::start(Manners::default()), &["--balances"]);
    assert_eq!((honest.output.status.code(), &honest.json()["balances"]["accounts"]), (Some(0), &Value::from(2)));
    let fake = Fake::start(Manners { draws_secretly: 1, ..Manners::default() });
    let run = Run::at_rate(&fake, "20", &["--balances", "--settle", "1s"]);
    assert_eq!(run.output.status.code(), Some(2));
    let wrong = run.json()["balances"]["wrong"].clone();
    assert_eq!(wrong.as_array().unwrap().len(), 2, "{wrong}");
    assert_eq!(
        wrong[0]["before"].as_u64().unwrap() - wrong[0]["after"].as_u64().unwrap(),
        2 * wrong[0]["told"].as_u64().unwrap()
    );
}

#[test]
fn refusals_are_counted_by_their_code_and_streams_by_their_events() {
    let fake = Fake::start(Manners::default());
    let run = Run::at(&fake, &["--mix", "json=1,sse=1,free=1,refused=1"]);
    let json = run.json();
    let count = |kind: &str| json["kinds"][kind]["calls"].as_u64().unwrap();
    let streams = &json["streams"];
    assert_eq!((streams["whole"].as_u64(), streams["events"].as_u64()), (Some(count("sse")), Some(3 * count("sse"))));
    let refused = &json["kinds"]["refused"];
    assert_eq!(
        (refused["answers"]["401 invalid_api_key"].as_u64(), refused["served"].as_u64()),
        (Some(count("refused")), Some(0))
    );
    assert_eq!(refused["failed"], 0, "a refusal is an answer");
    assert_eq!(["json", "sse", "free", "refused"].map(count).iter().sum::<u64>(), 200);
    assert_eq!(json["all"]["credits"].as_u64(), Some(count("json") + count("sse")));
}

#[test]
fn a_stream_without_its_last_event_has_broken_off_and_its_receipt_says_so() {
    let fake = Fake::start(Manners { cuts_streams: true, ..Manners::default() });
    let run = Run::at_rate(&fake, "20", &["--mix", "sse=1"]);
    let json = run.json();
    assert_eq!((json["all"]["served"].as_u64(), json["all"]["failed"].as_u64()), (Some(0), Some(20)));
    assert_eq!(json["all"]["answers"]["broken off"], 20);
    assert!(run.receipts().iter().all(|line| line.ends_with(" 200 1 broken")));
}

#[test]
fn a_connection_that_ended_is_made_anew_and_nothing_is_lost() {
    let fake = Fake::start(Manners { closes: true, ..Manners::default() });
    let json = Run::at(&fake, &["--connections", "4"]).json();
    assert_eq!((json["all"]["served"].as_u64(), fake.calls()), (Some(200), 300), "{json}");
}

#[test]
fn nobody_there_is_an_error_for_each_call_and_no_latency() {
    let fake = Fake::nobody();
    let run = Run::at_rate(&fake, "20", &[]);
    let json = run.json();
    assert_eq!(json["all"]["answers"]["no connection"], 20);
    assert_eq!((json["all"]["failed"].as_u64(), json["all"]["latency_us"]["count"].as_u64()), (Some(20), Some(0)));
    assert!(run.receipts().is_empty());
}

#[test]
fn without_a_rate_each_connection_calls_again_once_it_was_answered() {
    let fake = Fake::start(Manners::default());
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("keys"), "key_a\n").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadtest"));
    command.args([
        "run",
        "--target",
        &fake.url,
        "--duration",
        "1s",
        "--warm-up",
        "0s",
        "--connections",
        "2",
        "--json",
        "-",
    ]);
    let output = command.arg("--keys").arg(dir.path().join("keys")).output().unwrap();
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&json["rate"], json["arrivals"].as_str()), (&Value::Null, Some("on answer")));
    assert_eq!(json["all"]["calls"].as_u64(), Some(fake.calls()));
    assert!(json["seconds"].as_f64().unwrap() < 5.0 && fake.calls() > 20);
}

#[test]
fn services_and_processes_are_looked_at_meanwhile() {
    let fake = Fake::start(Manners::default());
    let pid = format!("test={}", std::process::id());
    let json = Run::at(&fake, &["--admin", &fake.url, "--pid", &pid, "--pid", "gone=2147483647"]).json();
    assert!(json["debits"]["count"].as_f64().unwrap() > 0.0, "{json}");
    assert_eq!((&json["backlog_max"], &json["backlog_end"]), (&Value::from(5.0), &Value::from(5.0)));
    let (mine, gone) = (&json["processes"][0], &json["processes"][1]);
    assert!(mine["cpu_us_per_call"].as_f64().unwrap() >= 0.0 && mine["rss_end_bytes"].as_u64().unwrap() > 100_000);
    assert_eq!((&gone["cpu_us_per_call"], &gone["rss_max_bytes"]), (&Value::Null, &Value::Null));
}

#[test]
fn the_page_has_its_plots_in_it_and_asks_nobody_for_anything() {
    let fake = Fake::start(Manners::default());
    let run = Run::at(&fake, &["--balances"]);
    let page = text(&run.path("html"));
    assert_eq!(page.matches("<svg").count(), 3);
    assert!(page.matches("<polyline").count() >= 6);
    for foreign in ["<script", "src=", "href=", "@import", "url("] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    assert_eq!(page.matches(&fake.url).count(), 2, "in the title and above the tables");
    assert!(!page.replace(&fake.url, "").contains("://"));
    assert!(page.contains("2 accounts: 0 are short"), "{page}");
}

#[test]
fn keys_and_targets_that_are_none_are_refused_in_words() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("keys"), "# none\n").unwrap();
    let keys = dir.path().join("keys");
    let refused = |target: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_loadtest"));
        let output = command.args(["run", "--target", target, "--keys"]).arg(&keys).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, said) = refused("http://127.0.0.1:1");
    assert!(code == Some(1) && said.contains("holds no key"), "{said}");
    let (code, said) = refused("https://127.0.0.1:1");
    assert!(code == Some(64) && said.contains("is not http://host:port"), "{said}");
}
