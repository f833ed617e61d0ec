//! Signatures: those that Stripe's own libraries make are believed, all others are not.

use std::time::Duration;

use metering::TimeMs;
use payments::{Secrets, SignatureError, TOLERANCE, sign, verify};
use secrecy::SecretString;
use serde::Deserialize;

const SECRET: &str = "whsec_8f4c1d2e9ab07356c4f1e2d3a4b5c6d7e8f90a1b";
const OTHER: &str = "whsec_00000000000000000000000000000000000000000";
const BODY: &[u8] = b"{\"id\":\"evt_1\"}";
const AT: TimeMs = TimeMs::new(1_764_115_200_000);

#[derive(Deserialize)]
struct Vectors {
    signed: Vec<Signed>,
}

#[derive(Deserialize)]
struct Signed {
    by: String,
    secret: String,
    timestamp: u64,
    payload: String,
    header: String,
}

fn vectors() -> Vec<Signed> {
    toml::from_str::<Vectors>(include_str!("../fixtures/signatures.toml")).unwrap().signed
}

fn secrets(texts: &[&str]) -> Secrets {
    Secrets::new(&texts.iter().map(|text| SecretString::from(*text)).collect::<Vec<_>>()).unwrap()
}

fn checked(header: &str, body: &[u8]) -> Result<(), SignatureError> {
    verify(header, body, &secrets(&[SECRET]), AT, TOLERANCE)
}

#[test]
fn what_stripe_s_own_libraries_sign_is_believed() {
    let vectors = vectors();
    for by in ["stripe-python", "stripe-node"] {
        assert!(vectors.iter().filter(|signed| signed.by == by).count() >= 10, "{by}");
    }
    for signed in vectors {
        let at = TimeMs::new(signed.timestamp * 1000);
        let known = secrets(&[OTHER, &signed.secret]);
        assert_eq!(
            verify(&signed.header, signed.payload.as_bytes(), &known, at, TOLERANCE),
            Ok(()),
            "{}",
            signed.header
        );
    }
}

#[test]
fn a_body_in_which_any_bit_is_flipped_is_not() {
    for signed in vectors().iter().take(6) {
        let (known, at) = (secrets(&[&signed.secret]), TimeMs::new(signed.timestamp * 1000));
        for place in 0..signed.payload.len() {
            for bit in 0..8 {
                let mut body = signed.payload.clone().into_bytes();
                body[place] ^= 1 << bit;
                assert_eq!(verify(&signed.header, &body, &known, at, TOLERANCE), Err(SignatureError::Wrong));
            }
        }
        let body = signed.payload.as_bytes();
        for length in 0..body.len() {
            assert_eq!(verify(&signed.header, &body[..length], &known, at, TOLERANCE), Err(SignatureError::Wrong));
        }
        let longer = [body, b"\n"].concat();
        assert_eq!(verify(&signed.header, &longer, &known, at, TOLERANCE), Err(SignatureError::Wrong));
    }
}

#[test]
fn a_header_in_which_any_bit_is_flipped_is_not() {
    for signed in vectors().iter().take(6) {
        let (known, at) = (secrets(&[&signed.secret]), TimeMs::new(signed.timestamp * 1000));
        for place in 0..signed.header.len() {
            for bit in 0..7 {
                let mut header = signed.header.clone().into_bytes();
                header[place] ^= 1 << bit;
                let header = String::from_utf8(header).unwrap();
                assert!(verify(&header, signed.payload.as_bytes(), &known, at, TOLERANCE).is_err(), "{header}");
            }
        }
    }
}

#[test]
fn an_old_delivery_and_one_from_the_future_are_not() {
    for signed in vectors() {
        let (known, at) = (secrets(&[&signed.secret]), TimeMs::new(signed.timestamp * 1000));
        let when = |now| verify(&signed.header, signed.payload.as_bytes(), &known, now, TOLERANCE);
        assert_eq!(when(at.plus_ms(600_000)), Err(SignatureError::TooOld));
        assert_eq!(when(at.minus_ms(600_000)), Err(SignatureError::TooNew));
        assert_eq!((when(at.plus_ms(300_000)), when(at.minus_ms(300_000))), (Ok(()), Ok(())));
        let narrow = Duration::from_secs(1);
        assert!(verify(&signed.header, signed.payload.as_bytes(), &known, at.plus_ms(1_001), narrow).is_err());
    }
}

/// More than thirty ways to write a header that nobody of Stripe's has written.
#[test]
fn forged_headers_are_refused_all_of_them() {
    let good = sign(BODY, SECRET, AT).unwrap();
    assert_eq!(checked(&good, BODY), Ok(()));
    let (time, signature) = good.split_once(',').unwrap();
    let hex = signature.strip_prefix("v1=").unwrap();
    let by_other = sign(BODY, OTHER, AT).unwrap();
    let of_other_body = sign(b"{\"id\":\"evt_2\"}", SECRET, AT).unwrap();
    let of_other_time = sign(BODY, SECRET, AT.plus_ms(1_000)).unwrap();
    let zeros = "0".repeat(64);
    let forged = [
        String::new(),
        " ".to_owned(),
        ",".to_owned(),
        "=".to_owned(),
        time.to_owned(),
        signature.to_owned(),
        hex.to_owned(),
        format!("{time},"),
        format!("{time},v1="),
        format!("{time},v1"),
        format!("{time},v0={hex}"),
        format!("{time},v2={hex}"),
        format!("{time},v1={zeros}"),
        format!("{time},v1={}", &hex[..63]),
        format!("{time},v1={hex}0"),
        format!("{time},v1=0x{hex}"),
        format!("{time},v1={}", hex.to_uppercase()),
        format!("{time},v1={hex} "),
        format!("{time},v1= {hex}"),
        format!("{time},v1=\"{hex}\""),
        format!("{time}, {signature}"),
        format!("{time};{signature}"),
        format!("{time}&{signature}"),
        format!("{time}\n{signature}"),
        format!("{time},{signature},{time}"),
        format!("{time},t=1,{signature}"),
        format!("t=0,{signature}"),
        format!("t=-1764115200,{signature}"),
        format!("t=+1764115200,{signature}"),
        format!("t=01764115200,{signature}"),
        format!("t=1764115200.0,{signature}"),
        format!("t=1.7641152e9,{signature}"),
        format!("t=1764115200000,{signature}"),
        format!("t=99999999999999999999,{signature}"),
        format!("t=٤,{signature}"),
        format!("t=,{signature}"),
        format!("t,{signature}"),
        format!("T=1764115200,{signature}"),
        format!("timestamp=1764115200,{signature}"),
        format!("{time},V1={hex}"),
        format!("{time},v1x={hex}"),
        format!("{good},"),
        format!(",{good}"),
        format!("{good},x"),
        format!("{good},x=y"),
        format!("{good}\0"),
        format!("{good},v0={}", "a".repeat(4096)),
        good.replace("1764115200", "1764115201"),
        by_other,
        of_other_body,
        of_other_time.replace("1764115201", "1764115200"),
    ];
    assert!(forged.len() >= 30);
    for header in forged {
        assert!(checked(&header, BODY).is_err(), "{header:?}");
    }
}
