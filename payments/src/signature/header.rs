//! The header `Stripe-Signature`: `t=<seconds>,v1=<64 hex digits>`, with as many v1 as there are secrets.

use super::SignatureError;

/// A header with a few signatures has some hundred bytes.
pub const HEADER_BYTES_MAX: usize = 4096;
/// Seconds since 1970 have ten digits until the year 2286.
const TIMESTAMP_DIGITS_MAX: usize = 12;

/// What a header says, before anything of it is believed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Header<'a> {
    /// The digits as they stand there, which are part of what was signed.
    pub timestamp: &'a str,
    pub seconds: u64,
    pub signatures: Vec<[u8; 32]>,
}

/// Reads a header, strictly: what Stripe would never write is refused before any secret is touched.
pub(crate) fn parse(header: &str) -> Result<Header<'_>, SignatureError> {
    if header.len() > HEADER_BYTES_MAX {
        return Err(SignatureError::TooLong);
    }
    let mut timestamp = None;
    let mut signatures = Vec::new();
    for item in header.split(',') {
        match item.split_once('=') {
            Some(("t", digits)) => {
                let seconds = seconds(digits)?;
                if timestamp.replace((digits, seconds)).is_some() {
                    return Err(SignatureError::Malformed("more than one t"));
                }
            }
            Some(("v1", hex)) => signatures.push(signature(hex)?),
            Some((scheme, value)) => other_scheme(scheme, value)?,
            None => return Err(SignatureError::Malformed("an item without =")),
        }
    }
    let (timestamp, seconds) = timestamp.ok_or(SignatureError::Malformed("no t"))?;
    if signatures.is_empty() {
        return Err(SignatureError::Malformed("no v1"));
    }
    Ok(Header { timestamp, seconds, signatures })
}

fn seconds(digits: &str) -> Result<u64, SignatureError> {
    let sound = (1..=TIMESTAMP_DIGITS_MAX).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && !digits.starts_with('0');
    let number = if sound { digits.parse().ok() } else { None };
    number.ok_or(SignatureError::Malformed("t is no number of seconds"))
}

fn signature(hex: &str) -> Result<[u8; 32], SignatureError> {
    let digits: &[u8; 64] = hex.as_bytes().try_into().map_err(|_| SignatureError::Malformed("v1 is not 64 digits"))?;
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let (high, low) = pair
            .first()
            .zip(pair.last())
            .and_then(|(high, low)| nibble(*high).zip(nibble(*low)))
            .ok_or(SignatureError::Malformed("v1 is not of the digits 0 to 9 and a to f"))?;
        *byte = high << 4 | low;
    }
    Ok(bytes)
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

/// Schemes that came before (v0, of test deliveries) or will come; they are not looked at, and must look like schemes.
fn other_scheme(scheme: &str, value: &str) -> Result<(), SignatureError> {
    let sound = !value.is_empty()
        && value.bytes().all(|byte| byte.is_ascii_graphic())
        && scheme
            .strip_prefix('v')
            .is_some_and(|number| (1..=3).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit()));
    if sound { Ok(()) } else { Err(SignatureError::Malformed("an unknown item")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "00ff0123456789abcdef0123456789abcdef0123456789abcdef0123456789ab";

    fn bytes() -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes[1] = 0xff;
        for (at, byte) in bytes.iter_mut().enumerate().skip(2) {
            *byte = [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef][(at - 2) % 8];
        }
        bytes
    }

    #[test]
    fn a_header_of_stripe_is_read() {
        let header = format!("t=1764115200,v1={HEX}");
        let wanted = Header { timestamp: "1764115200", seconds: 1_764_115_200, signatures: vec![bytes()] };
        assert_eq!(parse(&header).unwrap(), wanted);
    }

    #[test]
    fn the_order_does_not_matter_and_other_schemes_are_passed_over() {
        let header = format!("v1={HEX},v0=0123,t=9,v2=x=y,v1={HEX},v999=z");
        let wanted = Header { timestamp: "9", seconds: 9, signatures: vec![bytes(), bytes()] };
        assert_eq!(parse(&header).unwrap(), wanted);
    }

    #[test]
    fn what_stripe_would_never_write_is_refused() {
        let good = format!("t=1764115200,v1={HEX}");
        for (header, why) in [
            (String::new(), "an item without ="),
            ("t=1764115200".to_owned(), "no v1"),
            (format!("v1={HEX}"), "no t"),
            (format!("t=,v1={HEX}"), "t is no number of seconds"),
            (format!("t=1764115200000,v1={HEX}"), "t is no number of seconds"),
            (format!("t=-1,v1={HEX}"), "t is no number of seconds"),
            (format!("t=+1764115200,v1={HEX}"), "t is no number of seconds"),
            (format!("t=0x69262e00,v1={HEX}"), "t is no number of seconds"),
            (format!("t=1764115200.0,v1={HEX}"), "t is no number of seconds"),
            (format!("t= 1764115200,v1={HEX}"), "t is no number of seconds"),
            (format!("t=01764115200,v1={HEX}"), "t is no number of seconds"),
            (format!("t=0,v1={HEX}"), "t is no number of seconds"),
            (format!("t=１７６４,v1={HEX}"), "t is no number of seconds"),
            (format!("t=1764115200,t=1764115200,v1={HEX}"), "more than one t"),
            (format!("{good},"), "an item without ="),
            (format!("{good},,"), "an item without ="),
            (format!("{good};v0=1"), "v1 is not 64 digits"),
            (format!("t=1764115200, v1={HEX}"), "an unknown item"),
            (format!("T=1764115200,v1={HEX}"), "an unknown item"),
            (format!("t=1764115200,V1={HEX}"), "an unknown item"),
            (format!("{good},v=1"), "an unknown item"),
            (format!("{good},v1000=1"), "an unknown item"),
            (format!("{good},vx=1"), "an unknown item"),
            (format!("{good},v2="), "an unknown item"),
            (format!("{good},v2=a b"), "an unknown item"),
            (format!("{good},=1"), "an unknown item"),
            (format!("{good},x"), "an item without ="),
            ("t=1764115200,v1=".to_owned(), "v1 is not 64 digits"),
            (format!("t=1764115200,v1={}", &HEX[1..]), "v1 is not 64 digits"),
            (format!("t=1764115200,v1={HEX}0"), "v1 is not 64 digits"),
            (format!("t=1764115200,v1={}g", &HEX[1..]), "v1 is not of the digits 0 to 9 and a to f"),
            (format!("t=1764115200,v1={}/", &HEX[1..]), "v1 is not of the digits 0 to 9 and a to f"),
            (format!("t=1764115200,v1={}:", &HEX[1..]), "v1 is not of the digits 0 to 9 and a to f"),
            (format!("t=1764115200,v1={}`", &HEX[1..]), "v1 is not of the digits 0 to 9 and a to f"),
            (format!("t=1764115200,v1={}", HEX.to_uppercase()), "v1 is not of the digits 0 to 9 and a to f"),
            (format!("t=1764115200,v1={HEX},v1=zz"), "v1 is not 64 digits"),
        ] {
            assert_eq!(parse(&header), Err(SignatureError::Malformed(why)), "{header}");
        }
    }

    #[test]
    fn a_time_has_up_to_twelve_digits() {
        assert_eq!(parse(&format!("t=999999999999,v1={HEX}")).unwrap().seconds, 999_999_999_999);
    }

    #[test]
    fn a_header_has_up_to_four_kibibytes() {
        let start = format!("t=1764115200,v1={HEX},v0=");
        let longest = format!("{start}{}", "a".repeat(4096 - start.len()));
        assert_eq!(longest.len(), 4096);
        assert!(parse(&longest).is_ok());
        assert_eq!(parse(&format!("{longest}a")), Err(SignatureError::TooLong));
    }
}
