//! The frame around each page: navigation, brand, who is signed in.

use askama::Template;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use crate::assets;
use crate::caller::Caller;
use crate::pages::notice::Notice;
use crate::refusal::Refusal;
use crate::service::Service;

/// Which entry of the navigation a page belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    Billing,
    Keys,
    Activity,
    Settings,
    Operator,
    /// None of them.
    Elsewhere,
}

/// What `layout.html` needs; each page's template has one as `shell`.
#[derive(Clone, Debug)]
pub struct Shell {
    pub brand: String,
    pub chat_url: String,
    /// Empty where there is none.
    pub support_url: String,
    pub section: Section,
    /// Who is signed in; `None` on pages for nobody.
    pub person: Option<String>,
    pub manages: bool,
    pub operates: bool,
    pub notice: Option<Notice>,
    pub stylesheet: String,
    pub script: String,
    pub icon: String,
}

impl Shell {
    pub fn new(service: &Service, caller: Option<&Caller>, section: Section) -> Self {
        let brand = &service.settings.brand;
        Self {
            brand: brand.name.clone(),
            chat_url: brand.chat_url.clone(),
            support_url: brand.support_url.clone(),
            section,
            person: caller.map(|caller| caller.subject.as_str().to_owned()),
            manages: caller.is_some_and(|caller| caller.roles.manages),
            operates: caller.is_some_and(|caller| caller.roles.operates),
            notice: None,
            stylesheet: assets::address("console.css"),
            script: assets::address("console.js"),
            icon: assets::address("icon.svg"),
        }
    }

    #[must_use]
    pub fn with_notice(mut self, notice: Option<Notice>) -> Self {
        self.notice = notice;
        self
    }

    /// Whether the navigation marks this entry.
    pub fn is(&self, section: Section) -> bool {
        self.section == section
    }
}

/// A page from its template.
pub fn page(template: &impl Template) -> Result<Response, Refusal> {
    page_as(StatusCode::OK, template)
}

/// A page that says by its status, too, that something was not done.
pub fn page_as(status: StatusCode, template: &impl Template) -> Result<Response, Refusal> {
    Ok((status, Html(template.render()?)).into_response())
}

/// After a form: to a page that can be loaded again without sending the form again.
pub fn see_other(path: &str) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, path.to_owned())]).into_response()
}
