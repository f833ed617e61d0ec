//! The accounts of a run, made as an operator makes them.

use anyhow::{Context, Result};
use serde_json::Value;

use super::house::House;

/// Accounts that never run out.
pub const RICH: usize = 24;
/// Accounts that run out of credits, or of their budget, in the middle of it.
const POOR: usize = 4;
/// More than anybody draws in a run.
pub const RICH_CREDITS: u64 = 1_000_000;

pub struct Customer {
    pub account: String,
    pub key: String,
    /// A lot that an operator takes credits out of now and then.
    pub lot: String,
    pub rich: bool,
}

/// Rich ones first, then poor ones; all are known to the gateways when this returns.
pub fn make(house: &House) -> Result<Vec<Customer>> {
    let mut customers = Vec::new();
    for number in 0..RICH + POOR {
        let rich = number < RICH;
        let customer = make_one(house, &format!("customer {number}"), if rich { RICH_CREDITS } else { 150 }, rich)?;
        // One that ends while the load runs, and is taken off the books.
        lot(house, &customer.account, 200, "20s")?;
        if !rich {
            house.tollgate(&["budget", "set", "--account", &customer.account, "--limit", "300"])?;
        }
        house.tollgate(&["lot", "reduce", "--lot", &customer.lot, "--credits", "7"])?;
        customers.push(customer);
    }
    Ok(customers)
}

/// The account of the first part: exactly so many credits.
pub fn make_one(house: &House, name: &str, credits: u64, rich: bool) -> Result<Customer> {
    let made = house.tollgate(&["account", "create", "--name", name, "--status", "active"])?;
    let account = text(&made, "account")?;
    let lot = lot(house, &account, credits, "30d")?;
    let issued = house.tollgate(&["key", "issue", "--account", &account, "--name", "prove"])?;
    Ok(Customer { key: text(&issued, "key")?, account, lot, rich })
}

fn lot(house: &House, account: &str, credits: u64, expires_in: &str) -> Result<String> {
    let credits = credits.to_string();
    let grant = ["lot", "grant", "--account", account, "--credits", &credits, "--expires-in", expires_in];
    text(&house.tollgate(&grant)?, "lot")
}

fn text(answer: &Value, field: &str) -> Result<String> {
    let found = answer[field].as_str().map(str::to_owned);
    found.with_context(|| format!("the tollgate command answered no {field}: {answer}"))
}
