//! `tollgate mails`: what became of each mail, and one sent again.

use ledger::mails::{MailEvent, MailFilter, MailState, MailView};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::cli::{MailsAsked, MailsCommand};
use crate::columns::{aligned, is_cut, plain};
use crate::desk::Desk;
use crate::failure::Failure;
use crate::instant::rfc3339;

pub async fn run(desk: &Desk, command: MailsCommand) -> Result<Answer, Failure> {
    match command {
        MailsCommand::List(asked) => list(desk, asked).await,
        MailsCommand::Show { mail } => {
            let mail = desk.book.mail(mail).await?;
            Ok(Answer::new(to_json(&mail), whole_text(&mail)))
        }
        MailsCommand::Resend { mail } => {
            desk.insist_on_reason("somebody may get it twice, and will ask why")?;
            desk.book.resend_mail(mail, &desk.by).await?;
            let text = format!("mail {mail} waits to be sent again; a running notices does so within a second");
            Ok(Answer::new(json!({ "mail": mail, "state": MailState::Queued }), text))
        }
    }
}

async fn list(desk: &Desk, asked: MailsAsked) -> Result<Answer, Failure> {
    let MailsAsked { account, state, after, limit } = asked;
    if let Some(account) = account {
        desk.refuse_unknown(&[account]).await?;
    }
    let filter = MailFilter { account, states: state.into_iter().collect(), after, limit };
    let found = desk.book.mails(&filter).await?;
    let cut = is_cut(found.len(), limit);
    let mut lines = aligned(&found.iter().map(row).collect::<Vec<_>>());
    match found.last() {
        None => lines.push("no such mails".to_owned()),
        Some(last) if cut => lines.push(format!("the latest {limit}; there may be more: --after {}", last.mail)),
        Some(_) => {}
    }
    let mails: Vec<Value> = found.iter().map(to_json).collect();
    Ok(Answer::new(json!({ "mails": mails, "cut": cut }), lines.join("\n")))
}

fn row(mail: &MailView) -> [String; 6] {
    let to =
        if mail.addresses.is_empty() { mail.address.clone().unwrap_or_default() } else { mail.addresses.join(", ") };
    let to = if to.is_empty() { "-".to_owned() } else { to };
    let state = format!("{}{}", mail.state, because(mail));
    [mail.mail.to_string(), rfc3339(mail.queued_at), mail.kind.to_string(), mail.account.to_string(), to, state]
}

/// Why it is where it is, where that needs saying.
fn because(mail: &MailView) -> String {
    let held = mail.held_reason.as_ref().filter(|_| mail.state == MailState::HeldBack);
    held.or(mail.last_error.as_ref()).map(|why| format!(": {why}")).unwrap_or_default()
}

fn whole_text(mail: &MailView) -> String {
    let [number, queued_at, kind, account, to, state] = row(mail);
    let mut lines = vec![
        format!("mail {number}, {kind}, is {state}"),
        format!("  about {account}, to {to}"),
        format!("  queued {queued_at}, {} tries, Message-ID {}", mail.attempts, mail.message_id),
    ];
    lines.extend(mail.next_try_at.map(|at| format!("  tried next {}", rfc3339(at))));
    let facts: Vec<[String; 4]> = mail.evidence.iter().map(fact).collect();
    lines.extend(aligned(&facts).into_iter().map(|line| format!("  {line}")));
    lines.iter().map(|line| plain(line)).collect::<Vec<_>>().join("\n")
}

fn fact(event: &MailEvent) -> [String; 4] {
    let who = event.actor.as_ref().or(event.provider.as_ref()).map_or("tollgate", String::as_str);
    let said = [event.address.as_deref(), event.code.as_deref(), event.detail.as_deref()];
    let said = said.into_iter().flatten().collect::<Vec<_>>().join(" ");
    [rfc3339(event.at), event.what.to_string(), who.to_owned(), said]
}

/// With the names that `/api/operator/mails` has.
fn to_json(mail: &MailView) -> Value {
    let evidence: Vec<Value> = mail.evidence.iter().map(event_json).collect();
    json!({
        "mail": mail.mail, "account": mail.account, "kind": mail.kind, "state": mail.state, "address": mail.address,
        "addresses": mail.addresses, "message_id": mail.message_id, "queued_at": rfc3339(mail.queued_at),
        "next_try_at": mail.next_try_at.map(rfc3339), "handed_over_at": mail.handed_over_at.map(rfc3339),
        "attempts": mail.attempts, "last_error": mail.last_error, "held_reason": mail.held_reason,
        "detail": mail.detail, "evidence": evidence,
    })
}

fn event_json(event: &MailEvent) -> Value {
    json!({
        "at": rfc3339(event.at), "what": event.what, "address": event.address, "code": event.code,
        "detail": event.detail, "actor": event.actor, "provider": event.provider,
    })
}
