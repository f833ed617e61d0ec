//! The checks that turn a written plan into one that may be sold.

use std::fmt;

use toml::Spanned;

use super::file::{Entry, ExpiryEntry};
use super::{Expiry, Plan, PlanKind};
use crate::credits::CREDITS_MAX;
use crate::error::ConfigError;
use crate::lines::line_at;

/// More than anybody could choose from.
const PLANS_MAX: usize = 100;
const CODE_BYTES_MAX: usize = 40;
const NAME_LETTERS_MAX: usize = 100;
/// As long as any id of Stripe may be.
const ID_BYTES_MAX: usize = 255;
/// Twelve digits, the most that Stripe takes for any currency.
const AMOUNT_MAX: u64 = 999_999_999_999;
/// A hundred years.
const DAYS_MAX: u32 = 36_500;
/// Two years, the most that Stripe allows.
const TRIAL_DAYS_MAX: u32 = 730;

/// Where errors of one file stand.
struct Source<'a> {
    name: &'a str,
    text: &'a str,
}

impl Source<'_> {
    fn at<T>(&self, spanned: &Spanned<T>, what: impl fmt::Display) -> ConfigError {
        ConfigError::at_line(self.name, line_at(self.text, spanned.span().start), what)
    }
}

pub(super) fn plans(name: &str, text: &str, entries: &[Spanned<Entry>]) -> Result<Vec<Plan>, ConfigError> {
    let source = Source { name, text };
    let mut plans: Vec<Plan> = Vec::with_capacity(entries.len());
    for entry in entries {
        if plans.len() == PLANS_MAX {
            return Err(source.at(entry, format!("more than {PLANS_MAX} plans")));
        }
        let (plan, entry) = (check(&source, entry.get_ref())?, entry.get_ref());
        if plans.iter().any(|other| other.code == plan.code) {
            return Err(source.at(&entry.code, format!("a second plan with the code `{}`", plan.code)));
        }
        let same = |other: &&Plan| plan.price.is_some() && other.price == plan.price;
        if let Some(other) = plans.iter().find(same) {
            return Err(
                source.at(&entry.price, format!("the price of plan `{}`: a payment could be for either", other.code))
            );
        }
        plans.push(plan);
    }
    plans.sort_by(|one, other| (one.order, &one.code).cmp(&(other.order, &other.code)));
    Ok(plans)
}

fn check(source: &Source<'_>, entry: &Entry) -> Result<Plan, ConfigError> {
    let price = entry.price.get_ref();
    Ok(Plan {
        code: code(source, &entry.code)?,
        name: plan_name(source, &entry.name)?,
        product: stripe_id(source, &entry.product, "prod_")?,
        price: if price.is_empty() { None } else { Some(stripe_id(source, &entry.price, "price_")?) },
        kind: entry.kind,
        amount: amount(source, &entry.amount)?,
        currency: currency(source, &entry.currency)?,
        allowance: allowance(source, &entry.allowance)?,
        trial_days: trial_days(source, entry)?,
        trial_allowance: trial_allowance(source, entry)?,
        expiry: expiry(source, entry)?,
        order: entry.order,
    })
}

fn code(source: &Source<'_>, code: &Spanned<String>) -> Result<String, ConfigError> {
    let text = code.get_ref();
    let sound = (1..=CODE_BYTES_MAX).contains(&text.len())
        && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'));
    let what = || source.at(code, format!("a code has 1 to {CODE_BYTES_MAX} of a-z, 0-9, `_` and `-`"));
    if sound { Ok(text.clone()) } else { Err(what()) }
}

/// It becomes the product of lots, which the book keeps to 200 letters.
fn plan_name(source: &Source<'_>, name: &Spanned<String>) -> Result<String, ConfigError> {
    let text = name.get_ref();
    let sound = (1..=NAME_LETTERS_MAX).contains(&text.chars().count())
        && text.trim() == text
        && !text.chars().any(char::is_control);
    let what =
        || source.at(name, format!("a name has 1 to {NAME_LETTERS_MAX} letters, on one line, no blanks around it"));
    if sound { Ok(text.clone()) } else { Err(what()) }
}

fn stripe_id(source: &Source<'_>, id: &Spanned<String>, prefix: &str) -> Result<String, ConfigError> {
    let text = id.get_ref();
    let sound = text.len() <= ID_BYTES_MAX
        && text.strip_prefix(prefix).is_some_and(|rest| {
            !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        });
    if sound { Ok(text.clone()) } else { Err(source.at(id, format!("must be an id of Stripe's, {prefix}…"))) }
}

fn amount(source: &Source<'_>, amount: &Spanned<u64>) -> Result<u64, ConfigError> {
    let number = *amount.get_ref();
    let what = || source.at(amount, format!("an amount is 1 to {AMOUNT_MAX} of the smallest unit"));
    if (1..=AMOUNT_MAX).contains(&number) { Ok(number) } else { Err(what()) }
}

fn currency(source: &Source<'_>, currency: &Spanned<String>) -> Result<String, ConfigError> {
    let text = currency.get_ref();
    let sound = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_lowercase());
    if sound { Ok(text.clone()) } else { Err(source.at(currency, "a currency is three small letters")) }
}

fn allowance(source: &Source<'_>, allowance: &Spanned<u64>) -> Result<u64, ConfigError> {
    let number = *allowance.get_ref();
    let what = || source.at(allowance, format!("an allowance is 1 to {CREDITS_MAX} credits"));
    if (1..=CREDITS_MAX).contains(&number) { Ok(number) } else { Err(what()) }
}

fn trial_days(source: &Source<'_>, entry: &Entry) -> Result<u32, ConfigError> {
    let Some(days) = &entry.trial_days else { return Ok(0) };
    match *days.get_ref() {
        0 => Ok(0),
        _ if entry.kind == PlanKind::OneOff => Err(source.at(days, "a one-off plan has no trial")),
        number if number <= TRIAL_DAYS_MAX => Ok(number),
        _ => Err(source.at(days, format!("a trial has at most {TRIAL_DAYS_MAX} days"))),
    }
}

/// A trial may also be begun at Stripe, so it needs no `trial_days` for a plan that can be subscribed to.
fn trial_allowance(source: &Source<'_>, entry: &Entry) -> Result<u64, ConfigError> {
    let Some(allowance) = &entry.trial_allowance else { return Ok(0) };
    match *allowance.get_ref() {
        0 => Ok(0),
        _ if entry.kind == PlanKind::OneOff => Err(source.at(allowance, "a one-off plan has no trial")),
        number if number <= CREDITS_MAX => Ok(number),
        _ => Err(source.at(allowance, format!("an allowance is at most {CREDITS_MAX} credits"))),
    }
}

fn expiry(source: &Source<'_>, entry: &Entry) -> Result<Expiry, ConfigError> {
    match entry.expiry.get_ref() {
        ExpiryEntry::Word(_) if entry.kind == PlanKind::OneOff => {
            Err(source.at(&entry.expiry, "a one-off plan has no period: give { days = … }"))
        }
        ExpiryEntry::Word(_) => Ok(Expiry::PeriodEnd),
        ExpiryEntry::Days(days) if (1..=DAYS_MAX).contains(&days.days) => Ok(Expiry::Days(days.days)),
        ExpiryEntry::Days(_) => Err(source.at(&entry.expiry, format!("an expiry is 1 to {DAYS_MAX} days"))),
    }
}
