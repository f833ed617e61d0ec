//! `tollgate account …`

use ledger::NewAccount;
use serde_json::json;

use super::show;
use crate::answer::Answer;
use crate::cli::AccountCommand;
use crate::desk::Desk;
use crate::failure::Failure;

/// People look for one account; more of one name than this are better told apart by something else.
const FOUND_MAX: u32 = 100;

pub async fn run(desk: &Desk, command: AccountCommand) -> Result<Answer, Failure> {
    match command {
        AccountCommand::Create { name, status, email, anchor_day } => {
            let new = NewAccount { name, email, status, anchor: anchor_day };
            let account = desk.book.create_account(&new, &desk.by).await?;
            let answer = json!({ "account": account, "name": new.name, "status": status });
            Ok(Answer::new(answer, format!("{account} ({}, {status})", new.name)))
        }
        AccountCommand::Show { account } => show::run(desk, account).await,
        AccountCommand::Find { name } => {
            let found = desk.book.find_accounts(&name, FOUND_MAX).await?;
            let lines: Vec<String> =
                found.iter().map(|found| format!("{} {} {}", found.account, found.status, found.name)).collect();
            let text = if lines.is_empty() { "no account has this name".to_owned() } else { lines.join("\n") };
            Ok(Answer::new(json!({ "accounts": found }), text))
        }
        AccountCommand::Status { account, status } => {
            let version = desk.book.set_status(account, status, &desk.by).await?;
            let answer = json!({ "account": account, "status": status, "control_version": version });
            Ok(Answer::new(answer, format!("{account} is {status}")))
        }
    }
}
