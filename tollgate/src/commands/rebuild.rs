//! `tollgate rebuild`: an account's live state written anew from the book by the owner of its shard, and what that changed.

mod changes;

use std::time::Duration;

use ledger::{Comparison, Drift, LedgerError, RebuildAsked, Rebuildable, Seen, Subject, look};
use metering::AccountId;
use metering::live::Meter;
use serde_json::json;

use crate::answer::Answer;
use crate::cli::Span;
use crate::desk::Desk;
use crate::failure::{DRIFT, Failure, UNAVAILABLE};
use changes::{changes, line};

pub async fn run(desk: &Desk, account: AccountId, wait: Span) -> Result<Answer, Failure> {
    let meter = desk.meter().await?;
    let before = see(desk, &meter, account).await?;
    let found = match before.rebuildable() {
        Rebuildable::Yes(found) => found,
        Rebuildable::Unsure(why) => return Err(not_comparable(account, why)),
        Rebuildable::Parked(parked) => return Err(has_letters(account, parked.events)),
        Rebuildable::Behind(behind) => return Err(behind_the_book(account, &behind)),
    };
    let asked = desk.book.ask_rebuild(account, &found, &desk.by).await?;
    let wait = Duration::from_millis(wait.ms);
    if !desk.book.wait_rebuilt(asked, wait).await? {
        return Err(pending(wait));
    }
    let after = see(desk, &meter, account).await?;
    Ok(answer(&before, &found, asked, &after))
}

async fn see(desk: &Desk, meter: &Meter, account: AccountId) -> Result<Seen, Failure> {
    let seen = look(&desk.book, meter, &[account]).await?.pop();
    seen.ok_or_else(|| LedgerError::NotFound { subject: Subject::Account, id: account.to_string() }.into())
}

fn pending(wait: Duration) -> Failure {
    let message = format!(
        "the owner of the shard has not rebuilt it within {} s; it will once it runs, look with `tollgate verify` then",
        wait.as_secs()
    );
    Failure { code: "rebuild_pending", message, cause: None, exit: UNAVAILABLE }
}

fn not_comparable(account: AccountId, why: &str) -> Failure {
    let message = format!("{account} can't be compared with the book, {why}; nothing was changed, try again");
    Failure { code: "not_comparable", message, cause: None, exit: UNAVAILABLE }
}

/// Writing it anew would drop what it has parked, behind the back of whoever has to decide about that.
fn has_letters(account: AccountId, events: u64) -> Failure {
    let message = format!(
        "{account} has {events} events parked as dead letters; decide about them first (`tollgate dead-letters list --account {account}`), \
         nothing was changed"
    );
    Failure { code: "dead_letters_open", message, cause: None, exit: DRIFT }
}

/// What is lost of a stream is not one account's: the shard must be certified again.
fn behind_the_book(account: AccountId, drift: &Drift) -> Failure {
    let message = format!(
        "{account}: {drift}. Live state has lost events that the book has; writing one account anew can't mend that, nothing was changed"
    );
    Failure { code: "live_behind", message, cause: None, exit: DRIFT }
}

fn answer(before: &Seen, found: &[Drift], asked: RebuildAsked, after: &Seen) -> Answer {
    let (left, unsure) = match &after.comparison {
        Comparison::Agrees { .. } => (Vec::new(), None),
        Comparison::Differs(left) => (left.clone(), None),
        Comparison::Unsure(why) => (Vec::new(), Some(*why)),
        Comparison::Parked(_) => (Vec::new(), Some("an event of it was parked as a dead letter meanwhile")),
    };
    let changed = changes(before.snapshot.as_ref(), after.snapshot.as_ref());
    let mut lines: Vec<String> = found.iter().map(|drift| format!("was wrong: {drift}")).collect();
    lines.extend(changed.iter().map(line));
    lines.extend(left.iter().map(|drift| format!("STILL WRONG: {drift}")));
    lines.extend(unsure.map(|why| format!("not compared afterwards: {why}")));
    lines.push(format!(
        "{} was written anew from the book: {} differences before, {} after",
        before.account,
        found.len(),
        left.len()
    ));
    let exit = match (left.is_empty(), unsure) {
        (false, _) => DRIFT,
        (true, Some(_)) => UNAVAILABLE,
        (true, None) => 0,
    };
    let json = json!({
        "account": before.account, "control_version": asked.version, "differences_before": found, "changed": changed,
        "differences_after": left, "not_compared": unsure,
    });
    Answer { exit, ..Answer::new(json, lines.join("\n")) }
}
