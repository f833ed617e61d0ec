//! Honestly signed claims that must not pass: missing, of another type, for somebody else, of another time.

use serde_json::{Value, json};

use super::{Case, Forge};
use crate::house::now_seconds;

/// Numbers are written as they stand: no JSON value of ours holds the larger ones.
const NO_NUMBERS: [&str; 12] = [
    "null",
    "true",
    "\"1999999999\"",
    "1999999999.0",
    "1999999999.5",
    "1.999999999e9",
    "-1",
    "-9223372036854775808",
    "18446744073709551616",
    "1e300",
    "[1999999999]",
    "{\"n\":1999999999}",
];
const NO_TEXTS: [&str; 7] = ["null", "true", "0", "1.5", "-1", "{\"a\":\"b\"}", "18446744073709551615"];

pub fn cases(forge: &Forge<'_>) -> Vec<Case> {
    [types(forge), values(forge)].concat()
}

/// The good claims, but for one, which is written like this.
fn changed(forge: &Forge<'_>, claim: &str, written: Option<&str>) -> String {
    let mut claims = forge.good.clone();
    claims.as_object_mut().unwrap().remove(claim);
    let rest = claims.to_string();
    let text = match written {
        Some(written) => format!("{},\"{claim}\":{written}}}", &rest[..rest.len() - 1]),
        None => rest,
    };
    forge.signer.sign_texts(&json!({ "alg": forge.alg(), "kid": "one" }).to_string(), &text)
}

fn types(forge: &Forge<'_>) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |claim: &str, written: Option<&str>| {
        let what = format!("{claim} = {}", written.unwrap_or("nothing"));
        cases.push(Case::new(what, changed(forge, claim, written), "malformed"));
    };
    for claim in ["exp", "iat", "iss", "aud", "sub", "account"] {
        add(claim, None);
    }
    for claim in ["exp", "iat", "nbf", "ver"] {
        for written in NO_NUMBERS {
            add(claim, Some(written));
        }
        add(claim, Some("18446744073709551615")); // the largest whole number
        add(claim, Some("1999999999000000")); // microseconds
    }
    for claim in ["iss", "aud", "sub", "account", "roles"] {
        for written in NO_TEXTS {
            add(claim, Some(written));
        }
    }
    for claim in ["iss", "sub", "account"] {
        add(claim, Some("[]"));
        add(claim, Some(&json!([forge.good[claim]]).to_string()));
    }
    for written in ["[5]", "[null]", "[[\"gateway.test\"]]", "[\"gateway.test\",5]", "{\"gateway.test\":true}"] {
        add("aud", Some(written));
    }
    for written in ["\"admin\"", "[1]", "[null]", "[[\"admin\"]]", "{\"admin\":true}"] {
        add("roles", Some(written));
    }
    cases.retain(|case| case.what != "ver = 1999999999000000"); // versions count no seconds
    cases
}

fn values(forge: &Forge<'_>) -> Vec<Case> {
    let (now, id) = (now_seconds(), forge.good["account"].as_str().unwrap());
    let case = |claim: &str, value: Value, reason| {
        let what = format!("{claim} = {value}");
        Case::new(what, changed(forge, claim, Some(&value.to_string())), reason)
    };
    let mut cases = Vec::new();
    for account in [
        String::new(),
        id.to_uppercase(),
        format!(" {id}"),
        format!("{id}\0"),
        format!("{id}\n"),
        id.replace("acct_", ""),
        id.replace("acct_", "key_"),
        format!("{id}0"),
        "*".to_owned(),
        "acct_*".to_owned(),
        "acct_%".to_owned(),
        "../a".to_owned(),
        format!("{id}' OR '1'='1"),
        id.replace('0', "\u{ff10}"),
    ] {
        cases.push(case("account", json!(account), "malformed"));
    }
    for subject in
        ["", " ", " ann", "ann\r\nTollgate-Account: x", "ann\0", "ann\t", "ann\u{7f}", "änn", &"x".repeat(257)]
    {
        cases.push(case("sub", json!(subject), "malformed"));
    }
    for (claim, value, reason) in [
        ("iss", json!(""), "other_issuer"),
        ("iss", json!("id.test.evil"), "other_issuer"),
        ("iss", json!("ID.TEST"), "other_issuer"),
        ("iss", json!("id.test/"), "other_issuer"),
        ("iss", json!("id.test\0"), "other_issuer"),
        ("iss", json!(" id.test"), "other_issuer"),
        ("aud", json!(""), "other_audience"),
        ("aud", json!("another"), "other_audience"),
        ("aud", json!("gateway.test.evil"), "other_audience"),
        ("aud", json!("gateway.test another"), "other_audience"),
        ("aud", json!([]), "other_audience"),
        ("aud", json!(["another", "third"]), "other_audience"),
        ("exp", json!(0), "expired"),
        ("exp", json!(1), "expired"),
        ("exp", json!(now - 30), "expired"),
        ("exp", json!((now + 600) * 1_000), "malformed"), // milliseconds
        ("iat", json!(now + 60), "not_yet_valid"),
        ("iat", json!(now + 315_360_000), "not_yet_valid"),
        ("iat", json!(253_402_300_799_u64), "not_yet_valid"),
        ("iat", json!(now * 1_000), "malformed"),
        ("nbf", json!(now + 60), "not_yet_valid"),
        ("nbf", json!(253_402_300_799_u64), "not_yet_valid"),
        ("roles", json!(vec!["x"; 33]), "malformed"),
        ("roles", json!(["x".repeat(65)]), "malformed"),
    ] {
        cases.push(case(claim, value, reason));
    }
    cases
}
