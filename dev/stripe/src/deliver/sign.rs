//! The header `Stripe-Signature: t=…,v1=…`: HMAC-SHA256 of the time and the body, once for each secret.

use std::fmt::Write;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

pub fn header(secrets: &[String], at: i64, body: &str) -> String {
    let mut header = format!("t={at}");
    for secret in secrets {
        header.push_str(",v1=");
        header.push_str(&signature(secret, at, body));
    }
    header
}

fn signature(secret: &str, at: i64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(format!("{at}.{body}").as_bytes());
    mac.finalize().into_bytes().iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string can't fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_secret_signs_during_a_rotation() {
        let header = header(&["whsec_new".to_owned(), "whsec_old".to_owned()], 1_700_000_000, "{}");
        let parts: Vec<&str> = header.split(',').collect();
        assert_eq!((parts.len(), parts[0]), (3, "t=1700000000"));
        assert_ne!(parts[1], parts[2]);
        assert_eq!(parts[1].len(), "v1=".len() + 64);
    }
}
