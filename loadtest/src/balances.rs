//! Balances before and after, as keys may ask for them: what callers were told that calls cost is what their accounts are short of.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use serde_json::Value;

use crate::call::Requests;
use crate::line::Line;
use crate::record::Drawn;

/// More are not asked; where some keys are used more often than others, these are the first.
const ACCOUNTS_MAX: usize = 1_000;
const ASK_LIMIT: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(200);

/// Accounts whose balance was asked for.
#[derive(Debug, Serialize)]
pub struct Balances {
    pub accounts: usize,
    /// Of these a call came to no end that its caller saw: it may have cost something.
    pub unsure: usize,
    pub wrong: Vec<Wrong>,
}

/// An account that is short of something else than its callers were told.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Wrong {
    pub account: String,
    pub before: u64,
    pub after: u64,
    pub told: u64,
}

/// Asks for each account that has a key; the balance of none is in the answer twice.
pub async fn ask(requests: &Requests, line: &mut Line) -> Result<Vec<u64>> {
    let mut left = Vec::new();
    for account in 0..requests.keys.accounts.len().min(ACCOUNTS_MAX) {
        left.push(ask_one(requests, line, account).await?);
    }
    Ok(left)
}

async fn ask_one(requests: &Requests, line: &mut Line, account: usize) -> Result<u64> {
    let keys = &requests.keys;
    let key = keys.account_of.iter().position(|of| *of == account).context("an account has a key")?;
    let request = requests.credits(key, line.target());
    let (status, body) = line.ask(request, ASK_LIMIT).await?;
    let name = &keys.accounts[account];
    ensure!(status == 200, "{name} may not ask what is left: {status} {}", String::from_utf8_lossy(&body));
    let answer: Value = serde_json::from_slice(&body).context("reading what is left")?;
    answer["remaining"].as_u64().with_context(|| format!("{name} was not told what is left: {answer}"))
}

/// Asks again until every account is short of what its callers were told, or the time is over.
pub async fn compare(
    requests: &Requests,
    line: &mut Line,
    before: &[u64],
    drawn: &[Drawn],
    settle: Duration,
) -> Result<Balances> {
    let deadline = Instant::now() + settle;
    let mut wrong = Vec::new();
    for (account, (&before, drawn)) in before.iter().zip(drawn).enumerate() {
        loop {
            let after = ask_one(requests, line, account).await?;
            if drawn.explains(before, after) {
                break;
            }
            if Instant::now() >= deadline {
                wrong.push(Wrong { account: requests.keys.accounts[account].clone(), before, after, told: drawn.told });
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
    let unsure = drawn.iter().take(before.len()).filter(|drawn| drawn.unsure > 0).count();
    Ok(Balances { accounts: before.len(), unsure, wrong })
}

impl Drawn {
    /// Whether what is left fits what was there and what callers were told. A call without an end may have drawn, or not.
    fn explains(&self, before: u64, after: u64) -> bool {
        let missing = before.saturating_sub(after);
        let grew = after > before;
        !grew && if self.unsure == 0 { missing == self.told } else { missing >= self.told }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_short_of_what_was_told_and_of_nothing_else() {
        let sure = Drawn { told: 10, unsure: 0 };
        assert!(sure.explains(100, 90) && !sure.explains(100, 91) && !sure.explains(100, 89));
        assert!(!Drawn::default().explains(100, 101), "nobody granted anything");
    }

    #[test]
    fn a_call_without_an_end_may_have_drawn_and_takes_nothing_back() {
        let unsure = Drawn { told: 10, unsure: 1 };
        assert!(unsure.explains(100, 90) && unsure.explains(100, 89) && !unsure.explains(100, 91));
    }
}
