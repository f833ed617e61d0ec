//! `tollgate audit`: where every credit went, in one table; and with a file of receipts, whether callers were told the truth.

mod receipts;
mod rest;
mod sums;
mod table;

use std::time::{Duration, Instant};

use ledger::{Standing, Window};
use metering::AccountId;
use serde_json::json;

use crate::answer::Answer;
use crate::cli::AuditArgs;
use crate::desk::Desk;
use crate::failure::{Failure, UNAVAILABLE};
use receipts::{Receipts, Told};
use rest::Rest;
use sums::Sums;

/// An equality does not hold, live state drifts, or a caller was told something else than the book says.
const UNTRUE: u8 = 2;
const ACCOUNTS_A_PAGE: u32 = 200;

/// All that was found.
pub struct Audit {
    sums: Sums,
    rest: Rest,
    /// Debits of the time asked for that stay drawn.
    standing: Standing,
    told: Option<Told>,
    /// What does not hold in the book and in live state, each in words.
    broken: Vec<String>,
}

pub async fn run(desk: &Desk, asked: AuditArgs) -> Result<Answer, Failure> {
    let window = Window { since: asked.since, until: asked.until };
    // Opened first: a file that can't be read shall not be noticed after a minute of waiting.
    let receipts = asked.receipts.as_deref().map(Receipts::open).transpose()?;
    desk.refuse_unknown(&asked.account).await?;
    let deadline = Instant::now() + Duration::from_millis(asked.wait.ms);
    let (mut rest, sums, mut broken) = loop {
        let rest = rest::wait(desk, &asked.account, deadline).await?;
        let (sums, broken) = recount(desk, &asked.account).await?;
        // Book and live state are read one after the other: a lot that was swept in between is no difference, and gone at the next look.
        if sums.left == rest.left_live || Instant::now() >= deadline {
            break (rest, sums, broken);
        }
    };
    if sums.left != rest.left_live && rest.why_not.is_none() {
        // Compared account by account they agree, or it stands among the differences: only the two readings are of two instants.
        rest.why_not = Some("credits moved while they were counted".to_owned());
    }
    broken.extend(rest.differences.iter().cloned());
    let told = match receipts {
        Some(receipts) => Some(receipts.compare(&desk.book, window).await?),
        None => None,
    };
    let standing = desk.book.standing_debits(window, &asked.account).await?;
    Ok(Audit { sums, rest, standing, told, broken }.answer())
}

/// The sums over all accounts asked for, and what of them does not hold.
async fn recount(desk: &Desk, accounts: &[AccountId]) -> Result<(Sums, Vec<String>), Failure> {
    let (mut sums, mut broken, mut after) = (Sums::default(), Vec::new(), None);
    loop {
        let page = page(desk, accounts, &mut after).await?;
        if page.is_empty() {
            broken.extend(sums.broken());
            return Ok((sums, broken));
        }
        broken.extend(desk.book.recompute(&page).await?.iter().map(ToString::to_string));
        sums.add(&desk.book.account_sums(&page).await?);
    }
}

/// The next accounts: those asked for, once, or those of the whole book, one page after the other.
async fn page(desk: &Desk, asked: &[AccountId], after: &mut Option<AccountId>) -> Result<Vec<AccountId>, Failure> {
    if !asked.is_empty() {
        let first = after.is_none();
        *after = asked.last().copied();
        return Ok(if first { asked.to_vec() } else { Vec::new() });
    }
    let page = desk.book.accounts_after(*after, ACCOUNTS_A_PAGE).await?;
    *after = page.last().copied().or(*after);
    Ok(page)
}

impl Audit {
    fn answer(self) -> Answer {
        let (sums, rest) = (&self.sums, &self.rest);
        let json = json!({
            "accounts": sums.accounts, "granted": number(sums.granted), "drawn": number(sums.drawn),
            "given_back": number(sums.given_back), "expired": number(sums.expired), "clawed_back": number(sums.clawed_back),
            "left": number(sums.left), "left_live": number(rest.left_live), "overdraft": number(sums.overdraft), "drift": rest.drift, "debits": sums.debits, "give_backs": sums.give_backs,
            "at_rest": rest.why_not.is_none(), "not_at_rest": rest.why_not,
            "standing": { "debits": self.standing.debits, "credits": self.standing.credits },
            "receipts": self.told.as_ref().map(|told| told.json(self.standing)),
            "broken": self.broken,
        });
        let true_to_callers = self.told.as_ref().is_none_or(|told| told.broken().is_empty());
        let exit = match (self.broken.is_empty() && true_to_callers, &rest.why_not) {
            (false, _) => UNTRUE,
            (true, Some(_)) => UNAVAILABLE,
            (true, None) => 0,
        };
        Answer { exit, ..Answer::new(json, table::text(&self)) }
    }
}

/// A sum as JSON can hold it.
fn number(sum: u128) -> u64 {
    u64::try_from(sum).unwrap_or(u64::MAX)
}
