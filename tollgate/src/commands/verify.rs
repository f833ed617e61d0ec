//! `tollgate verify`: is everything true? Each account recomputed from its entries, then compared with live state.

use std::collections::BTreeMap;

use ledger::{Comparison, ParkedEvents, look};
use metering::AccountId;
use metering::live::Meter;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::desk::Desk;
use crate::failure::{DRIFT, Failure, UNAVAILABLE};

const ACCOUNTS_A_PAGE: u32 = 200;

/// What was found so far.
#[derive(Default)]
struct Findings {
    accounts: u64,
    unapplied: u64,
    drift: u64,
    /// Each difference: for programs, and for people.
    differences: Vec<(Value, String)>,
    /// Accounts that could not be compared, and why.
    unsure: BTreeMap<AccountId, &'static str>,
    /// Accounts with events that could not be applied.
    parked: BTreeMap<AccountId, ParkedEvents>,
    /// Events that could not be applied and are of no account that was compared.
    stray: u64,
}

pub async fn run(desk: &Desk, accounts: Vec<AccountId>, book_only: bool) -> Result<Answer, Failure> {
    let meter = if book_only { None } else { Some(desk.meter().await?) };
    let mut findings = Findings::default();
    if !accounts.is_empty() {
        desk.refuse_unknown(&accounts).await?;
        findings.look_at(desk, meter.as_ref(), &accounts).await?;
        return Ok(findings.answer(book_only));
    }
    let mut after = None;
    loop {
        let page = desk.book.accounts_after(after, ACCOUNTS_A_PAGE).await?;
        let Some(&last) = page.last() else {
            findings.stray = desk.book.stray_dead_letters().await?;
            return Ok(findings.answer(book_only));
        };
        after = Some(last);
        findings.look_at(desk, meter.as_ref(), &page).await?;
    }
}

impl Findings {
    async fn look_at(&mut self, desk: &Desk, meter: Option<&Meter>, accounts: &[AccountId]) -> Result<(), Failure> {
        self.accounts = self.accounts.saturating_add(u64::try_from(accounts.len()).unwrap_or(u64::MAX));
        for difference in desk.book.recompute(accounts).await? {
            self.differences.push((json!({ "in": "book", "difference": difference }), difference.to_string()));
        }
        let Some(meter) = meter else {
            for balance in desk.book.balances(accounts).await? {
                self.parked.extend(balance.parked.map(|parked| (balance.account, parked)));
            }
            return Ok(());
        };
        for seen in look(&desk.book, meter, accounts).await? {
            let account = seen.account;
            match seen.comparison {
                Comparison::Agrees { unapplied, .. } => self.unapplied = self.unapplied.saturating_add(unapplied),
                Comparison::Unsure(why) => {
                    self.unsure.insert(account, why);
                }
                Comparison::Parked(parked) => {
                    self.unapplied = self.unapplied.saturating_add(parked.events);
                    self.parked.insert(account, parked);
                }
                Comparison::Differs(differences) => {
                    for difference in differences {
                        self.drift = self.drift.saturating_add(difference.credits());
                        let value = json!({ "in": "live", "account": account, "difference": difference });
                        self.differences.push((value, format!("{account}: {difference}")));
                    }
                }
            }
        }
        Ok(())
    }

    fn answer(self, book_only: bool) -> Answer {
        let unsure: BTreeMap<String, &str> =
            self.unsure.iter().map(|(account, why)| (account.to_string(), *why)).collect();
        let mut lines: Vec<String> = self.differences.iter().map(|(_, text)| text.clone()).collect();
        lines.extend(self.unsure.iter().map(|(account, why)| format!("{account}: not compared, {why}")));
        lines.extend(self.parked.iter().map(|(account, parked)| {
            let (events, credits) = (parked.events, parked.credits);
            format!("{account}: {events} events are parked as dead letters, debits of {credits} credits")
        }));
        if self.stray > 0 {
            lines.push(format!("{} dead letters are of no account that could be compared", self.stray));
        }
        let looked = if book_only { "recomputed" } else { "recomputed and compared with live state" };
        lines.push(format!(
            "{} accounts {looked}: {} differences, drift {}, {} events not in the book yet",
            self.accounts,
            self.differences.len(),
            self.drift,
            self.unapplied
        ));
        let is_whole = self.differences.is_empty() && self.parked.is_empty() && self.stray == 0;
        let exit = match (is_whole, unsure.is_empty()) {
            (false, _) => DRIFT,
            (true, false) => UNAVAILABLE,
            (true, true) => 0,
        };
        let parked: BTreeMap<String, &ParkedEvents> =
            self.parked.iter().map(|(account, parked)| (account.to_string(), parked)).collect();
        let differences: Vec<Value> = self.differences.into_iter().map(|(value, _)| value).collect();
        let json = json!({
            "accounts": self.accounts, "drift": self.drift, "unapplied": self.unapplied, "differences": differences,
            "not_compared": unsure, "parked": parked, "stray_dead_letters": self.stray,
        });
        Answer { exit, ..Answer::new(json, lines.join("\n")) }
    }
}
