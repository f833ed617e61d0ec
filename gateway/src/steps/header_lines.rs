//! Changes many lines of a header at once.
//!
//! pingora keeps the spelling of each name beside the header, and takes every inserted name apart: several times the cost of the
//! insertion. So the lines are changed in a plain map, and names go on in lower case, as HTTP/2 has them and HTTP/1 allows.

use std::mem;

use http::{HeaderMap, request, response};
use pingora::http::{RequestHeader, ResponseHeader};

pub fn change_request<T>(header: &mut RequestHeader, change: impl FnOnce(&mut request::Parts) -> T) -> T {
    let end_stream = header.send_end_stream();
    let empty = RequestHeader::from(http::Request::new(()).into_parts().0);
    let mut parts = request::Parts::from(mem::replace(header, empty));
    let changed = change(&mut parts);
    *header = RequestHeader::from(parts);
    if let Some(end_stream) = end_stream {
        header.set_send_end_stream(end_stream);
    }
    changed
}

pub fn change_response<T>(header: &mut ResponseHeader, change: impl FnOnce(&mut HeaderMap) -> T) -> T {
    let empty = ResponseHeader::from(http::Response::new(()).into_parts().0);
    let mut parts = response::Parts::from(mem::replace(header, empty));
    let changed = change(&mut parts.headers);
    *header = ResponseHeader::from(parts);
    changed
}
