//! The life of one request, in the order pingora calls it. Nothing else in the gateway decides the order.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use pingora::prelude::{Error, HttpPeer, ProxyHttp, RequestHeader, ResponseHeader, Result, Session};
use pingora::proxy::FailToProxy;

use crate::admission::Admission;
use crate::gateway::Gateway;
use crate::rejection::Rejection;
use crate::request::Request;
use crate::steps::{
    answer_headers, answer_here, answer_preflight, authenticate, begin, canonical_target, check_declared,
    check_key_policy, check_status, credential, draw, end_answer, fail, find_peer, finish, forward_body, may_retry,
    price, raw_header, read_body, reject, reserve, same_origin, screen, set_trusted_headers, settle_after_header,
    try_elsewhere, upgrades,
};

impl Gateway {
    /// Every check a request must pass before it may go upstream, in order.
    async fn admit(&self, session: &mut Session, request: &mut Request) -> Result<Admission, Rejection> {
        let header = session.req_header();
        let screened = screen(header, raw_header(session).as_deref(), self.limits.header)?;
        let target = canonical_target(header)?;
        let route = &self.tables.find(header, &target)?;
        request.found(route, header);
        check_declared(route, header)?;
        let credential = credential(route.auth, header, self.session_cookie())?;
        same_origin(route, header, &credential, self.sessions.as_ref())?;
        let caller = authenticate(self, route, credential, request).await?;
        check_key_policy(route, &caller, request.way.address)?;
        read_body(session, route, request, &self.limits).await?;
        let price = price(route, session.req_header(), request.whole_body.as_ref())?;
        check_status(route, &caller, price)?;
        let place = reserve(route)?;
        let payment = draw(&self.balance, &caller, route, price, session.req_header(), &target, request).await?;
        Ok(Admission::new(screened, target, route.clone(), caller, place, payment))
    }
}

#[async_trait]
impl ProxyHttp for Gateway {
    type CTX = Request;

    fn new_ctx(&self) -> Request {
        Request::new(&self.metrics.requests_in_flight)
    }

    /// The header is there: from here on other deadlines hold.
    async fn early_request_filter(&self, session: &mut Session, request: &mut Request) -> Result<()> {
        begin(self, session, request)
    }

    /// Admits the request, once; or answers it here.
    async fn request_filter(&self, session: &mut Session, request: &mut Request) -> Result<bool> {
        if answer_preflight(self, session, request).await? {
            return Ok(true);
        }
        match self.admit(session, request).await {
            Ok(admission) => answer_here(self, session, request, admission).await,
            Err(refusal) => Box::pin(reject(session, request, &refusal, &self.billing_url)).await.map(|()| true),
        }
    }

    async fn upstream_peer(&self, _session: &mut Session, request: &mut Request) -> Result<Box<HttpPeer>> {
        find_peer(request)
    }

    /// Nothing went out: another server of the group may take the request, a metered one, too.
    fn fail_to_connect(&self, _: &mut Session, _: &HttpPeer, request: &mut Request, mut e: Box<Error>) -> Box<Error> {
        e.set_retry(try_elsewhere(request));
        e
    }

    /// A connection stands. The upstream gets the canonical target and headers it can trust.
    async fn upstream_request_filter(
        &self,
        _session: &mut Session,
        header: &mut RequestHeader,
        request: &mut Request,
    ) -> Result<()> {
        request.upstream_reached();
        set_trusted_headers(header, request, self.session_cookie())
    }

    async fn request_body_filter(
        &self,
        session: &mut Session,
        piece: &mut Option<Bytes>,
        _end: bool,
        request: &mut Request,
    ) -> Result<()> {
        forward_body(self, session, request, piece).await.or_else(|rejection| request.refuse(rejection))
    }

    /// Give-backs and prices come before the answer's header, so that what it says about credits is true.
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
        settle_after_header(&self.balance, request).await;
        answer_headers(header, request)
    }

    fn response_body_filter(
        &self,
        _session: &mut Session,
        piece: &mut Option<Bytes>,
        _end: bool,
        request: &mut Request,
    ) -> Result<Option<Duration>> {
        request.watch_answer(piece);
        Ok(None)
    }

    async fn response_trailer_filter(
        &self,
        _: &mut Session,
        trailers: &mut http::HeaderMap,
        request: &mut Request,
    ) -> Result<Option<Bytes>> {
        end_answer(trailers, request);
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
        fail(self, session, error, request).await
    }

    fn suppress_error_log(&self, _session: &Session, _request: &Request, _error: &Error) -> bool {
        true // the request's own line says it
    }

    /// Ends every request that was driven to its end: give back, settle or keep, count, one log line.
    async fn logging(&self, session: &mut Session, error: Option<&Error>, request: &mut Request) {
        finish(self, session, error, request).await;
    }
}
