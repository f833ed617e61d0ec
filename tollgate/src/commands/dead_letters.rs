//! `tollgate dead-letters …`: events that could not be applied. What is decided here is carried out by the owner of the shard.

mod shown;

use std::time::{Duration, Instant};

use ledger::{DeadLetter, DecisionState, LedgerError, LetterId, Subject};
use metering::AccountId;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::cli::{DeadLettersCommand, Span};
use crate::columns::is_cut;
use crate::desk::Desk;
use crate::failure::Failure;

const PAUSE: Duration = Duration::from_millis(100);

pub async fn run(desk: &Desk, command: DeadLettersCommand) -> Result<Answer, Failure> {
    match command {
        DeadLettersCommand::List { account, all } => list(desk, account, all).await,
        DeadLettersCommand::Show { letter } => {
            let (found, entry) = desk.book.dead_letter(letter).await?;
            Ok(Answer::new(shown::whole_json(&found, entry.as_ref()), shown::whole_text(&found, entry.as_ref())))
        }
        DeadLettersCommand::Retry { letter, account, skip_missing, wait } => {
            let letter = match (letter, account) {
                (Some(letter), _) => letter,
                (None, Some(account)) => first_of(&open_of(desk, account).await?, account)?,
                (None, None) => return Err(Failure::invalid("name a letter or an account")),
            };
            let (decision, account) = desk.book.retry_dead_letter(letter, skip_missing, &desk.by).await?;
            carried_out(desk, decision, Some(account), wait).await
        }
        DeadLettersCommand::Discard { letters, account, wait } => {
            desk.insist_on_reason("what is discarded never reaches the book")?;
            let letters = match account {
                Some(account) => one_life(&open_of(desk, account).await?, account)?,
                None => letters,
            };
            let (decision, account) = desk.book.discard_dead_letters(&letters, &desk.by).await?;
            carried_out(desk, decision, account, wait).await
        }
    }
}

async fn list(desk: &Desk, account: Option<AccountId>, all: bool) -> Result<Answer, Failure> {
    let letters = desk.book.dead_letters(account, all).await?;
    let open = letters.iter().filter(|letter| letter.state == "open").count();
    let mut lines: Vec<String> = letters.iter().map(shown::line).collect();
    let limit = ledger::LETTERS_A_LIST;
    let cut = is_cut(letters.len(), limit);
    lines.push(if cut { format!("the first {limit} letters; there may be more") } else { format!("{open} open") });
    let letters: Vec<Value> = letters.iter().map(shown::json).collect();
    Ok(Answer::new(json!({ "letters": letters, "open": open, "cut": cut }), lines.join("\n")))
}

async fn open_of(desk: &Desk, account: AccountId) -> Result<Vec<DeadLetter>, Failure> {
    Ok(desk.book.dead_letters(Some(account), false).await?)
}

/// The letter that stands for an account's: one that can still be applied, where there is one.
fn first_of(open: &[DeadLetter], account: AccountId) -> Result<LetterId, Failure> {
    let first = open.iter().find(|letter| !letter.superseded).or(open.first());
    Ok(first.map(|letter| letter.letter).ok_or_else(|| none_open(account))?)
}

/// Open letters of an account that can be discarded together: of its first incarnation that has such.
fn one_life(open: &[DeadLetter], account: AccountId) -> Result<Vec<LetterId>, Failure> {
    let first = open.first().map(|letter| letter.letter).ok_or_else(|| none_open(account))?;
    let home = |letter: LetterId| (letter.shard, letter.event.incarnation);
    Ok(open.iter().map(|letter| letter.letter).filter(|letter| home(*letter) == home(first)).collect())
}

fn none_open(account: AccountId) -> LedgerError {
    LedgerError::NotFound { subject: Subject::DeadLetter, id: format!("of {account} that is open") }
}

/// Waits until the owner of the shard has carried it out, a bounded time: what was asked for stays asked for.
async fn carried_out(desk: &Desk, decision: u64, account: Option<AccountId>, wait: Span) -> Result<Answer, Failure> {
    let (started, limit) = (Instant::now(), Duration::from_millis(wait.ms));
    loop {
        let view = desk.book.decision(decision).await?;
        let whose = account.map_or_else(|| "no account".to_owned(), |account| account.to_string());
        match view.state {
            DecisionState::Done => {
                let applied = view.applied;
                let answer = json!({ "decision": decision, "account": account, "state": "done", "applied": applied });
                return Ok(Answer::new(answer, format!("carried out: {applied} events of {whose} were applied")));
            }
            DecisionState::Refused => {
                let why = view.refusal.unwrap_or_default();
                return Err(Failure {
                    code: "dead_letter_refused",
                    ..Failure::invalid(format!("nothing was changed: {why}"))
                });
            }
            DecisionState::Asked | DecisionState::Applied if started.elapsed() >= limit => {
                let message = format!(
                    "decision {decision} is noted, but the owner of the shard has not carried it out yet; it will once the shard is served"
                );
                return Err(Failure::unavailable("dead_letter_waits", message));
            }
            DecisionState::Asked | DecisionState::Applied => tokio::time::sleep(PAUSE).await,
        }
    }
}
