//! Checkout: a customer once for each account, a session at Stripe, our own row, and only then the URL.

mod earlier;
mod refusal;
mod request;

use ledger::stripe::{Checkout, SubscriptionView};
use ledger::{AccountView, By, Ledger};
use metering::{AccountId, Status};
use sha2::{Digest, Sha256};

use crate::api::{Stripe, of_answer};
use crate::objects::{Customer, Session, time};
use crate::plans::{Plan, PlanKind, Plans};
use earlier::Earlier;

pub use refusal::CheckoutError;
pub use request::Urls;

const SESSIONS: &str = "/checkout/sessions";
const CUSTOMERS: &str = "/customers";
/// Ours stands before it, and Stripe takes 255 letters.
const KEY_BYTES_MAX: usize = 100;
/// More subscriptions than any account has at once.
const SUBSCRIPTIONS_MAX: u32 = 100;

/// A checkout that its payer can be sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    pub session: String,
    pub url: String,
}

/// Opens a checkout for a plan. Repeated under the same key it is the same session, whatever became of the first answer.
#[expect(
    clippy::too_many_arguments,
    reason = "whose hands, whose money, which plan and how to come back are all needed"
)]
pub async fn open_checkout(
    ledger: &Ledger,
    stripe: Option<&Stripe>,
    plans: &Plans,
    account: AccountId,
    plan: &str,
    idempotency_key: &str,
    urls: &Urls,
    by: &By,
) -> Result<Opened, CheckoutError> {
    check_key(idempotency_key)?;
    let plan = plans.by_code(plan).ok_or_else(|| CheckoutError::PlanUnknown { plan: plan.to_owned() })?;
    let price = plan.price.as_deref().ok_or_else(|| CheckoutError::PlanUnpriced { plan: plan.code.clone() })?;
    let stripe = stripe.ok_or(CheckoutError::NotConfigured)?;
    let view = ledger.account_view(account, by.at).await?;
    let subscriptions = ledger.subscriptions(Some(account), None, SUBSCRIPTIONS_MAX).await?;
    check_eligible(&view, &subscriptions, plan)?;
    let customer = customer(ledger, stripe, &view, by).await?;
    if plan.kind == PlanKind::Recurring
        && let Earlier::Same(opened) = earlier::settle(ledger, stripe, account, plan, by.at).await?
    {
        return Ok(opened);
    }
    let trial_days = if subscriptions.is_empty() { plan.trial_days } else { 0 };
    let asked = request::Asked { plan, price, account, customer: &customer, trial_days, urls };
    let key = format!("tollgate-checkout-{account}-{}-{idempotency_key}", plan.code);
    let fields = asked.fields();
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let session: Session = of_answer(SESSIONS, &stripe.post(SESSIONS, &fields, &key).await?)?;
    let checkout = entered(&asked, session, by)?;
    ledger.enter_checkout(&checkout, by).await?;
    Ok(Opened { session: checkout.session, url: checkout.url })
}

fn check_key(key: &str) -> Result<(), CheckoutError> {
    let sound = (1..=KEY_BYTES_MAX).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    if sound { Ok(()) } else { Err(CheckoutError::KeyUnsound) }
}

/// Whether this account may buy this plan now: asked again at each checkout, and beforehand by whoever shows plans.
pub fn check_eligible(
    view: &AccountView,
    subscriptions: &[SubscriptionView],
    plan: &Plan,
) -> Result<(), CheckoutError> {
    if view.status == Status::Suspended {
        return Err(CheckoutError::Suspended);
    }
    if plan.kind == PlanKind::OneOff {
        return Ok(());
    }
    match subscriptions.iter().find(|subscription| subscription.status.is_live()) {
        Some(live) if live.plan.as_ref() == Some(&plan.code) => Err(CheckoutError::PlanCurrent),
        // Two at once would be paid twice; the portal changes the one that is there.
        Some(_) => Err(CheckoutError::Subscribed),
        None => Ok(()),
    }
}

/// The account's customer, made now if there is none. Two who make it at once are given the same by Stripe.
async fn customer(ledger: &Ledger, stripe: &Stripe, view: &AccountView, by: &By) -> Result<String, CheckoutError> {
    if let Some(customer) = ledger.stripe_customer(view.account).await? {
        return Ok(customer);
    }
    let (account, email) = (view.account.to_string(), view.email.clone().unwrap_or_default());
    let mut fields = vec![("metadata[account]", account.as_str()), ("name", view.name.as_str())];
    fields.extend((!email.is_empty()).then_some(("email", email.as_str())));
    let key = customer_key(&account, &view.name, &email);
    let made: Customer = of_answer(CUSTOMERS, &stripe.post(CUSTOMERS, &fields, &key).await?)?;
    Ok(ledger.link_customer(view.account, &made.id, view.email.as_deref(), by).await?)
}

/// The name and address belong to it, because Stripe refuses another request under the same key.
fn customer_key(account: &str, name: &str, email: &str) -> String {
    let digest = Sha256::new().chain_update(name).chain_update([0]).chain_update(email).finalize();
    let short = digest.iter().take(4).fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte));
    format!("tollgate-customer-{account}-{short:08x}")
}

/// Our own row of a session that Stripe has made; what it would ask its payer for must be what the plan says.
fn entered(asked: &request::Asked<'_>, session: Session, by: &By) -> Result<Checkout, CheckoutError> {
    let (plan, amount) = (asked.plan, asked.amount());
    let total = session.amount_total.and_then(|total| u64::try_from(total).ok());
    if total != Some(amount) || session.currency.as_ref() != Some(&plan.currency) {
        return Err(CheckoutError::PriceDiffers { plan: plan.code.clone() });
    }
    Ok(Checkout {
        session: session.id,
        account: asked.account,
        customer: asked.customer.to_owned(),
        plan: plan.code.clone(),
        price: asked.price.to_owned(),
        recurring: plan.kind == PlanKind::Recurring,
        amount,
        currency: plan.currency.clone(),
        // An answer that is repeated for a session which is over has no URL any more.
        url: session.url.ok_or(CheckoutError::SessionOver)?,
        opened_at: by.at,
        expires_at: time(session.expires_at),
    })
}

#[cfg(test)]
mod tests {
    use ledger::stripe::SubscriptionStatus;
    use metering::{BudgetAnchor, Credits, Shard, ShardKind, TimeMs};

    use super::*;

    fn plans() -> Plans {
        Plans::new(config::plans::parse("demo", config::plans::DEMO).unwrap())
    }

    fn view(status: Status) -> AccountView {
        AccountView {
            account: "acct_00000000000000000000000000000001".parse().unwrap(),
            shard: Shard { kind: ShardKind::Accounts, number: 0 },
            name: "A".to_owned(),
            email: None,
            status,
            anchor: BudgetAnchor::new(1).unwrap(),
            budget: ledger::BudgetUse { limit: Credits::ZERO, used: Credits::ZERO, resets_at: TimeMs::new(1) },
            lots: Vec::new(),
            remaining: Credits::ZERO,
            seq: 0,
            control_version: 0,
            undelivered: 0,
            overdraft: Credits::ZERO,
            created_at: TimeMs::new(1),
        }
    }

    fn subscription(status: SubscriptionStatus, plan: &str) -> SubscriptionView {
        SubscriptionView {
            subscription: "sub_1".to_owned(),
            account: view(Status::Active).account,
            customer: None,
            status,
            plan: Some(plan.to_owned()),
            period_end: None,
            cancel_at_period_end: false,
            trial_end: None,
            as_of: TimeMs::new(1),
        }
    }

    fn eligible(status: Status, subscriptions: &[SubscriptionView], plan: &str) -> Result<(), &'static str> {
        let plans = plans();
        let plan = plans.by_code(plan).unwrap();
        check_eligible(&view(status), subscriptions, plan).map_err(|error| error.code())
    }

    #[test]
    fn everybody_but_the_suspended_may_buy() {
        for status in Status::ALL {
            let wanted = if status == Status::Suspended { Err("account_suspended") } else { Ok(()) };
            assert_eq!(eligible(status, &[], "team"), wanted, "{status:?}");
            assert_eq!(eligible(status, &[], "pack"), wanted, "{status:?}");
        }
    }

    #[test]
    fn a_subscription_that_lives_is_not_bought_again_and_not_doubled() {
        use SubscriptionStatus as Is;
        for live in [Is::Trialing, Is::Active, Is::PastDue, Is::Unpaid, Is::Paused] {
            let subscribed = [subscription(Is::Canceled, "team"), subscription(live, "team")];
            assert_eq!(eligible(Status::Active, &subscribed, "team"), Err("plan_current"), "{live}");
            assert_eq!(eligible(Status::Active, &subscribed, "starter"), Err("subscribed_already"), "{live}");
            assert_eq!(eligible(Status::Active, &subscribed, "pack"), Ok(()), "{live}");
        }
        for over in [Is::Canceled, Is::Incomplete, Is::IncompleteExpired] {
            assert_eq!(eligible(Status::Pending, &[subscription(over, "team")], "team"), Ok(()), "{over}");
        }
    }

    #[test]
    fn an_idempotency_key_is_printable_and_bounded() {
        assert!(check_key("k").is_ok() && check_key(&"k".repeat(100)).is_ok());
        for wrong in ["", "a b", "ü", "a\n", &"k".repeat(101)] {
            assert_eq!(check_key(wrong).map_err(|error| error.code()), Err("idempotency_key_unsound"), "{wrong:?}");
        }
    }

    #[test]
    fn a_customer_has_one_key_as_long_as_its_name_and_address_stay() {
        let key = customer_key("acct_1", "A", "a@b");
        assert_eq!(key, customer_key("acct_1", "A", "a@b"));
        assert!(key.starts_with("tollgate-customer-acct_1-") && key.len() == 25 + 8, "{key}");
        let others = [
            customer_key("acct_2", "A", "a@b"),
            customer_key("acct_1", "Aa", "@b"),
            customer_key("acct_1", "B", "a@b"),
        ];
        assert!(others.iter().all(|other| *other != key));
    }
}
