//! `tollgate stripe payments …`: what each payment granted, and what of it was taken back.

use std::collections::VecDeque;

use ledger::stripe::PaymentView;
use metering::TimeMs;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::cli::{PaymentsAsked, PaymentsCommand};
use crate::columns::{aligned, is_cut};
use crate::desk::Desk;
use crate::failure::Failure;
use crate::instant::rfc3339;

/// How far back a list of all accounts goes.
const BACK_MS: u64 = 30 * 86_400_000;
const PAGE: u32 = 500;

pub async fn run(desk: &Desk, command: PaymentsCommand) -> Result<Answer, Failure> {
    let PaymentsCommand::List(asked) = command;
    let found = match asked.account {
        Some(account) => {
            desk.refuse_unknown(&[account]).await?;
            let mut found = desk.book.payments_of(account, asked.limit).await?;
            found.retain(|view| asked.since.is_none_or(|since| view.payment.paid_at >= since));
            found
        }
        None => latest(desk, &asked).await?,
    };
    let cut = is_cut(found.len(), asked.limit);
    let mut lines = aligned(&found.iter().map(row).collect::<Vec<_>>());
    if found.is_empty() {
        lines.push("no such payments".to_owned());
    } else if cut {
        lines.push(format!("the latest {}; there may be more", asked.limit));
    }
    let payments: Vec<Value> = found.iter().map(to_json).collect();
    Ok(Answer::new(json!({ "payments": payments, "cut": cut }), lines.join("\n")))
}

/// The book goes through payments from the oldest on; only the latest are kept.
async fn latest(desk: &Desk, asked: &PaymentsAsked) -> Result<Vec<PaymentView>, Failure> {
    let since: TimeMs = asked.since.unwrap_or(desk.now().minus_ms(BACK_MS));
    let (mut kept, mut after) = (VecDeque::new(), None);
    loop {
        let page = desk.book.payments(since, after.as_ref(), PAGE).await?;
        let is_last = page.len() < size(PAGE);
        after = page.last().map(PaymentView::cursor).or(after);
        kept.extend(page);
        while kept.len() > size(asked.limit) {
            kept.pop_front();
        }
        if is_last {
            return Ok(kept.into_iter().rev().collect());
        }
    }
}

fn size(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

fn row(view: &PaymentView) -> [String; 6] {
    let payment = &view.payment;
    let paid = format!("{} {} for {}", payment.amount, payment.currency, payment.plan);
    let granted = view.lot.map_or_else(|| "no lot".to_owned(), |lot| format!("{lot}, {} credits", view.granted));
    [rfc3339(payment.paid_at), payment.payment.clone(), view.owner.to_string(), paid, granted, back(view)]
}

/// What was taken back, for people; empty while nothing was asked back.
fn back(view: &PaymentView) -> String {
    match (view.asked.is_zero(), view.taken, view.shortfall) {
        (true, ..) => String::new(),
        (false, Some(taken), Some(short)) if short.is_zero() => format!("{taken} clawed back"),
        (false, Some(taken), Some(short)) => format!("{taken} clawed back, {short} short: spent or expired"),
        (false, ..) => format!("{} are being clawed back", view.asked),
    }
}

fn to_json(view: &PaymentView) -> Value {
    let payment = &view.payment;
    json!({
        "payment": payment.payment, "account": view.owner, "plan": payment.plan, "product": payment.product,
        "amount": payment.amount, "currency": payment.currency, "prorated": payment.prorated,
        "paid_at": rfc3339(payment.paid_at), "expires_at": rfc3339(payment.expires_at),
        "payment_intent": payment.payment_intent, "charge": payment.charge, "session": payment.session,
        "subscription": payment.subscription, "customer": payment.customer, "lot": view.lot,
        "granted": view.granted, "asked_back": view.asked, "clawed_back": view.taken, "shortfall": view.shortfall,
    })
}
