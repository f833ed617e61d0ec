//! Answers a browser that asks whether a page may send a request, before anybody is authenticated or anything is drawn.

use http::HeaderMap;
use pingora::Result;
use pingora::proxy::Session;

use crate::cors::asked_method;
use crate::gateway::Gateway;
use crate::request::Request;
use crate::route_table::Route;
use crate::steps::canonical_target::canonical_target;
use crate::steps::own_answer::write_own_answer;
use crate::steps::screen::{raw_header, screen};

/// Whether the request was a question, about a route that pages of other sites may use; the answer may be no.
pub async fn answer_preflight(gateway: &Gateway, session: &mut Session, request: &mut Request) -> Result<bool> {
    let Some(route) = asked(gateway, session, request) else { return Ok(false) };
    let Some(cors) = &route.cors else { return Ok(false) };
    let mut lines = HeaderMap::new();
    cors.on_preflight(&mut lines, request.allowed_origin.as_ref());
    Box::pin(write_own_answer(session, request, 204, lines, None)).await?;
    Ok(true)
}

/// The route that is asked about. What is wrong with the question is `admit`'s to answer.
fn asked(gateway: &Gateway, session: &Session, request: &mut Request) -> Option<std::sync::Arc<Route>> {
    let header = session.req_header();
    let method = asked_method(&header.method, &header.headers)?;
    screen(header, raw_header(session).as_deref(), gateway.limits.header).ok()?;
    let target = canonical_target(header).ok()?;
    let table = gateway.tables.current();
    let route = table.routes.find(&method, header, &target).ok().filter(|route| route.cors.is_some())?;
    request.found(route, header);
    Some(route.clone())
}
