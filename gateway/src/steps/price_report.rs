//! What the upstream reports the price of a held request to be, in the place that the route names.

mod json_number;
mod last_event;

use config::routes::Report;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderName};
use json_number::json_number;
use last_event::LastEvent;
use pingora::http::ResponseHeader;

use crate::steps::price::whole_number;

const PRICE: HeaderName = HeaderName::from_static("tollgate-price");
/// A longer answer is passed on, but not kept to look for the price in it.
const JSON_BYTES_MAX: usize = 1 << 20;

/// What was reported so far.
pub enum PriceReport {
    /// In the header: nothing more is to come.
    Header(Option<u64>),
    /// In the trailer, or in the header of an answer that is nothing else.
    Trailer(Option<u64>),
    /// The answer so far; `None` once it is too long.
    Json {
        pointer: Vec<String>,
        body: Option<Vec<u8>>,
    },
    LastEvent {
        pointer: Vec<String>,
        events: LastEvent,
    },
    Bytes {
        per_credit: u64,
        bytes: u64,
    },
}

impl PriceReport {
    /// The upstream's final answer begins.
    pub fn begin(report: &Report, header: &ResponseHeader) -> Self {
        match report {
            Report::Header => Self::Header(told(&header.headers)),
            Report::Trailer => Self::Trailer(told(&header.headers)),
            Report::Json { pointer } => {
                let declared = header.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
                let short = declared.is_none_or(|length: usize| length <= JSON_BYTES_MAX);
                Self::Json { pointer: pointer.clone(), body: short.then(Vec::new) }
            }
            Report::LastEvent { pointer } => Self::LastEvent { pointer: pointer.clone(), events: LastEvent::default() },
            Report::Bytes { per_credit } => Self::Bytes { per_credit: *per_credit, bytes: 0 },
        }
    }

    /// The next piece of the answer's body goes by.
    pub fn watch(&mut self, piece: &[u8]) {
        match self {
            Self::Header(_) | Self::Trailer(_) => {}
            Self::Json { body, .. } => {
                *body = body.take().filter(|body| body.len() + piece.len() <= JSON_BYTES_MAX);
                if let Some(body) = body {
                    body.extend_from_slice(piece);
                }
            }
            Self::LastEvent { events, .. } => events.watch(piece),
            Self::Bytes { bytes, .. } => *bytes += piece.len() as u64,
        }
    }

    /// The answer ended with these lines.
    pub fn trailers(&mut self, lines: &HeaderMap) {
        if let Self::Trailer(price) = self {
            *price = told(lines);
        }
    }

    /// Whether nothing more can be told.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Header(_))
    }

    /// `None` when nothing was told that can be read.
    pub fn price(&self) -> Option<u64> {
        match self {
            Self::Header(price) | Self::Trailer(price) => *price,
            Self::Json { pointer, body } => json_number(body.as_deref()?, pointer),
            Self::LastEvent { pointer, events } => json_number(events.last()?, pointer),
            Self::Bytes { per_credit, bytes } => Some(bytes.div_ceil(*per_credit)),
        }
    }
}

/// One whole number, in digits.
fn told(lines: &HeaderMap) -> Option<u64> {
    let mut values = lines.get_all(PRICE).iter();
    values.next().filter(|_| values.next().is_none()).and_then(|value| whole_number(value.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(lines: &[(&'static str, &str)]) -> ResponseHeader {
        let mut header = ResponseHeader::build(200, None).unwrap();
        for (name, value) in lines {
            header.append_header(*name, *value).unwrap();
        }
        header
    }

    #[test]
    fn a_header_tells_one_whole_number() {
        let price = |lines: &[(&'static str, &str)]| PriceReport::begin(&Report::Header, &answer(lines)).price();
        assert_eq!(price(&[("Tollgate-Price", "7")]), Some(7));
        assert_eq!(price(&[("Tollgate-Price", "0")]), Some(0));
        assert_eq!(price(&[]), None);
        for wrong in ["", "-1", "+1", "1.5", "07", "1e3", "many", "99999999999999999999"] {
            assert_eq!(price(&[("Tollgate-Price", wrong)]), None, "{wrong}");
        }
        assert_eq!(price(&[("Tollgate-Price", "7"), ("Tollgate-Price", "7")]), None);
    }

    #[test]
    fn a_trailer_counts_more_than_a_header() {
        let mut report = PriceReport::begin(&Report::Trailer, &answer(&[("Tollgate-Price", "7")]));
        assert_eq!(report.price(), Some(7));
        report.trailers(&answer(&[("Tollgate-Price", "9")]).headers);
        assert_eq!((report.price(), report.is_final()), (Some(9), false));
    }

    #[test]
    fn an_answer_is_kept_up_to_its_limit() {
        let report = Report::Json { pointer: vec!["n".to_owned()] };
        let body = |length: usize| format!("{{\"n\":3,\"x\":\"{}\"}}", "x".repeat(length - 14));
        for (length, price) in [(14, Some(3)), (JSON_BYTES_MAX, Some(3)), (JSON_BYTES_MAX + 1, None)] {
            let (mut declared, mut streamed) = (
                PriceReport::begin(&report, &answer(&[("Content-Length", &length.to_string())])),
                PriceReport::begin(&report, &answer(&[])),
            );
            for piece in body(length).as_bytes().chunks(10_000) {
                declared.watch(piece);
                streamed.watch(piece);
            }
            assert_eq!((declared.price(), streamed.price()), (price, price), "{length}");
        }
    }

    #[test]
    fn a_part_of_a_credit_is_one() {
        for (bytes, price) in [(0, 0), (1, 1), (10, 1), (11, 2)] {
            let mut report = PriceReport::begin(&Report::Bytes { per_credit: 10 }, &answer(&[]));
            report.watch(&vec![b'x'; bytes]);
            assert_eq!(report.price(), Some(price));
        }
    }
}
