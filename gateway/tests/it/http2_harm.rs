//! How much longer others wait while somebody attacks over HTTP/2: a measurement, run by `cargo dev hostile`.
//!
//! Calm and attacked windows alternate in one run, so that whatever else the machine does weighs on both. The good caller is an
//! open loop: each call counts from when it was due, not from when the one before had ended, or a pause would hide the calls that
//! would have waited in it. The attacker is a process of its own, on a core of its own: on the internet it
//! brings its own machine, and what is asked is what the gateway does about its bytes. Gateway, Redis, upstream and good caller share the
//! other core, ahead of whatever else the machine does, and calm windows have no more. The attack has a steady pace, ten thousand streams a window: at full speed the
//! figure would be how many bytes a core can read.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use metering::Status;
use tokio::task::JoinSet;

use crate::attacks::{Attack, Pace};
use crate::house::{Account, House, PATIENCE, bearer};

/// Tells the process that attacks what to do: which attack, port, key.
const ORDER: &str = "TOLLGATE_TEST_ATTACK";
/// Stands before the number of units that the process could send.
const SENT: &str = "units: ";
/// Of each kind.
const WINDOWS: usize = 8;
const WINDOW: Duration = Duration::from_secs(4);
const CALLS_A_SECOND: u32 = 50;
const CREDITS: u64 = 1 << 50;
/// What others may wait longer at most, at 99 %.
const GOAL: f64 = 2.0;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement of minutes, for a machine that does little else"]
async fn others_wait_hardly_longer_under_attack() {
    let apart = place(std::process::id(), "1", "-15");
    println!("attacker: {}", if apart { "on a core of its own" } else { "on the same cores as everything else" });
    let mut house =
        House::start_with("[http2]\nplain = true\n[meter]\nwait_ms_max = 5000\nop_lifetime_ms = 10000").await;
    let hostile = house.account(Status::Active, CREDITS).await;
    let good = house.account(Status::Active, CREDITS).await;
    house.warm(&hostile).await;
    house.warm(&good).await;
    // The first calls fill caches; they are no calm.
    waits(&house, &good).await;
    for attack in Attack::ALL {
        let before = (house.gateway.memory_bytes(), house.remaining(&hostile).await);
        let (mut calm, mut attacked, mut ratios, mut sent) = (Vec::new(), Vec::new(), Vec::new(), 0);
        for window in 0..WINDOWS {
            let mut both = [vec![], vec![]];
            // Each kind comes first in half of the windows, so that what the one leaves behind is not always the other's.
            for is_attacked in [window % 2 == 0, window % 2 == 1] {
                let child = is_attacked.then(|| Attacker::start(attack, house.gateway.port, &bearer(&hostile.key)));
                both[usize::from(is_attacked)] = waits(&house, &good).await;
                sent += child.map_or(0, Attacker::sent);
                until_at_rest(&house).await;
            }
            let [quiet, loud] = both;
            ratios.push(p99(&loud).as_secs_f64() / p99(&quiet).as_secs_f64());
            calm.extend(quiet);
            attacked.extend(loud);
        }
        ratios.sort_by(f64::total_cmp);
        let (quiet, loud) = (p99(&calm), p99(&attacked));
        println!(
            "{attack:?}: p99 {quiet:.1?} calm, {loud:.1?} attacked, {:.2} times (windows: median {:.2}, {:.2} to {:.2}; goal {GOAL}); \
             p50 {:.1?} and {:.1?}; {} bytes more; {sent} units sent, {} requests paid for",
            loud.as_secs_f64() / quiet.as_secs_f64(),
            ratios[ratios.len() / 2],
            ratios[0],
            ratios[ratios.len() - 1],
            at(&calm, 50),
            at(&attacked, 50),
            house.gateway.memory_bytes().saturating_sub(before.0),
            before.1 - house.remaining(&hostile).await,
        );
    }
}

async fn until_at_rest(house: &House) {
    let began = Instant::now();
    while house.gateway.metric("tollgate_gateway_requests_in_flight").await > 0 {
        assert!(began.elapsed() < PATIENCE, "requests of the attacker go on");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// How long each call of one window waited, from when it was due.
async fn waits(house: &House, account: &Account) -> Vec<Duration> {
    let (port, key) = (house.gateway.port, bearer(&account.key));
    let between = Duration::from_secs(1) / CALLS_A_SECOND;
    let count = u32::try_from(WINDOW.as_millis() / between.as_millis()).unwrap();
    let began = Instant::now();
    let mut calls = JoinSet::new();
    for number in 0..count {
        let due = began + between * number;
        tokio::time::sleep(due.saturating_duration_since(Instant::now())).await;
        let request =
            format!("GET /v1/priced HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: {key}\r\n\r\n");
        calls.spawn(async move {
            let answer = crate::house::raw(port, request.as_bytes()).await.expect("an answer");
            assert_eq!(answer.status, 200);
            due.elapsed()
        });
    }
    calls.join_all().await
}

fn p99(waits: &[Duration]) -> Duration {
    at(waits, 99)
}

fn at(waits: &[Duration], percent: usize) -> Duration {
    let mut sorted = waits.to_vec();
    sorted.sort_unstable();
    sorted[(sorted.len() - 1) * percent / 100]
}

/// The process that attacks; ends when dropped.
struct Attacker(Child);

impl Attacker {
    fn start(attack: Attack, port: u16, key: &str) -> Self {
        let number = Attack::ALL.iter().position(|known| *known == attack).unwrap();
        // A session of its own, because Linux shares cores out by sessions first.
        let mut command = Command::new("setsid");
        command.arg(std::env::current_exe().unwrap());
        command.args(["--ignored", "--nocapture", "--exact", "http2_harm::attacks_as_it_is_told"]);
        command.env(ORDER, format!("{number} {port} {key}"));
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        place(child.id(), "0", "-15");
        Self(child)
    }

    /// Waits for its end; how many units it could send.
    fn sent(mut self) -> u64 {
        let mut told = String::new();
        self.0.stdout.take().unwrap().read_to_string(&mut told).unwrap();
        told.lines().find_map(|line| line.strip_prefix(SENT)?.parse().ok()).unwrap_or_else(|| panic!("{told}"))
    }
}

impl Drop for Attacker {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Puts a process, and what it starts from now on, on one core with this priority; whether that could be done.
fn place(process: u32, core: &str, priority: &str) -> bool {
    let process = process.to_string();
    let done = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    let pinned = done("taskset", &["--all-tasks", "--cpu-list", "--pid", core, &process]);
    // A thread has a priority of its own, and those of a runtime are there already.
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let threads = threads.map(|thread| thread.file_name().to_string_lossy().into_owned());
    std::fs::write(format!("/proc/{process}/autogroup"), priority).ok();
    pinned & threads.map(|thread| done("renice", &["-n", priority, "-p", &thread])).fold(true, |all, one| all & one)
}

#[tokio::test]
#[ignore = "the process that the measurement starts"]
async fn attacks_as_it_is_told() {
    #[expect(clippy::disallowed_methods, reason = "how this very program tells itself")]
    let Ok(order) = std::env::var(ORDER) else { return };
    let mut words = order.splitn(3, ' ');
    let mut next = || words.next().unwrap();
    let (attack, port, key) = (Attack::ALL[next().parse::<usize>().unwrap()], next().parse().unwrap(), next());
    let mut pace = Pace::a_second(attack.units_a_second(), WINDOW);
    let mut sent = 0;
    // As many connections as the gateway makes it take.
    while !pace.is_over() {
        sent += attack.connection(port, key, usize::MAX, &mut pace).await.0;
    }
    println!("\n{SENT}{sent}");
}
