//! `tollgate key …`

use ledger::{KeyView, NewKey, Rotation};
use metering::KeyPolicy;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::cli::KeyCommand;
use crate::desk::Desk;
use crate::failure::Failure;
use crate::instant::rfc3339;

pub async fn run(desk: &Desk, command: KeyCommand) -> Result<Answer, Failure> {
    match command {
        KeyCommand::Issue { account, name, mode, expires_in, policy } => {
            let expires_at = expires_in.map(|span| desk.now().plus_ms(span.ms));
            let new = NewKey { name, mode: mode.into(), expires_at, policy: policy.policy()?, random: rand::random() };
            let (api_key, key) = desk.book.issue_key(account, &new, &desk.by).await?;
            let answer = json!({
                "key": api_key.reveal(), "key_id": key, "account": account, "name": new.name,
                "expires_at": expires_at.map(rfc3339), "policy": new.policy,
            });
            Ok(Answer::new(answer, format!("{}\n{key} of {account}; the key is not shown again", api_key.reveal())))
        }
        KeyCommand::Set { key, policy } => {
            let policy = policy.policy()?;
            desk.book.set_key_policy(key, &policy, &desk.by).await?;
            Ok(Answer::new(json!({ "key_id": key, "policy": policy }), format!("{key} is held to {}", words(&policy))))
        }
        KeyCommand::Rotate { key, grace, expires_in } => {
            let expires_at = expires_in.map(|span| desk.now().plus_ms(span.ms));
            let rotation = Rotation { grace_ms: grace.ms, expires_at, random: rand::random() };
            let (api_key, new_key, ends_at) = desk.book.rotate_key(key, &rotation, &desk.by).await?;
            let ends_at = rfc3339(ends_at);
            Ok(Answer::new(
                json!({ "key": api_key.reveal(), "key_id": new_key, "rotated_from": key, "rotated_from_ends_at": ends_at }),
                format!("{}\n{new_key}; the key is not shown again. {key} is good until {ends_at}", api_key.reveal()),
            ))
        }
        KeyCommand::Revoke { key } => {
            let revoked_at = rfc3339(desk.book.revoke_key(key, &desk.by).await?);
            Ok(Answer::new(
                json!({ "key_id": key, "revoked_at": revoked_at }),
                format!("{key} was revoked at {revoked_at}"),
            ))
        }
        KeyCommand::List { account } => {
            let keys = desk.book.list_keys(account).await?;
            let lines: Vec<String> = keys.iter().map(line).collect();
            let text = if lines.is_empty() { format!("{account} has no keys") } else { lines.join("\n") };
            let keys: Vec<Value> = keys.iter().map(entry).collect();
            Ok(Answer::new(json!({ "account": account, "keys": keys }), text))
        }
    }
}

fn entry(key: &KeyView) -> Value {
    json!({
        "key_id": key.key, "name": key.name, "prefix": key.prefix, "mode": key.mode, "created_at": rfc3339(key.created_at),
        "expires_at": key.expires_at.map(rfc3339), "revoked_at": key.revoked_at.map(rfc3339),
        "policy": key.policy, "rotated_to": key.rotated_to,
        "last_used_at": key.last_used_at.map(rfc3339),
    })
}

fn line(key: &KeyView) -> String {
    let end = match (key.revoked_at, key.expires_at) {
        (Some(at), _) => format!(", revoked at {}", rfc3339(at)),
        (None, Some(at)) => format!(", expires at {}", rfc3339(at)),
        (None, None) => String::new(),
    };
    let used = key.last_used_at.map_or(", never used".to_owned(), |at| format!(", last used {}", rfc3339(at)));
    let held =
        if key.policy == KeyPolicy::default() { String::new() } else { format!(", held to {}", words(&key.policy)) };
    format!("{} {}… {}{used}{end}{held}", key.key, key.prefix, key.name)
}

/// A policy for people.
fn words(policy: &KeyPolicy) -> String {
    let scopes = policy.scopes().iter().map(|scope| format!("scope {scope}"));
    let addresses = policy.addresses().iter().map(|range| format!("address {range}"));
    let rates = policy.rates().iter().map(|rate| {
        format!(
            "rate {}: {} in {} s, {} at once",
            rate.name(),
            rate.count(),
            rate.per_ms().div_ceil(1_000),
            rate.burst()
        )
    });
    let caps = policy.caps();
    let caps = [(caps.day, "day"), (caps.month, "month")];
    let caps = caps.into_iter().filter_map(|(cap, period)| Some(format!("cap {} credits a {period}", cap?)));
    let all: Vec<String> = scopes.chain(addresses).chain(rates).chain(caps).collect();
    if all.is_empty() { "nothing".to_owned() } else { all.join(", ") }
}
