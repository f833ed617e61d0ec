//! `tollgate lot …`

use ledger::Grant;
use metering::TimeMs;
use serde_json::json;

use crate::answer::Answer;
use crate::cli::{Expiry, LotCommand};
use crate::desk::Desk;
use crate::failure::Failure;
use crate::instant::rfc3339;

pub async fn run(desk: &Desk, command: LotCommand) -> Result<Answer, Failure> {
    match command {
        LotCommand::Grant { account, credits, expiry, product } => {
            let granted_at = desk.now();
            let grant = Grant { credits, product, granted_at, expires_at: end(&expiry, granted_at), source: None };
            let lot = desk.book.grant_lot(account, &grant, &desk.by).await?;
            let expires_at = rfc3339(grant.expires_at);
            let answer = json!({
                "lot": lot, "account": account, "credits": credits, "product": grant.product,
                "granted_at": rfc3339(granted_at), "expires_at": expires_at,
            });
            Ok(Answer::new(answer, format!("{lot}: {credits} credits for {account} until {expires_at}")))
        }
        LotCommand::Expire { lot, at } => {
            let expires_at = at.unwrap_or(desk.now());
            let version = desk.book.move_lot_expiry(lot, expires_at, &desk.by).await?;
            let expires_at = rfc3339(expires_at);
            let answer = json!({ "lot": lot, "expires_at": expires_at, "control_version": version });
            Ok(Answer::new(answer, format!("{lot} expires at {expires_at}")))
        }
        LotCommand::Reduce { lot, credits } => {
            let version = desk.book.reduce_lot(lot, credits, &desk.by).await?;
            let answer = json!({ "lot": lot, "takes_at_most": credits, "control_version": version });
            Ok(Answer::new(answer, format!("{lot}: up to {credits} credits will be taken out")))
        }
    }
}

/// Exactly one of the two is given.
fn end(expiry: &Expiry, now: TimeMs) -> TimeMs {
    let after = expiry.expires_in.map(|span| now.plus_ms(span.ms));
    expiry.expires_at.or(after).unwrap_or(now)
}
