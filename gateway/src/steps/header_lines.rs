//! Changes many lines of a header at once.
//!
//! pingora keeps the spelling of each name beside the header, and takes every inserted name apart: several times the cost of the
//! insertion. So the lines are changed in a plain map, and names go on in lower case, as HTTP/2 has them and HTTP/1 allows.

use std::io::{Cursor, Write};
use std::mem;
use std::net::IpAddr;

use http::header::InvalidHeaderValue;
use http::{HeaderMap, HeaderValue, request, response};
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

/// A number as the value of a line, in one piece of memory.
pub fn number(number: u64) -> HeaderValue {
    // Digits always make a value.
    HeaderValue::from_str(itoa::Buffer::new().format(number)).unwrap_or_else(|_| HeaderValue::from(number))
}

/// An address as the value of a line. Most are of version 4, and each request has one: written without the machinery of `fmt`.
pub fn address(address: IpAddr) -> Result<HeaderValue, InvalidHeaderValue> {
    let IpAddr::V4(address) = address else { return HeaderValue::try_from(address.to_string()) };
    let (mut digits, mut text) = (itoa::Buffer::new(), Cursor::new([0; "255.255.255.255".len()]));
    for (place, octet) in address.octets().into_iter().enumerate() {
        let dot: &[u8] = if place > 0 { b"." } else { b"" };
        // Four numbers below 256 and three dots always have room.
        let _ = text.write_all(dot).and_then(|()| text.write_all(digits.format(octet).as_bytes()));
    }
    let length = usize::try_from(text.position()).unwrap_or_default(); // at most fifteen
    HeaderValue::from_bytes(text.get_ref().split_at(length).0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_addresses_read_as_they_are_written_elsewhere() {
        for value in [0, 7, 10, 1_125_899_906_842_622, u64::MAX] {
            assert_eq!(number(value), HeaderValue::from(value));
        }
        for text in ["0.0.0.0", "127.0.0.1", "10.200.3.40", "255.255.255.255", "::1", "2001:db8::8a2e:370:7334"] {
            assert_eq!(address(text.parse().unwrap()).unwrap(), text);
        }
    }
}
