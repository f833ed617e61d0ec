//! `/api/billing/settings` and `/mails`: what the account is told by mail, and what became of it.

pub mod mails;

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use ledger::mails::NoticeSettings;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::etag::{self, IfMatch};
use crate::api::refused::{ChangedMeanwhile, ReadRefused, WriteRefused};
use crate::caller::{AccountAdmin, Caller};
use crate::input::Json;
use crate::notices::{self, Notices};
use crate::refusal::Refusal;
use crate::service::Service;
use crate::show;

/// What the account is told by mail.
#[derive(Serialize, ToSchema)]
pub struct Settings {
    /// Whether it wants to be told that its credits run low.
    low_balance: bool,
    /// Whether it wants to be told of its plan, payments and grants.
    lifecycle: bool,
    /// Where mails go; none = to the address of the mail itself, else to `account_address`.
    recipients: Vec<String>,
    /// The account's own address.
    account_address: Option<String>,
    /// What the installation sends at all; `null` = nothing ever said that it sends.
    installation: Option<Installation>,
}

/// What is sent at all, whatever an account chooses.
#[derive(Serialize, ToSchema)]
pub struct Installation {
    /// Whether low-balance mails are sent.
    low_balance: bool,
    /// Whether mails of plans, payments and grants are sent.
    lifecycle: bool,
    /// When the service that sends has told so the last time; it does every 20 seconds.
    told_at: String,
}

/// What the account shall be told by mail.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSettings {
    /// Whether it wants to be told that its credits run low.
    low_balance: bool,
    /// Whether it wants to be told of its plan, payments and grants.
    lifecycle: bool,
    /// Where mails go, each once; none = to the account's own address.
    #[schema(max_items = 10)]
    recipients: Vec<String>,
}

impl From<Notices> for Settings {
    fn from(notices: Notices) -> Self {
        let installation = notices.switches.map(|switches| Installation {
            low_balance: switches.low_balance,
            lifecycle: switches.lifecycle,
            told_at: show::machine(switches.told_at),
        });
        let NoticeSettings { low_balance, lifecycle, recipients, .. } = notices.settings;
        Self { low_balance, lifecycle, recipients, account_address: notices.own_address, installation }
    }
}

/// What the account is told by mail. Its `ETag` goes into `If-Match` when it is set.
#[utoipa::path(get, path = "/api/billing/settings", tag = "settings", operation_id = "settings_read",
    responses(ReadRefused, (status = 200, body = Settings, headers(("ETag" = String, description = "For `If-Match`.")))))]
pub async fn show(State(service): State<Arc<Service>>, caller: Caller) -> Result<Response, Refusal> {
    answer(&service, &caller).await
}

/// Sets what the account is told by mail. For admins and the billing owner. Turning low-balance notices on while the balance is low sends the
/// mail that there was not.
#[utoipa::path(put, path = "/api/billing/settings", tag = "settings", operation_id = "settings_set", request_body = NewSettings,
    params(("If-Match" = Option<String>, Header, description = "The `ETag` of the settings that were seen: others are not overwritten.")),
    responses(WriteRefused, ChangedMeanwhile,
        (status = 200, body = Settings, headers(("ETag" = String, description = "For `If-Match`.")))))]
pub async fn set(
    State(service): State<Arc<Service>>,
    AccountAdmin(caller): AccountAdmin,
    IfMatch(seen): IfMatch,
    Json(asked): Json<NewSettings>,
) -> Result<Response, Refusal> {
    let recipients = notices::recipients(asked.recipients.iter().map(String::as_str)).map_err(Refusal::invalid)?;
    let NewSettings { low_balance, lifecycle, .. } = asked;
    let settings = NoticeSettings { low_balance, lifecycle, recipients, version: 0 };
    notices::save(&service, &caller, &settings, seen).await?;
    answer(&service, &caller).await
}

async fn answer(service: &Service, caller: &Caller) -> Result<Response, Refusal> {
    let notices = Notices::of(service, caller.account).await?;
    Ok((etag::line(notices.settings.version), axum::Json(Settings::from(notices))).into_response())
}
