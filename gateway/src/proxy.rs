//! The life of one request, in the order pingora calls it. Nothing else in the gateway decides the order.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::prelude::{Error, HttpPeer};
use pingora::proxy::{FailToProxy, ProxyHttp, Session};
use pingora::{ErrorType, Result};

use crate::admission::Admission;
use crate::edge::HeaderDeadline;
use crate::gateway::Gateway;
use crate::rejection::Rejection;
use crate::request::Request;
use crate::route_table::Destination;
use crate::steps::{
    Way, after_header, answer_credits, answer_headers, authenticate, canonical_target, check_declared_length,
    check_upgrade, count_body, draw, fail, finish, give_back, may_retry, price, raw_header, read_credits, reject,
    say_as_http1, screen, set_trusted_headers, upgrades,
};

impl Gateway {
    /// Every check a request must pass before it may go upstream, in order.
    async fn admit(&self, session: &Session, request: &mut Request) -> Result<Admission, Rejection> {
        let header = session.req_header();
        let screened = screen(header, raw_header(session).as_deref(), self.limits.header)?;
        let target = canonical_target(header)?;
        let route = self.routes.find(header, &target)?;
        request.route = Some(route.clone()); // the log line says how far a refused request came
        check_declared_length(route, header)?;
        check_upgrade(route, header)?;
        let caller = authenticate(route, header, &self.keys, self.balance.meter.store_now()).await?;
        request.caller = caller.caller().cloned();
        let price = price(route, header)?;
        let payment = draw(&self.balance, &caller, route, price, request).await?;
        Ok(Admission::new(screened, target, route.clone(), caller, payment))
    }
}

#[async_trait]
impl ProxyHttp for Gateway {
    type CTX = Request;

    fn new_ctx(&self) -> Request {
        Request::new(&self.metrics.requests_in_flight)
    }

    /// The header is there: from here on other deadlines hold.
    async fn early_request_filter(&self, session: &mut Session, _request: &mut Request) -> Result<()> {
        HeaderDeadline::header_complete(session);
        self.limits.apply(session);
        say_as_http1(session.req_header_mut())
    }

    /// Admits the request, once; or answers it here.
    async fn request_filter(&self, session: &mut Session, request: &mut Request) -> Result<bool> {
        let refused = match self.admit(session, request).await {
            Ok(admission) => match &request.admission.insert(admission).route().destination {
                Destination::Upstream(_) => return Ok(false),
                Destination::Credits => match read_credits(&self.balance, request).await {
                    Ok(credits) => return answer_credits(session, request, &credits).await.map(|()| true),
                    Err(rejection) => rejection,
                },
            },
            Err(rejection) => rejection,
        };
        reject(session, request, &refused, &self.billing_url).await.map(|()| true)
    }

    async fn upstream_peer(&self, _session: &mut Session, request: &mut Request) -> Result<Box<HttpPeer>> {
        request.upstream_asked();
        let peer = request.admission.as_ref().and_then(Admission::peer);
        peer.ok_or_else(|| Error::explain(ErrorType::ConnectNoRoute, "the upstream's name is not resolved").into_up())
    }

    /// A connection stands. The upstream gets the canonical target and headers it can trust.
    async fn upstream_request_filter(
        &self,
        session: &mut Session,
        header: &mut RequestHeader,
        request: &mut Request,
    ) -> Result<()> {
        request.upstream_reached();
        let way = Way::of(session);
        request.admission.as_ref().map_or(Ok(()), |admission| set_trusted_headers(header, admission, request, way))
    }

    async fn request_body_filter(
        &self,
        _session: &mut Session,
        piece: &mut Option<Bytes>,
        _end: bool,
        request: &mut Request,
    ) -> Result<()> {
        count_body(request, piece.as_ref().map_or(0, Bytes::len), self.limits.body)
            .or_else(|rejection| request.refuse(rejection))
    }

    /// Give-backs come before the answer's header, so that what it says about credits is true.
    async fn response_filter(
        &self,
        session: &mut Session,
        header: &mut ResponseHeader,
        request: &mut Request,
    ) -> Result<()> {
        if header.status.is_informational() && !upgrades(session, header, request)? {
            return Ok(());
        }
        request.upstream_answered(header);
        if let Some(reason) = after_header(request) {
            give_back(&self.balance, request, reason).await;
        }
        answer_headers(header, request)
    }

    fn response_body_filter(
        &self,
        _session: &mut Session,
        piece: &mut Option<Bytes>,
        _end: bool,
        request: &mut Request,
    ) -> Result<Option<Duration>> {
        if let (Some(terminal), Some(piece)) = (&mut request.terminal_event, piece) {
            terminal.watch(piece);
        }
        Ok(None)
    }

    /// A metered request is never sent twice once a byte of it may have arrived.
    fn error_while_proxy(
        &self,
        _peer: &HttpPeer,
        session: &mut Session,
        mut error: Box<Error>,
        request: &mut Request,
        reused: bool,
    ) -> Box<Error> {
        error.set_retry(may_retry(session, request, &error, reused));
        error
    }

    /// Answers what broke before the upstream's answer began; credits go back first.
    async fn fail_to_proxy(&self, session: &mut Session, error: &Error, request: &mut Request) -> FailToProxy {
        let error_code = fail(self, session, error, request).await;
        FailToProxy { error_code, can_reuse_downstream: false }
    }

    fn suppress_error_log(&self, _session: &Session, _request: &Request, _error: &Error) -> bool {
        true // the request's own line says it
    }

    /// Ends every request that was driven to its end: give back or keep, count, one log line.
    async fn logging(&self, session: &mut Session, error: Option<&Error>, request: &mut Request) {
        HeaderDeadline::request_over(session);
        finish(self, session, error, request).await;
    }
}
