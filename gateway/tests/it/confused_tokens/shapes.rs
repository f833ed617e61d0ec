//! Tokens of another shape: parts, encodings, sizes, signatures that are none.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use serde_json::json;

use super::{Case, Forge};

pub fn cases(forge: &Forge<'_>) -> Vec<Case> {
    [parts(forge), encodings(forge), signatures(forge), texts(forge)].concat()
}

fn malformed(what: &str, token: String) -> Case {
    Case::new(what, token, "malformed")
}

fn unverified(what: &str, token: String) -> Case {
    Case::new(what, token, "unverified")
}

fn parts(forge: &Forge<'_>) -> Vec<Case> {
    let honest = forge.honest();
    let [header, claims, signature] = honest.split('.').collect::<Vec<_>>()[..] else { panic!("{honest}") };
    let mut cases = Vec::new();
    for (what, token) in [
        ("nothing", String::new()),
        ("a dot", ".".to_owned()),
        ("two dots", "..".to_owned()),
        ("many dots", ".".repeat(4_000)),
        ("one part", header.to_owned()),
        ("two parts", format!("{header}.{claims}")),
        ("no header", format!(".{claims}.{signature}")),
        ("a dot before it", format!(".{honest}")),
        ("a dot after it", format!("{honest}.")),
        ("two dots after it", format!("{honest}..")),
        ("four parts", format!("{honest}.{signature}")),
        ("five parts, as an encrypted one has", format!("{honest}.{claims}.{signature}")),
        ("itself twice", format!("{honest}.{honest}")),
        ("quoted", format!("\"{honest}\"")),
        ("a scheme before it", format!("Bearer{honest}")),
        ("too long by what it says", forge.signer.token("one", &json!({ "padding": "x".repeat(5_000) }))),
        ("too long by its signature", format!("{header}.{claims}.{}", "A".repeat(4_097))),
    ] {
        cases.push(malformed(what, token));
    }
    for (what, token) in [
        ("no signature", format!("{header}.{claims}.")),
        ("no claims", format!("{header}..{signature}")),
        ("claims and signature exchanged", format!("{header}.{signature}.{claims}")),
    ] {
        cases.push(unverified(what, token));
    }
    cases
}

fn encodings(forge: &Forge<'_>) -> Vec<Case> {
    let honest = forge.honest();
    let [header, claims, signature] = honest.split('.').collect::<Vec<_>>()[..] else { panic!("{honest}") };
    let plain = URL_SAFE_NO_PAD.decode(header).unwrap();
    vec![
        malformed("a header in no encoding", format!("!!!!.{claims}.{signature}")),
        malformed("a header with its padding", format!("{}.{claims}.{signature}", padded(&plain))),
        malformed("a header with a null", format!("{header}%00.{claims}.{signature}")),
        malformed("a header that is no text", format!("{}.{claims}.{signature}", URL_SAFE_NO_PAD.encode(b"\xff\xfe"))),
        unverified("claims with a null", format!("{header}.{claims}%00.{signature}")),
        unverified("claims with padding", format!("{header}.{claims}=.{signature}")),
        malformed("a signature in no encoding", format!("{header}.{claims}.!!!!")),
        malformed("a signature with a null", format!("{honest}%00")),
        malformed("a signature with padding", format!("{honest}==")),
        malformed("a blank in its middle", format!("{header}.{claims}.{}%20{}", &signature[..9], &signature[9..])),
    ]
}

/// With padding, even where its length needs none.
fn padded(bytes: &[u8]) -> String {
    let text = URL_SAFE.encode(bytes);
    if text.ends_with('=') { text } else { format!("{text}====") }
}

fn signatures(forge: &Forge<'_>) -> Vec<Case> {
    let honest = forge.honest();
    let (signed, signature) = honest.rsplit_once('.').unwrap();
    let (header, claims) = signed.split_once('.').unwrap();
    let bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let with = |bytes: &[u8]| format!("{signed}.{}", URL_SAFE_NO_PAD.encode(bytes));
    let flip = |place: usize| {
        let mut flipped = bytes.clone();
        flipped[place] ^= 1;
        with(&flipped)
    };
    let mut richer = forge.good.clone();
    richer["account"] = json!("acct_00000000000000000000000000000009");
    let other = forge.signer.token("one", &richer);
    let other_header = forge.under(&json!({ "alg": forge.alg(), "kid": "spare" }));
    let length = bytes.len();
    // One byte more than a multiple of three: the last letter holds two bits, and four that must be 0.
    let (last, rest) = (signature.chars().last().unwrap(), &signature[..signature.len() - 1]);
    let next = char::from_u32(u32::from(last) + 1).unwrap();
    vec![
        unverified("its first bit", flip(0)),
        unverified("a bit in its middle", flip(length / 2)),
        unverified("its last bit", flip(length - 1)),
        unverified("zeros", with(&vec![0; length])),
        unverified("ones", with(&vec![0xff; length])),
        unverified("a one and zeros", with(&[&[0; 31][..], &[1], &vec![0; length - 32]].concat())),
        malformed("the same in another spelling", format!("{signed}.{rest}{next}")),
        unverified("cut off", with(&bytes[..length - 1])),
        unverified("drawn out", with(&[&bytes[..], &[0]].concat())),
        unverified("twice", with(&[&bytes[..], &bytes[..]].concat())),
        malformed("in another alphabet", format!("{signed}.+/{}", &STANDARD.encode(&bytes)[2..])),
        unverified("as a certificate would have it", with(&[&[0x30, 0x44][..], &bytes].concat())),
        unverified("another account under it", format!("{header}.{}.{signature}", other.split('.').nth(1).unwrap())),
        unverified(
            "another header over it",
            format!("{}.{claims}.{signature}", other_header.split('.').next().unwrap()),
        ),
    ]
}

/// Honestly signed texts that are no header, or no claims.
fn texts(forge: &Forge<'_>) -> Vec<Case> {
    let (alg, good) = (forge.alg(), forge.good.to_string());
    let header = format!("{{\"alg\":\"{alg}\",\"kid\":\"one\"}}");
    let with_more = |more: &str| format!("{},{more}}}", &good[..good.len() - 1]);
    let account = forge.good["account"].as_str().unwrap();
    let mut cases = Vec::new();
    for text in [
        String::new(),
        "null".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        "\"one\"".to_owned(),
        header[..header.len() - 1].to_owned(),
        format!("{header}{header}"),
        format!("{header}\0"),
        format!("{{\"alg\":\"none\",\"alg\":\"{alg}\",\"kid\":\"one\"}}"),
        format!("{{\"alg\":\"{alg}\",\"alg\":\"none\",\"kid\":\"one\"}}"),
        format!("{{\"alg\":\"{alg}\",\"kid\":\"two\",\"kid\":\"one\"}}"),
    ] {
        cases.push(malformed(&format!("the header {text:?}"), forge.signer.sign_texts(&text, &good)));
    }
    for text in [
        String::new(),
        "null".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        "7".to_owned(),
        format!("[{good}]"),
        format!("\"{}\"", good.replace('"', "\\\"")),
        good[..good.len() - 1].to_owned(),
        format!("{good}{good}"),
        format!("{good}\0"),
        format!("\u{feff}{good}"),
        with_more(&format!("\"account\":\"{account}\"")),
        with_more("\"account\":\"acct_00000000000000000000000000000009\""),
        with_more("\"acc\\u006funt\":\"acct_00000000000000000000000000000009\""),
        with_more("\"exp\":99999999999"),
        with_more("\"sub\":\"bob\""),
        with_more("\"aud\":\"another\""),
        with_more("\"ver\":1,\"ver\":2"),
        with_more("\"x\":1,\"x\":1"),
        with_more(&format!("\"deep\":{}{}", "[".repeat(500), "]".repeat(500))),
    ] {
        cases.push(malformed(&format!("the claims {text:?}"), forge.signer.sign_texts(&header, &text)));
    }
    cases
}
