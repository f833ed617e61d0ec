//! The Billing screen.

pub mod banners;
pub mod budget;
pub mod forms;
pub mod lots;
pub mod outlook;
pub mod plans;
pub mod receipt;
pub mod receipts;
pub mod returned;
pub mod usage;

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use crate::api::once::fresh_key;
use crate::billing::balance::Balance;
use crate::billing::outlook::{self as pace, Outlook};
use crate::billing::overview::Overview;
use crate::billing::usage::Span;
use crate::caller::Caller;
use crate::input::Query;
use crate::pages::notice::NoticeQuery;
use crate::pages::shell::{self, Section, Shell};
use crate::pages::when::When;
use crate::refusal::Refusal;
use crate::service::Service;
use crate::show;
use banners::Banner;
use budget::{BudgetCard, Typed};
use lots::LotTable;
use outlook::OutlookCard;
use plans::PlanView;
use receipts::ReceiptRow;
use returned::{Next, Returned};
use usage::UsageCard;

/// How many receipts stand on this page; the others are on `/receipts`.
const RECEIPTS: u32 = 10;

/// Where somebody comes from, and which days of usage he wants to see.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct BillingQuery {
    done: Option<String>,
    /// A checkout that he returns from.
    checkout: Option<String>,
    /// Since when its confirmation is waited for.
    since: Option<String>,
    usage: Option<String>,
}

#[derive(Template)]
#[template(path = "billing/page.html")]
struct Page {
    shell: Shell,
    returned: Option<Returned>,
    banners: Vec<Banner>,
    portal_off: Option<String>,
    balance: BalanceCard,
    budget: BudgetCard,
    plans: Vec<PlanView>,
    /// One for all forms of this page: pressed twice, a plan is one checkout.
    checkout_key: String,
    outlook: OutlookCard,
    lots: LotTable,
    usage: UsageCard,
    receipts: Vec<ReceiptRow>,
    has_more_receipts: bool,
}

/// The card on top.
struct BalanceCard {
    remaining: String,
    used: String,
    status: &'static str,
    status_word: &'static str,
    tone: &'static str,
    /// What to know of figures that are not live; empty where they are.
    source: &'static str,
    plan: Option<PlanLine>,
    verified: Option<(u64, When)>,
}

/// The plan that runs, and until when it is paid.
struct PlanLine {
    name: String,
    period_end: Option<When>,
}

pub async fn show(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Query(asked): Query<BillingQuery>,
) -> Result<Response, Refusal> {
    let returned = match returned::next(&service, &caller, asked.checkout.as_deref(), asked.since.as_deref()).await? {
        Next::GoTo(path) => return Ok(shell::see_other(&path)),
        Next::Show(returned) => returned,
    };
    let page = page(&service, &caller, &asked, returned, None).await?;
    shell::page(&page)
}

/// The page with what was typed and is wrong.
pub async fn again(service: &Service, caller: &Caller, typed: Typed, status: StatusCode) -> Result<Response, Refusal> {
    let page = page(service, caller, &BillingQuery::default(), None, Some(typed)).await?;
    shell::page_as(status, &page)
}

async fn page(
    service: &Service,
    caller: &Caller,
    asked: &BillingQuery,
    returned: Option<Returned>,
    typed: Option<Typed>,
) -> Result<Page, Refusal> {
    let span = Span::of(asked.usage.as_deref());
    let overview = Overview::of(service, caller).await?;
    let (view, now) = (&overview.view, overview.now);
    let (used, lines, pace) = tokio::try_join!(
        crate::billing::usage::read(service, caller.account, span.days(view.anchor, now)),
        async { Ok(service.book.receipt_lines(caller.account, None, RECEIPTS + 1).await?) },
        pace::pace(service, caller.account, view.created_at, now),
    )?;
    let has_more_receipts = lines.len() > usize::try_from(RECEIPTS).unwrap_or(usize::MAX);
    let rows = lines.into_iter().map(ReceiptRow::from).take(usize::try_from(RECEIPTS).unwrap_or(usize::MAX));
    let notice = NoticeQuery { done: asked.done.clone() }.notice();
    Ok(Page {
        shell: Shell::new(service, Some(caller), Section::Billing).with_notice(notice),
        returned,
        banners: banners::of(&overview, caller.roles),
        balance: BalanceCard::of(&overview),
        budget: BudgetCard::of(&overview.balance, caller.roles, typed),
        plans: overview.plans.iter().map(PlanView::from).collect(),
        checkout_key: fresh_key(),
        outlook: OutlookCard::of(&Outlook::at(pace, &overview.lots, now), &overview.lots),
        lots: LotTable::of(&overview.lots),
        usage: UsageCard::of(&used, span),
        receipts: rows.collect(),
        has_more_receipts,
        portal_off: overview.portal_off,
    })
}

impl BalanceCard {
    fn of(overview: &Overview) -> Self {
        let Balance { remaining, used, status, source, .. } = overview.balance;
        let plan = overview.subscription.as_ref().map(|subscription| PlanLine {
            name: overview.plan_name().unwrap_or("none that is sold here").to_owned(),
            period_end: subscription.period_end.map(When::day),
        });
        Self {
            remaining: show::credits(remaining),
            used: show::credits(used),
            status: show::status(status),
            status_word: status.as_str(),
            tone: if status.may_spend() { "good" } else { "bad" },
            source: source.says(),
            plan,
            verified: overview.verified.map(|verified| (verified.seq, When::ago(verified.at, overview.now))),
        }
    }
}
