//! One receipt of the account.

use ledger::AccountReceipt;
use metering::{Credits, OpId};

use crate::caller::Caller;
use crate::refusal::Refusal;
use crate::service::Service;

/// The receipt to which an op belongs. What belongs to another account is not found.
pub async fn of(service: &Service, caller: &Caller, op: OpId) -> Result<AccountReceipt, Refusal> {
    service.book.account_receipt(caller.account, op).await?.ok_or_else(|| Refusal::not_found("receipt"))
}

/// What had been used of the period's budget just after.
pub fn budget_used_after(receipt: &AccountReceipt) -> Credits {
    receipt.budget_used_before.checked_add(receipt.drawn).unwrap_or(Credits::MAX)
}

/// What could be drawn just before and just after, as live state said.
pub fn remaining_around(receipt: &AccountReceipt) -> Option<(Credits, Credits)> {
    let after = receipt.debit.remaining_after?;
    Some((after.checked_add(receipt.drawn)?, after))
}
