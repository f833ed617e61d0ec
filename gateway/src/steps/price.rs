//! What a request draws: the route's price, or the most it may come to, the number in a header within the route's bounds, or what the body asks for.

mod json_flag;

use bytes::Bytes;
use json_flag::json_flag;
use metering::Credits;
use pingora::http::RequestHeader;

use crate::rejection::Rejection;
use crate::route_table::{Route, RoutePrice};

/// `None` for a request that draws nothing.
pub fn price(route: &Route, header: &RequestHeader, body: Option<&Bytes>) -> Result<Option<Credits>, Rejection> {
    match &route.price {
        RoutePrice::Free => Ok(None),
        RoutePrice::Fixed(credits) => Ok(Some(*credits)),
        RoutePrice::Hold(hold) => Ok(Some(hold.credits)),
        RoutePrice::FromHeader { name, min, max } => {
            let mut values = header.headers.get_all(name).iter();
            let number = match (values.next(), values.next()) {
                (Some(value), None) => whole_number(value.as_bytes()),
                _ => None,
            };
            // Out of bounds is refused and never clamped: nobody should pay for what they did not ask for.
            number
                .filter(|number| (*min..=*max).contains(number))
                .and_then(|number| Credits::new(number).ok())
                .map(Some)
                .ok_or(Rejection::BadRequest(
                    "The header that holds this request's price is missing, or not a whole number within its bounds.",
                ))
        }
        RoutePrice::FromJson { pointer, when_true, otherwise } => {
            match json_flag(body.map(Bytes::as_ref).unwrap_or_default(), pointer) {
                Ok(flag) => Ok(if flag { *when_true } else { *otherwise }),
                Err(_) => Err(Rejection::BadRequest(
                    "The body must be JSON that can be read in one way, with true or false where its price stands.",
                )),
            }
        }
    }
}

/// Digits only, without a leading zero: `+5`, ` 5`, `05` and `5e3` would be read differently by the server behind.
pub fn whole_number(text: &[u8]) -> Option<u64> {
    let canonical = text.first().is_some_and(|first| *first != b'0' || text.len() == 1);
    let digits = text.iter().all(u8::is_ascii_digit) && text.len() <= 16;
    (canonical && digits).then(|| text.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_whole_numbers() {
        assert_eq!(whole_number(b"0"), Some(0));
        assert_eq!(whole_number(b"100"), Some(100));
        for wrong in ["", "05", "+5", "-5", "5.0", "5e3", "0x5", "5 ", "5,5", "99999999999999999"] {
            assert_eq!(whole_number(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
