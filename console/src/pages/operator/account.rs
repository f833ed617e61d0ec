//! Everything about one account.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use ledger::stripe::{PaymentView, SubscriptionView};
use ledger::{AccountView, KeyView, LotState, LotView};
use metering::{AccountId, KeyPolicy, TimeMs};

use super::rows::{ActivityRow, Badge, DeliveryRow, LetterRow, MailRow, status_badge};
use super::tabs::Tab;
use super::words::Link;
use crate::billing::balance::Source;
use crate::billing::lots::is_open;
use crate::caller::Operator;
use crate::input::{Path, Query};
use crate::keys::seen::State as Standing;
use crate::operator::account::{LATEST, Whole};
use crate::operator::lots::{check_end, has_any, is_over};
use crate::operator::plain;
use crate::operator::status::Word;
use crate::pages::billing::receipts::ReceiptRow;
use crate::pages::notice::NoticeQuery;
use crate::pages::shell::{self, Section, Shell};
use crate::pages::when::When;
use crate::refusal::Refusal;
use crate::service::Service;
use crate::show;

/// Most lots that are over and still shown; the API has them all.
const PAST_MAX: usize = 200;

/// Where an account is shown.
pub fn path(account: AccountId) -> String {
    format!("/operator/accounts/{account}")
}

/// The way back to it.
pub fn crumb(view: &AccountView) -> Link {
    Link::new(path(view.account), plain::line(&view.name))
}

#[derive(Template)]
#[template(path = "operator/account.html")]
struct Page {
    shell: Shell,
    tab: Tab,
    path: String,
    head: Head,
    plan: Option<PlanLine>,
    customer: Option<String>,
    subscriptions: Vec<SubscriptionRow>,
    payments: Vec<PaymentRow>,
    open: Vec<LotRow>,
    past: Vec<LotRow>,
    older: usize,
    keys: Vec<KeyRow>,
    receipts: Vec<ReceiptRow>,
    activity: Vec<ActivityRow>,
    mails: Vec<MailRow>,
    deliveries: Vec<DeliveryRow>,
    letters: Vec<LetterRow>,
    notices: Notices,
    latest: u32,
}

/// The account in short.
struct Head {
    account: String,
    name: String,
    email: String,
    created: When,
    status: Badge,
    /// Words that would change it: where to, what they are called, and whether they take something away.
    words: Vec<(&'static str, &'static str, bool)>,
    remaining: String,
    is_live: bool,
    used: String,
    limit: String,
    has_cap: bool,
    percent: u64,
    resets: When,
    undelivered: u64,
    overdraft: String,
    has_overdraft: bool,
    seq: String,
    control_version: String,
    shard: String,
    verified: Option<(String, When)>,
}

struct PlanLine {
    name: String,
    status: &'static str,
    period_end: Option<When>,
    ends: bool,
}

struct SubscriptionRow {
    subscription: String,
    plan: String,
    status: &'static str,
    period_end: Option<When>,
    as_of: When,
}

struct PaymentRow {
    payment: String,
    paid: When,
    plan: String,
    money: String,
    lot: String,
    granted: String,
    back: String,
}

/// A lot, and what can be done to it.
struct LotRow {
    lot: String,
    product: String,
    granted: When,
    expires: When,
    original: String,
    remaining: String,
    percent: u64,
    badge: Option<&'static str>,
    may_move: bool,
    may_end: bool,
    may_take: bool,
}

struct KeyRow {
    key: String,
    name: String,
    prefix: String,
    state: Badge,
    last_used: Option<When>,
    held_to: String,
}

struct Notices {
    low_balance: bool,
    lifecycle: bool,
    recipients: String,
    version: u64,
}

pub async fn show(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    Path(account): Path<AccountId>,
    Query(query): Query<NoticeQuery>,
) -> Result<Response, Refusal> {
    let whole = Whole::of(&service, account).await?;
    let plan_name = whole.plan_name(&service);
    let shell = Shell::new(&service, Some(&caller), Section::Operator).with_notice(query.notice());
    shell::page(&Page::of(whole, plan_name, shell))
}

impl Page {
    fn of(whole: Whole, plan_name: Option<String>, shell: Shell) -> Self {
        let (open, past): (Vec<&LotView>, Vec<&LotView>) = whole.lots.iter().partition(|lot| is_open(lot));
        let plan = whole.subscription().map(|subscription| PlanLine {
            name: plan_name.unwrap_or_else(|| "none that is sold here".to_owned()),
            status: subscription.status.as_str(),
            period_end: subscription.period_end.map(When::day),
            ends: subscription.cancel_at_period_end,
        });
        let now = whole.now;
        Self {
            shell,
            tab: Tab::Accounts,
            path: path(whole.view.account),
            head: Head::of(&whole),
            plan,
            customer: whole.customer.clone(),
            subscriptions: whole.subscriptions.iter().map(SubscriptionRow::from).collect(),
            payments: whole.payments.iter().map(PaymentRow::from).collect(),
            open: open.into_iter().map(|lot| LotRow::of(lot, now)).collect(),
            older: past.len().saturating_sub(PAST_MAX),
            past: past.into_iter().rev().take(PAST_MAX).map(|lot| LotRow::of(lot, now)).collect(),
            keys: whole.keys.iter().map(|key| KeyRow::of(key, now)).collect(),
            receipts: whole.receipts.into_iter().map(ReceiptRow::from).collect(),
            activity: whole.activity.into_iter().map(ActivityRow::from).collect(),
            mails: whole.mails.iter().map(MailRow::from).collect(),
            deliveries: whole.deliveries.iter().map(DeliveryRow::from).collect(),
            letters: whole.letters.into_iter().map(LetterRow::from).collect(),
            notices: Notices {
                low_balance: whole.notices.low_balance,
                lifecycle: whole.notices.lifecycle,
                recipients: plain::line(&whole.notices.recipients.join(", ")),
                version: whole.notices.version,
            },
            latest: LATEST,
        }
    }
}

impl Head {
    fn of(whole: &Whole) -> Self {
        let (view, balance) = (&whole.view, &whole.balance);
        let words = Word::ALL.into_iter().filter(|word| word.changes(view.status));
        let name = |word: Word| match word {
            Word::Approve => (word.as_str(), "Approve", false),
            Word::Suspend => (word.as_str(), "Suspend", true),
            Word::Reopen => (word.as_str(), "Reopen", false),
        };
        Self {
            account: view.account.to_string(),
            name: plain::line(&view.name),
            email: view.email.as_deref().map(plain::line).unwrap_or_default(),
            created: When::day(view.created_at),
            status: status_badge(view.status),
            words: words.map(name).collect(),
            remaining: show::credits(balance.remaining),
            is_live: balance.source == Source::Live,
            used: show::credits_in_words(balance.used),
            limit: show::cap(balance.limit),
            has_cap: !balance.limit.is_zero(),
            percent: balance.percent(),
            resets: When::day(balance.resets_at),
            undelivered: view.undelivered,
            overdraft: show::credits_in_words(view.overdraft),
            has_overdraft: !view.overdraft.is_zero(),
            seq: show::number(view.seq),
            control_version: show::number(view.control_version),
            shard: view.shard.to_string(),
            verified: whole.verified.map(|verified| (show::number(verified.seq), When::ago(verified.at, whole.now))),
        }
    }
}

impl From<&SubscriptionView> for SubscriptionRow {
    fn from(view: &SubscriptionView) -> Self {
        Self {
            subscription: view.subscription.clone(),
            plan: view.plan.as_deref().map(plain::line).unwrap_or_default(),
            status: view.status.as_str(),
            period_end: view.period_end.map(When::day),
            as_of: When::instant(view.as_of),
        }
    }
}

impl From<&PaymentView> for PaymentRow {
    fn from(view: &PaymentView) -> Self {
        let payment = &view.payment;
        let back = match (view.asked.is_zero(), view.taken, view.shortfall) {
            (true, ..) => String::new(),
            (false, Some(taken), Some(short)) if short.is_zero() => format!("{} clawed back", show::credits(taken)),
            (false, Some(taken), Some(short)) => {
                format!("{} clawed back, {} short: spent or expired", show::credits(taken), show::credits(short))
            }
            (false, ..) => format!("{} are being clawed back", show::credits(view.asked)),
        };
        Self {
            payment: plain::line(&payment.payment),
            paid: When::instant(payment.paid_at),
            plan: plain::line(&payment.plan),
            money: format!("{} {} in minor units", show::number(payment.amount), payment.currency.to_uppercase()),
            lot: view.lot.map_or_else(|| "no lot".to_owned(), |lot| lot.to_string()),
            granted: show::credits(view.granted),
            back,
        }
    }
}

impl LotRow {
    fn of(lot: &LotView, now: TimeMs) -> Self {
        Self {
            lot: lot.lot.to_string(),
            product: plain::line(&lot.product),
            granted: When::instant(lot.granted_at),
            expires: When::instant(lot.expires_at),
            original: show::credits(lot.original),
            remaining: show::credits(lot.remaining),
            percent: show::share(lot.remaining, lot.original),
            badge: match lot.state {
                LotState::Live => None,
                LotState::Upcoming => Some("Upcoming"),
                LotState::Exhausted => Some("Used up"),
                LotState::Expired => Some("Expired"),
                LotState::Swept => Some("Expired, taken out"),
            },
            may_move: !is_over(lot),
            may_end: check_end(lot, now).is_ok(),
            may_take: has_any(lot),
        }
    }
}

impl KeyRow {
    fn of(key: &KeyView, now: TimeMs) -> Self {
        let state = match Standing::of(key, now) {
            Standing::Revoked(_) => Badge { word: "Revoked", tone: "" },
            Standing::Expired(_) | Standing::Replaced { .. } => Badge { word: "Expired", tone: "" },
            Standing::Expires(_) | Standing::Rotated { .. } => Badge { word: "Expires", tone: "warn" },
            Standing::Active => Badge { word: "Good", tone: "good" },
        };
        let is_free = key.policy == KeyPolicy::default();
        Self {
            key: key.key.to_string(),
            name: plain::line(&key.name),
            prefix: key.prefix.clone(),
            state,
            last_used: key.last_used_at.map(When::instant),
            held_to: if is_free { String::new() } else { serde_json::to_string(&key.policy).unwrap_or_default() },
        }
    }
}
