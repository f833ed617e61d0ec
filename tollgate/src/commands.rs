//! What answers each command.

mod account;
mod audit;
mod balance;
mod checkout;
mod dead_letters;
mod entries;
mod explain;
mod incidents;
mod key;
mod losses;
mod lot;
mod mails;
mod plans;
mod portal;
mod rebuild;
mod receipt;
mod session;
mod show;
mod stripe;
mod suppressions;
mod unrecorded;
mod verify;

use serde_json::json;

use crate::answer::Answer;
use crate::cli::{BudgetCommand, Command};
use crate::desk::Desk;
use crate::failure::Failure;

pub async fn run(desk: &Desk, command: Command) -> Result<Answer, Failure> {
    if let Command::Migrate { shards } = command {
        return migrate(desk, shards).await;
    }
    desk.book.check_schema(None).await?;
    match command {
        Command::Migrate { shards } => migrate(desk, shards).await,
        Command::Account(command) => account::run(desk, command).await,
        Command::Lot(command) => lot::run(desk, command).await,
        Command::Budget(BudgetCommand::Set { account, limit }) => {
            let version = desk.book.set_budget(account, limit, &desk.by).await?;
            let budget = if limit.is_zero() { "no cap".to_owned() } else { format!("{limit} credits a month") };
            let answer = json!({ "account": account, "limit": limit, "control_version": version });
            Ok(Answer::new(answer, format!("{account}: {budget}")))
        }
        Command::Key(command) => key::run(desk, command).await,
        Command::Session(command) => session::run(desk, command).await,
        Command::Entries { account, limit } => entries::run(desk, account, limit).await,
        Command::Receipt { id } => receipt::run(desk, id).await,
        Command::Explain { request } => explain::run(desk, request).await,
        Command::Balance { account, at, entries } => balance::run(desk, account, at, entries).await,
        Command::Rebuild { account, wait } => rebuild::run(desk, account, wait).await,
        Command::DeadLetters(command) => dead_letters::run(desk, command).await,
        Command::Incidents(command) => incidents::run(desk, command).await,
        Command::Losses { incident, account } => losses::run(desk, incident, account).await,
        Command::Audit(asked) => audit::run(desk, asked).await,
        Command::Verify { account, book_only } => verify::run(desk, account, book_only).await,
        Command::Mails(command) => mails::run(desk, command).await,
        Command::Suppressions(command) => suppressions::run(desk, command).await,
        Command::Plans(command) => plans::run(desk, &command).await,
        Command::Checkout(command) => checkout::run(desk, command).await,
        Command::Portal(command) => portal::run(desk, &command).await,
        Command::Stripe(command) => stripe::run(desk, command).await,
    }
}

async fn migrate(desk: &Desk, shards: metering::ShardCount) -> Result<Answer, Failure> {
    let migrated = desk.book.migrate(shards, desk.now()).await?;
    let (version, count) = (migrated.schema_version, migrated.shards.get());
    let text = format!("the schema is at {version}, with {count} shards of accounts and {count} of keys");
    Ok(Answer::new(json!({ "schema_version": version, "shards": count, "created": migrated.created }), text))
}
