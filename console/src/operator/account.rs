//! Everything about one account, read at once.

use ledger::mails::{MailFilter, MailView, NoticeSettings};
use ledger::stripe::{DeliveryFilter, PaymentView, StoredDelivery, SubscriptionView};
use ledger::{
    AccountView, ActivityFilter, ActivityLine, DeadLetter, KeyView, KeysWanted, LedgerError, LotView, ReceiptLine,
    Verified,
};
use metering::{AccountId, TimeMs};

use crate::billing::balance::{self, Balance};
use crate::billing::{lots, plans};
use crate::refusal::Refusal;
use crate::service::Service;

/// How many of what there is more of stand on the account's page; each has a list of its own.
pub const LATEST: u32 = 10;
/// More subscriptions than anybody has.
const SUBSCRIPTIONS_MAX: u32 = 50;

/// An account, whole.
pub struct Whole {
    pub now: TimeMs,
    pub view: AccountView,
    pub balance: Balance,
    /// Every lot, with what is left of it now.
    pub lots: Vec<LotView>,
    pub customer: Option<String>,
    pub subscriptions: Vec<SubscriptionView>,
    pub payments: Vec<PaymentView>,
    pub deliveries: Vec<StoredDelivery>,
    pub keys: Vec<KeyView>,
    pub receipts: Vec<ReceiptLine>,
    pub activity: Vec<ActivityLine>,
    pub mails: Vec<MailView>,
    pub notices: NoticeSettings,
    pub letters: Vec<DeadLetter>,
    pub verified: Option<Verified>,
}

impl Whole {
    /// Reads it; live state is not waited for long.
    pub async fn of(service: &Service, account: AccountId) -> Result<Self, Refusal> {
        let (book, now) = (&service.book, service.clock.now());
        let deliveries = DeliveryFilter { account: Some(account), limit: LATEST, ..DeliveryFilter::default() };
        let mails = MailFilter { account: Some(account), limit: LATEST, ..MailFilter::default() };
        let anything = ActivityFilter::default();
        let (view, snapshot, customer, subscriptions, payments, deliveries) = tokio::try_join!(
            book.account_view(account, now),
            async { Ok::<_, LedgerError>(balance::snapshot(service, account).await) },
            book.stripe_customer(account),
            book.subscriptions(Some(account), None, SUBSCRIPTIONS_MAX),
            book.payments_of(account, LATEST),
            book.deliveries(&deliveries),
        )?;
        let (keys, receipts, activity, mails, notices, letters, verified) = tokio::try_join!(
            book.keys_page(account, KeysWanted::All, now, None, LATEST),
            book.receipt_lines(account, None, LATEST),
            book.activity(Some(account), &anything, None, LATEST),
            book.mails(&mails),
            book.notice_settings(account),
            book.dead_letters(Some(account), false),
            book.verified(account),
        )?;
        Ok(Self {
            now,
            balance: Balance::of(&view, snapshot.as_ref()),
            lots: lots::now(&view, snapshot.as_ref()),
            customer,
            subscriptions,
            payments,
            deliveries,
            keys,
            receipts,
            activity,
            mails,
            notices,
            letters,
            verified,
            view,
        })
    }

    /// The subscription that runs.
    pub fn subscription(&self) -> Option<&SubscriptionView> {
        plans::live(&self.subscriptions)
    }

    /// What people call the plan that runs: by its name, or by its code where it is not sold any more.
    pub fn plan_name(&self, service: &Service) -> Option<String> {
        let code = self.subscription()?.plan.as_deref()?;
        let plan = service.parts.plans.by_code(code);
        Some(plan.map_or_else(|| code.to_owned(), |plan| plan.name.clone()))
    }
}
