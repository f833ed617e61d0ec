//! Every route of the console, grouped by who calls. What a handler takes says who may: `Caller` anybody of the account, `AccountAdmin` its
//! admins and billing owner, `Operator` who runs the installation.

use std::sync::Arc;

use axum::Router;
use axum::response::Redirect;
use axum::routing::{get, post};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::{self, Description, activity, billing, keys, settings};
use crate::pages;
use crate::refusal::Refusal;
use crate::service::Service;
use crate::{assets, dev_login, guard};

/// All of them, behind the guards.
pub fn routes(service: &Arc<Service>) -> Router {
    let (api, description) = api().split_for_parts();
    let mut pages = customer_pages().merge(operator_pages());
    if service.settings.dev.login {
        pages = pages.route("/dev/login", get(dev_login::sign_in));
    }
    let routes = pages
        .merge(api)
        .route("/assets/{name}", get(assets::serve))
        .method_not_allowed_fallback(async || Refusal::method_not_allowed())
        .fallback(async || Refusal::not_found("page"))
        .with_state(Arc::clone(service))
        .merge(api::docs(&description));
    guard::guarded(routes, service)
}

/// The description of the API, without a service.
pub fn description() -> utoipa::openapi::OpenApi {
    api().split_for_parts().1
}

/// Pages of the people of an account.
fn customer_pages() -> Router<Arc<Service>> {
    Router::new()
        .route("/", get(async || Redirect::to("/billing")))
        .route("/billing", get(pages::billing::show))
        .route("/billing/budget", post(pages::billing::forms::save_budget))
        .route("/billing/checkout", post(pages::billing::forms::open_checkout))
        .route("/billing/portal", post(pages::billing::forms::open_portal))
        .route("/receipts", get(pages::billing::receipts::list))
        .route("/receipts/{op}", get(pages::billing::receipt::show))
        .route("/keys", get(pages::keys::list))
        .route("/keys/new", get(pages::keys::create::form).post(pages::keys::create::send))
        .route("/keys/{key}", get(pages::keys::one::show).post(pages::keys::one::hold))
        .route("/keys/{key}/rotate", get(pages::keys::rotate::form).post(pages::keys::rotate::send))
        .route("/keys/{key}/revoke", get(pages::keys::revoke::ask).post(pages::keys::revoke::send))
        .route("/activity", get(pages::activity::list))
        .route("/activity.csv", get(pages::activity::file))
        .route("/settings", get(pages::settings::show).post(pages::settings::save))
}

/// Pages of operators.
fn operator_pages() -> Router<Arc<Service>> {
    use pages::operator as of;
    Router::new()
        .route("/operator", get(of::home::show))
        .route("/operator/accounts/{account}", get(of::account::show))
        .route("/operator/accounts/{account}/receipts", get(of::receipts::list))
        .route("/operator/accounts/{account}/verify", post(of::verify::run))
        .route("/operator/letters", get(of::letters::list))
        .route("/operator/letters/{shard}/{event}", get(of::letters::show))
        .route("/operator/deliveries", get(of::deliveries::list))
        .route("/operator/deliveries/{event}", get(of::deliveries::show))
        .route("/operator/mails", get(of::mails::list))
        .route("/operator/mails/{mail}", get(of::mails::show))
        .route("/operator/suppressions", get(of::suppressions::list))
        .route("/operator/incidents", get(of::incidents::list))
        .route("/operator/incidents/{incident}", get(of::incidents::show))
        .route("/operator/losses", get(of::losses::list))
        .route("/operator/reconcile", get(of::reconcile::ask).post(of::reconcile::look))
        .route("/operator/audit", get(of::audit::list))
        .merge(operator_changes())
}

/// What operators change: a form, and a confirmation at the same address.
fn operator_changes() -> Router<Arc<Service>> {
    use pages::operator::deed::steps;
    use pages::operator::deeds::{deliveries, grant, letters, lots, mails, rebuild, reconcile, status};
    Router::new()
        .route("/operator/accounts/{account}/grant", steps::<grant::GrantLot>())
        .route("/operator/accounts/{account}/lots/{lot}/expiry", steps::<lots::MoveExpiry>())
        .route("/operator/accounts/{account}/lots/{lot}/void", steps::<lots::EndLot>())
        .route("/operator/accounts/{account}/lots/{lot}/take", steps::<lots::TakeOut>())
        .route("/operator/accounts/{account}/status/{word}", steps::<status::SetStatus>())
        .route("/operator/accounts/{account}/rebuild", steps::<rebuild::Rebuild>())
        .route("/operator/letters/{shard}/{event}/retry", steps::<letters::RetryLetter>())
        .route("/operator/letters/{shard}/{event}/discard", steps::<letters::DiscardLetters>())
        .route("/operator/deliveries/{event}/replay", steps::<deliveries::Replay>())
        .route("/operator/deliveries/{event}/resolve", steps::<deliveries::Resolve>())
        .route("/operator/mails/{mail}/resend", steps::<mails::Resend>())
        .route("/operator/suppress", steps::<mails::Suppress>())
        .route("/operator/suppressions/{address}/release", steps::<mails::Release>())
        .route("/operator/reconcile/repair", steps::<reconcile::Repair>())
}

fn api() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::with_openapi(Description::openapi()).merge(billing_api()).merge(operator_api())
}

/// `/api/billing/…`: the account of the session.
fn billing_api() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new()
        .routes(routes!(billing::summary::show))
        .routes(routes!(billing::live::follow))
        .routes(routes!(billing::budget::show, billing::budget::set))
        .routes(routes!(billing::plans::list))
        .routes(routes!(billing::checkout::open))
        .routes(routes!(billing::checkout::open_portal))
        .routes(routes!(billing::lots::list))
        .routes(routes!(billing::forecast::show))
        .routes(routes!(billing::usage::show))
        .routes(routes!(billing::receipts::list))
        .routes(routes!(billing::receipt::show))
        .routes(routes!(keys::list, keys::change::create))
        .routes(routes!(keys::show, keys::change::hold, keys::change::revoke))
        .routes(routes!(keys::change::rotate))
        .routes(routes!(activity::list))
        .routes(routes!(settings::show, settings::set))
        .routes(routes!(settings::mails::list))
}

/// `/api/operator/…`: every account.
fn operator_api() -> OpenApiRouter<Arc<Service>> {
    use api::operator::{
        account, accounts, activity, attention, deliveries, incidents, letters, lots, mails, reconcile, status,
        suppressions, verify,
    };
    OpenApiRouter::new()
        .routes(routes!(attention::show))
        .routes(routes!(accounts::search))
        .routes(routes!(account::show))
        .routes(routes!(account::receipts))
        .routes(routes!(lots::list, lots::grant))
        .routes(routes!(lots::move_expiry))
        .routes(routes!(lots::void))
        .routes(routes!(lots::take))
        .routes(routes!(status::set))
        .routes(routes!(verify::run))
        .routes(routes!(verify::rebuild))
        .routes(routes!(letters::list))
        .routes(routes!(letters::show))
        .routes(routes!(letters::retry))
        .routes(routes!(letters::discard))
        .routes(routes!(letters::decisions))
        .routes(routes!(letters::decision))
        .routes(routes!(deliveries::list))
        .routes(routes!(deliveries::show))
        .routes(routes!(deliveries::replay))
        .routes(routes!(deliveries::resolve))
        .routes(routes!(mails::list))
        .routes(routes!(mails::show))
        .routes(routes!(mails::resend))
        .routes(routes!(suppressions::list, suppressions::add))
        .routes(routes!(suppressions::release))
        .routes(routes!(incidents::list))
        .routes(routes!(incidents::show))
        .routes(routes!(incidents::losses))
        .routes(routes!(reconcile::run))
        .routes(routes!(activity::list))
}
