//! What one request carries from phase to phase.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use config::routes::Failure;
use http::{HeaderValue, StatusCode};
use metering::{OpId, TimeMs};
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::{Error, ErrorType, Result};
use prometheus::IntGauge;
use uuid::Uuid;

use crate::admission::Admission;
use crate::open_debit::OpenDebit;
use crate::principal::Principal;
use crate::rejection::{Code, Rejection};
use crate::route_table::Route;
use crate::steps::Way;
use crate::steps::give_back::Reason;
use crate::steps::grpc::GrpcAnswer;
use crate::steps::price_report::PriceReport;
use crate::steps::terminal_event::{TerminalEvent, is_event_stream};
use crate::traces::{Step, Trace};
use crate::websocket::Messages;

pub struct Request {
    /// Made here and nowhere else; the debit's op, the answer's `Request-Id` and `Credits-Receipt`.
    pub op: OpId,
    pub id: HeaderValue,
    pub started: Instant,
    pub way: Way,
    /// What the checks found out as far as they came, for the log line and the counters only.
    pub route: Option<Arc<Route>>,
    /// The origin of the caller's page, in the form of the answer, where the route lets it read the answer.
    pub allowed_origin: Option<HeaderValue>,
    pub caller: Option<Principal>,
    pub admission: Option<Admission>,
    /// What a phase after admission decided to answer instead of the upstream.
    pub rejection: Option<Rejection>,
    /// What the caller was answered by the gateway itself.
    pub answered: Option<Code>,
    /// The same with its numbers, for the journal.
    pub refused: Option<Box<Rejection>>,
    /// Why credits went back, once they have.
    pub given_back: Option<Reason>,
    pub body_bytes: u64,
    /// The body, where it had to be read before admission; it is sent from here.
    pub whole_body: Option<Bytes>,
    pub upstream: UpstreamProgress,
    /// Only where the request is sampled.
    pub trace: Option<Box<Trace>>,
    /// Follows the messages of a WebSocket, where each has a price.
    pub messages: Option<Box<Messages>>,
    /// Watches an event stream for the event that ends it.
    pub terminal_event: Option<TerminalEvent>,
    /// Where the price is known only at the end: what the upstream has told so far.
    pub price_report: Option<PriceReport>,
    _in_flight: InFlight,
}

/// How far the upstream came.
#[derive(Default)]
pub struct UpstreamProgress {
    pub asked_at: Option<Instant>,
    /// A connection stood, so bytes may have arrived.
    pub reached: bool,
    /// Connections over which it was sent.
    pub sends: u32,
    /// Its final answer's status.
    pub status: Option<u16>,
    /// How a gRPC answer ended; `None` for another.
    pub grpc: Option<GrpcAnswer>,
    /// How long its answer's header took.
    pub seconds: Option<f64>,
}

impl Request {
    pub fn new(in_flight: &IntGauge) -> Self {
        let uuid = Uuid::now_v7();
        let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
        let id = HeaderValue::from_str(uuid.hyphenated().encode_lower(&mut text));
        Self {
            op: OpId::from_uuid(uuid),
            // Hex digits and hyphens always make a header value.
            id: id.unwrap_or_else(|_| HeaderValue::from_static("-")),
            started: Instant::now(),
            way: Way::default(),
            route: None,
            allowed_origin: None,
            caller: None,
            admission: None,
            rejection: None,
            answered: None,
            refused: None,
            given_back: None,
            body_bytes: 0,
            whole_body: None,
            upstream: UpstreamProgress::default(),
            trace: None,
            messages: None,
            terminal_event: None,
            price_report: None,
            _in_flight: InFlight::new(in_flight),
        }
    }

    /// When it began, by this machine's clock.
    pub fn began_at(&self) -> TimeMs {
        TimeMs::new(self.op.as_uuid().get_timestamp().map_or(0, |time| {
            let (seconds, nanos) = time.to_unix();
            seconds * 1_000 + u64::from(nanos) / 1_000_000
        }))
    }

    /// The route is known: the log line says how far a refused request came, and its page may read the refusal.
    pub fn found(&mut self, route: &Arc<Route>, header: &RequestHeader) {
        self.allowed_origin = route.cors.as_ref().and_then(|cors| cors.allows(&header.headers));
        self.route = Some(route.clone());
    }

    /// A step that shows in the trace, where there is one.
    pub fn step(&self, name: &'static str) -> Step<'_> {
        Step::begin(self.trace.as_deref(), name)
    }

    pub fn upstream_asked(&mut self, now: Instant) {
        self.upstream.asked_at.get_or_insert(now);
    }

    /// A connection to the upstream stands: from here on the caller pays even for leaving.
    pub fn upstream_reached(&mut self) {
        self.upstream.reached = true;
        if let Some(trace) = &mut self.trace {
            trace.connected();
        }
        self.upstream.sends += 1;
        let Some(admission) = &mut self.admission else { return };
        if let Some(place) = admission.place_mut() {
            place.reached();
        }
        let back_when_cut = admission.route().gives_back(Failure::BrokenStream);
        if let Some(debit) = admission.debit_mut() {
            debit.upstream_reached(back_when_cut);
        }
    }

    /// The upstream's final answer begins.
    pub fn upstream_answered(&mut self, header: &ResponseHeader) {
        self.upstream.status = Some(header.status.as_u16());
        self.upstream.grpc = GrpcAnswer::of(header);
        self.upstream.seconds = self.upstream.asked_at.map(|asked_at| asked_at.elapsed().as_secs_f64());
        let Some(admission) = &self.admission else { return };
        if let Some(place) = admission.place() {
            place.answered(header.status.as_u16());
        }
        let route = admission.route();
        if let Some(seconds) = self.upstream.seconds {
            route.metrics.upstream_seconds.observe(seconds);
        }
        if self.is_upgraded() && route.price_per_message.is_some() {
            self.messages = Some(Box::default());
        }
        self.terminal_event =
            route.terminal_event.as_deref().filter(|_| is_event_stream(header)).map(TerminalEvent::new);
        self.price_report = route.hold().map(|hold| PriceReport::begin(&hold.report, header));
    }

    /// The next piece of the answer goes by.
    pub fn watch_answer(&mut self, piece: &mut Option<Bytes>) {
        if let Some(messages) = &mut self.messages {
            messages.answer(piece);
        }
        let Some(piece) = piece.as_deref() else { return };
        if let Some(terminal) = &mut self.terminal_event {
            terminal.watch(piece);
        }
        if let Some(report) = &mut self.price_report {
            report.watch(piece);
        }
    }

    /// Refuses the request after it was admitted: ends it with the answer that `fail_to_proxy` will give.
    pub fn refuse(&mut self, rejection: Rejection) -> Result<()> {
        let status = rejection.code().status();
        self.rejection = Some(rejection);
        Err(Error::new_down(ErrorType::HTTPStatus(status)))
    }

    /// Whether the upstream took up an upgrade: what follows is no request and no answer any more.
    pub fn is_upgraded(&self) -> bool {
        self.upstream.status == Some(StatusCode::SWITCHING_PROTOCOLS.as_u16())
    }

    /// Whether credits of this request are drawn and may still go back.
    pub fn has_drawn(&self) -> bool {
        self.admission.as_ref().and_then(Admission::debit).is_some_and(OpenDebit::is_drawn)
    }

    /// Whether the caller pays for it, as far as is known.
    pub fn is_paid(&self) -> bool {
        self.admission.as_ref().and_then(Admission::debit).is_some_and(OpenDebit::is_paid)
    }
}

/// Counts the request as long as it lives, however it ends.
struct InFlight(IntGauge);

impl InFlight {
    fn new(gauge: &IntGauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}
