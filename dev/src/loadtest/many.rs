//! `many-accounts` and `many-lots`: whether a debit costs more where live state holds a million accounts, or an account a thousand lots
//! (P11), and by how much Redis grows for an account.

use anyhow::{Context, Result, ensure};

use super::caller::Load;
use super::commands::{Commands, scripts};
use super::plant::Group;
use super::report::Outcome;
use super::stand::Stand;
use crate::bench::median;
use crate::{interrupt, words};

const WINDOWS: usize = 6;
const PLENTY: u64 = 1 << 40;
const FEW: u64 = 1_000;
const MANY: u64 = 1_000_000;
/// Accounts of the many that are called with.
const CALLED: u64 = 100_000;
const LOTS: u64 = 1_000;
/// Of each of the many lots: so few that calls go from lot to lot.
const CREDITS_A_LOT: u64 = 20;

/// What debits cost, µs a call: in a window, or medians of some.
struct Cost {
    /// CPU time of Redis.
    redis: f64,
    /// Time in the script, by Redis' own count.
    script: f64,
}

pub fn accounts(stand: &Stand) -> Result<bool> {
    let planter = stand.planter()?;
    let all = stand.wish.accounts.unwrap_or(MANY).max(FEW * 10);
    let called = CALLED.min(all / 2);
    let group = |name, accounts, keys| Group { name, accounts, lots: 3, credits: PLENTY, keys, audited: false };
    let few = planter.plant(&[group("few", FEW, FEW)])?;
    let few = few.first().context("a group has keys")?;
    let before = planter.redis_bytes()?;
    planter.rest()?;
    let with_few = windows(stand, "1 000 accounts", few)?;
    planter.plant(&[group("silent", all - called - FEW, 0)])?;
    let silent = planter.redis_bytes()?.saturating_sub(before);
    let many = planter.plant(&[group("many", called, called)])?;
    let many = many.first().context("a group has keys")?;
    planter.rest()?;
    let with_many = windows(stand, &format!("{all} accounts"), many)?;
    #[expect(clippy::cast_precision_loss, reason = "memory is far below 2^52 bytes")]
    let bytes = silent as f64 / (all - called - FEW) as f64;
    let mut notes =
        compared("1 000 accounts", &with_few, &format!("{all} accounts, {called} of them called"), &with_many);
    notes.push(format!(
        "P13  bytes Redis grew by for an account with 3 lots, its tables and buffers with it   {bytes:.0}; goal 400 for its keys alone, which cargo dev sizes measures"
    ));
    Outcome::of_figures("many-accounts", notes, Vec::new()).print(stand.wish.json)
}

pub fn lots(stand: &Stand) -> Result<bool> {
    let group = |name, lots, credits| Group { name, accounts: 100, lots, credits, keys: 100, audited: false };
    let (one, thousand) = (group("one lot", 1, LOTS * CREDITS_A_LOT), group("many lots", LOTS, CREDITS_A_LOT));
    let keys = stand.planter()?.plant(&[one, thousand])?;
    let [one, thousand] = [0, 1].map(|place| keys[place].as_str());
    let (mut with_one, mut with_thousand) = (Vec::new(), Vec::new());
    for number in 1..=WINDOWS {
        words::step(&format!("window {number} of {WINDOWS}: one lot, then {LOTS}"));
        with_one.push(window(stand, one)?);
        with_thousand.push(window(stand, thousand)?);
    }
    let notes = compared("1 lot", &Cost::of(&with_one), "1 000 lots", &Cost::of(&with_thousand));
    Outcome::of_figures("many-lots", notes, Vec::new()).print(stand.wish.json)
}

/// A window before them counts for nothing: the gateway has not seen most keys yet, and Redis gets memory again that it gave back after planting.
fn windows(stand: &Stand, what: &str, keys: &str) -> Result<Cost> {
    words::step(&format!("calls, {WINDOWS} windows: {what}"));
    window(stand, keys)?;
    let windows = (0..WINDOWS).map(|_| window(stand, keys)).collect::<Result<Vec<_>>>()?;
    Ok(Cost::of(&windows))
}

/// At one rate everywhere: where more calls come at once, more of them share a script call.
fn window(stand: &Stand, keys: &str) -> Result<Cost> {
    interrupt::check()?;
    let load = Load { rate: Some("1000".to_owned()), duration: "8s".to_owned(), ..Load::default() }.or(stand.wish);
    let before = Commands::now(&stand.redis)?;
    let found = stand.caller().quietly(&load, &stand.standing.gateway, keys)?;
    let counts = scripts(&Commands::now(&stand.redis)?.since(&before));
    let late = if stand.wish.debug { found.late() } else { 0 };
    ensure!(found.all.served + late == found.all.calls, "not everybody was served: {:?}", found.all.answers);
    let redis = found.cpu_us("redis").context("Redis runs")?;
    Ok(Cost { redis, script: counts.us / counts.calls.max(1.0) })
}

impl Cost {
    fn of(windows: &[Cost]) -> Cost {
        let middle = |of: fn(&Cost) -> f64| median(&windows.iter().map(of).collect::<Vec<_>>());
        Cost { redis: middle(|window| window.redis), script: middle(|window| window.script) }
    }
}

fn compared(few: &str, before: &Cost, many: &str, after: &Cost) -> Vec<String> {
    vec![
        format!("{few}: Redis {:.1} CPU µs a call, a script call {:.1} µs", before.redis, before.script),
        format!("{many}: Redis {:.1} CPU µs a call, a script call {:.1} µs", after.redis, after.script),
        format!(
            "P11  Redis CPU a debit, many / few   {:.2}; a script call {:.2}   goal 1.2",
            after.redis / before.redis,
            after.script / before.script
        ),
    ]
}
