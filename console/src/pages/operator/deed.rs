//! A change in two steps, without scripts: say what and why, see before and after, confirm. Confirmed twice it is done once; if what was shown
//! is another by then, it is shown again and nothing is done.

use std::sync::Arc;

use askama::Template;
use axum::extract::{OriginalUri, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{MethodRouter, get};
use ledger::By;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::sent::{AGAIN, NONCE, SEEN, Sent};
use super::tabs::Tab;
use super::words::{Field, Form, Kind, Link, Outcome, Plan, Stop, Told};
use crate::api::etag;
use crate::api::once::{self, Asked, OnceKey};
use crate::caller::{Caller, Operator};
use crate::input;
use crate::operator::reason::Reason;
use crate::operator::wrong::Wrong;
use crate::pages::shell::{self, Section, Shell};
use crate::refusal::Refusal;
use crate::service::Service;

/// Whoever confirms says so with the change.
pub struct Confirmed<'a> {
    pub by: By,
    pub caller: &'a Caller,
    /// Names this confirmation, and no other.
    pub key: &'a OnceKey,
}

/// One kind of change.
pub trait Deed: Clone + Send + Sync + 'static {
    /// What the address names.
    type Of: DeserializeOwned + Send + 'static;
    /// Which of the operators' pages it belongs to.
    const TAB: Tab;
    /// What a plan has worked out, and is done once it is confirmed.
    type Ready: Send;

    /// Reads what it is about.
    fn load(service: &Arc<Service>, of: Self::Of) -> impl Future<Output = Result<Self, Refusal>> + Send;

    /// What an operator is asked, beside why.
    fn form(&self, sent: &Sent) -> Form;

    /// What would be done: for whoever is to confirm it, and ready to be carried out.
    fn plan(
        &self,
        service: &Arc<Service>,
        sent: &Sent,
    ) -> impl Future<Output = Result<(Plan, Self::Ready), Stop>> + Send;

    /// Does what was planned a moment ago, which is what was seen.
    fn carry_out(
        &self,
        service: &Arc<Service>,
        ready: Self::Ready,
        confirmed: Confirmed<'_>,
    ) -> impl Future<Output = Result<Outcome, Refusal>> + Send;
}

#[derive(Template)]
#[template(path = "operator/form.html")]
struct FormPage {
    shell: Shell,
    tab: Tab,
    path: String,
    form: Form,
    /// What is wrong and belongs to no field.
    wrong: Option<String>,
    has_wrong: bool,
}

#[derive(Template)]
#[template(path = "operator/confirm.html")]
struct ConfirmPage {
    shell: Shell,
    tab: Tab,
    path: String,
    back: Link,
    plan: Plan,
    reason: String,
    typed: Vec<(String, String)>,
    nonce: String,
    /// What had been shown, where that is not so any more.
    was: Option<String>,
}

#[derive(Template)]
#[template(path = "operator/told.html")]
struct ToldPage {
    shell: Shell,
    tab: Tab,
    told: Told,
}

/// Both steps of a change, at one address.
pub fn steps<D: Deed>() -> MethodRouter<Arc<Service>> {
    get(ask::<D>).post(answer::<D>)
}

/// The form; the query may fill it in.
async fn ask<D: Deed>(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    OriginalUri(uri): OriginalUri,
    input::Path(of): input::Path<D::Of>,
    input::Query(sent): input::Query<Sent>,
) -> Result<Response, Refusal> {
    let deed = D::load(&service, of).await?;
    Step { deed: &deed, service: &service, caller: &caller, path: uri.path(), sent: &sent }
        .form(Vec::new(), StatusCode::OK)
}

/// What was typed, or confirmed.
async fn answer<D: Deed>(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    OriginalUri(uri): OriginalUri,
    input::Path(of): input::Path<D::Of>,
    input::Form(sent): input::Form<Sent>,
) -> Result<Response, Refusal> {
    let deed = D::load(&service, of).await?;
    let step = Step { deed: &deed, service: &service, caller: &caller, path: uri.path(), sent: &sent };
    if sent.maybe(AGAIN).is_some() {
        return step.form(Vec::new(), StatusCode::OK);
    }
    match (sent.maybe(NONCE), Reason::of(sent.one("reason"))) {
        (Some(nonce), Ok(reason)) => step.confirmed(nonce, reason).await,
        (_, reason) => step.preview(reason, None).await,
    }
}

/// One step of a deed.
struct Step<'a, D> {
    deed: &'a D,
    service: &'a Arc<Service>,
    caller: &'a Caller,
    path: &'a str,
    sent: &'a Sent,
}

impl<D: Deed> Step<'_, D> {
    fn form(&self, wrongs: Vec<Wrong>, status: StatusCode) -> Result<Response, Refusal> {
        let mut form = self.deed.form(self.sent);
        let why = "For the audit: 1 to 500 letters. The account's people see it in their activity, too.";
        form.fields.push(Field::new("reason", "Reason", Kind::Area, self.sent).hinted(why));
        let has_wrong = !wrongs.is_empty();
        let mut of_none = None;
        for Wrong { field, text } in wrongs {
            match form.fields.iter_mut().find(|known| known.name == field) {
                Some(known) => known.wrong = Some(text),
                None => of_none = Some(text),
            }
        }
        let page =
            FormPage { shell: self.shell(), tab: D::TAB, path: self.path.to_owned(), form, wrong: of_none, has_wrong };
        shell::page_as(status, &page)
    }

    /// What would be done; `was` had been shown before.
    async fn preview(&self, reason: Result<Reason, Wrong>, was: Option<String>) -> Result<Response, Refusal> {
        let (plan, mut wrongs) = match self.deed.plan(self.service, self.sent).await {
            Ok((plan, _)) => (Some(plan), Vec::new()),
            Err(Stop::Wrong(wrong)) => (None, vec![wrong]),
            Err(Stop::Refused(refusal)) => return Err(refusal),
        };
        wrongs.extend(reason.err());
        let Some(plan) = plan.filter(|_| wrongs.is_empty()) else {
            if let Some(was) = was {
                wrongs.push(Wrong::new(
                    "",
                    format!("Meanwhile this has changed; nothing was done. What you confirmed was: {was}."),
                ));
            }
            return self.form(wrongs, StatusCode::UNPROCESSABLE_ENTITY);
        };
        let status = if was.is_some() { StatusCode::CONFLICT } else { StatusCode::OK };
        let page = ConfirmPage {
            shell: self.shell(),
            tab: D::TAB,
            path: self.path.to_owned(),
            back: self.deed.form(self.sent).back,
            plan,
            reason: self.sent.one("reason").to_owned(),
            typed: self.sent.typed(),
            nonce: Uuid::now_v7().simple().to_string(),
            was,
        };
        shell::page_as(status, &page)
    }

    async fn confirmed(&self, nonce: &str, reason: Reason) -> Result<Response, Refusal> {
        let key = OnceKey::of_form(nonce)?;
        let asked = Asked { operation: self.path, with: &self.sent.typed() };
        let write = write(
            self.deed.clone(),
            Arc::clone(self.service),
            self.caller.clone(),
            self.sent.clone(),
            key.clone(),
            reason.clone(),
        );
        match once::answered::<Outcome, _, _>(self.service, self.caller, key, asked, write).await {
            Ok(Outcome::See(path)) => Ok(shell::see_other(&path)),
            Ok(Outcome::Told(told)) => shell::page(&ToldPage { shell: self.shell(), tab: D::TAB, told }),
            Err(refusal) if is_changed(&refusal) => {
                self.preview(Ok(reason), Some(self.sent.one(SEEN).to_owned())).await
            }
            Err(refusal) => Err(refusal),
        }
    }

    fn shell(&self) -> Shell {
        Shell::new(self.service, Some(self.caller), Section::Operator)
    }
}

/// Plans once more, and does it if the plan stands on what was seen.
async fn write<D: Deed>(
    deed: D,
    service: Arc<Service>,
    caller: Caller,
    sent: Sent,
    key: OnceKey,
    reason: Reason,
) -> Result<Outcome, Refusal> {
    let (plan, ready) = match deed.plan(&service, &sent).await {
        Ok(planned) => planned,
        Err(Stop::Wrong(_)) => return Err(etag::changed()),
        Err(Stop::Refused(refusal)) => return Err(refusal),
    };
    if plan.seen != sent.one(SEEN) {
        return Err(etag::changed());
    }
    let by = reason.by(&service, &caller);
    deed.carry_out(&service, ready, Confirmed { by, caller: &caller, key: &key }).await
}

/// Whether somebody else was faster: found before, or by the book itself.
fn is_changed(refusal: &Refusal) -> bool {
    matches!(refusal.code, "changed" | "changed_meanwhile")
}
