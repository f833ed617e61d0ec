//! Headers that choose another algorithm, another key, or where to get one.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{Case, Forge};
use crate::house::Signer;

pub fn cases(forge: &Forge<'_>) -> Vec<Case> {
    [no_algorithm(forge), public_key_as_secret(forge), other_algorithms(forge), other_keys(forge), extensions(forge)]
        .concat()
}

fn unverified(what: impl Into<String>, token: String) -> Case {
    Case::new(what, token, "unverified")
}

fn malformed(what: impl Into<String>, token: String) -> Case {
    Case::new(what, token, "malformed")
}

fn no_algorithm(forge: &Forge<'_>) -> Vec<Case> {
    let mut cases = Vec::new();
    for alg in ["none", "None", "NONE", "nOnE", "none ", "", "HS257"] {
        let signed = forge.under(&json!({ "typ": "JWT", "alg": alg, "kid": "one" }));
        let unsigned = signed.rsplit_once('.').map(|(signed, _)| format!("{signed}.")).unwrap();
        cases.push(malformed(format!("alg '{alg}', unsigned"), unsigned));
        cases.push(malformed(format!("alg '{alg}', signed"), signed));
    }
    for alg in [json!(null), json!([forge.alg()]), json!({}), json!(0), json!(forge.alg().to_lowercase())] {
        cases.push(malformed(format!("alg {alg}"), forge.under(&json!({ "alg": alg, "kid": "one" }))));
    }
    cases.push(malformed("no alg", forge.under(&json!({ "typ": "JWT", "kid": "one" }))));
    cases
}

/// What everybody may know can be no secret, in whichever form it is written.
fn public_key_as_secret(forge: &Forge<'_>) -> Vec<Case> {
    let der = forge.signer.public_der();
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(&der));
    let jwk = forge.signer.jwk("one");
    let part = ["n", "x"].iter().find_map(|name| jwk[*name].as_str()).unwrap().to_owned();
    let secrets: [(&str, Vec<u8>); 8] = [
        ("its certificate form", der),
        ("PEM", pem.clone().into_bytes()),
        ("PEM without its last line end", pem.trim_end().as_bytes().to_vec()),
        ("a part of it as published", part.clone().into_bytes()),
        ("a part of it", URL_SAFE_NO_PAD.decode(part).unwrap()),
        ("its JWK", jwk.to_string().into_bytes()),
        ("all that is published", forge.published.to_string().into_bytes()),
        ("nothing", Vec::new()),
    ];
    let mut cases = Vec::new();
    for (what, secret) in secrets {
        let secret = Signer::Hs256(secret);
        for (alg, kid) in [("HS256", Some("one")), ("HS256", Some("spare")), ("HS384", Some("one")), ("HS512", None)] {
            let header = json!({ "typ": "JWT", "alg": alg, "kid": kid });
            cases.push(unverified(
                format!("{alg} of {kid:?} with {what} as the secret"),
                secret.sign(&header, &forge.good),
            ));
        }
        // Under the right algorithm's name, the code is no signature.
        let header = json!({ "typ": "JWT", "alg": forge.alg(), "kid": "one" });
        cases.push(unverified(format!("a code with {what} for a signature"), secret.sign(&header, &forge.good)));
    }
    cases
}

fn other_algorithms(forge: &Forge<'_>) -> Vec<Case> {
    let all = ["HS256", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"];
    let others = all.into_iter().filter(|alg| *alg != forge.alg());
    others
        .map(|alg| {
            unverified(format!("an honest signature called {alg}"), forge.under(&json!({ "alg": alg, "kid": "one" })))
        })
        .collect()
}

fn other_keys(forge: &Forge<'_>) -> Vec<Case> {
    let mut cases = vec![
        unverified("no kid, and two keys are known", forge.under(&json!({ "alg": forge.alg() }))),
        unverified("kid null", forge.under(&json!({ "alg": forge.alg(), "kid": null }))),
        unverified("a stranger's key of the known name", sign_as(forge, &json!({ "kid": "one" }))),
        unverified("a stranger's key of a new name", sign_as(forge, &json!({ "kid": "three" }))),
        malformed("kid 1", forge.under(&json!({ "alg": forge.alg(), "kid": 1 }))),
        malformed("kids", forge.under(&json!({ "alg": forge.alg(), "kid": ["one"] }))),
        malformed("kid an object", forge.under(&json!({ "alg": forge.alg(), "kid": { "one": "one" } }))),
    ];
    // Only an index: no file, no query, no URL, no other spelling.
    for kid in [
        "",
        "ONE",
        " one",
        "one ",
        "one\0",
        "one\n",
        "0",
        "../../../../dev/null",
        "/dev/null",
        "file:///dev/null",
        "../jwks.json",
        "one' OR '1'='1",
        "x' UNION SELECT 'secret'--",
        "one;sleep 10",
        "$(id)",
        "%6fne",
        "*",
        "$.keys[0]",
        &forge.elsewhere,
        &"k".repeat(1_000),
    ] {
        let header = json!({ "alg": forge.alg(), "kid": kid });
        cases.push(unverified(format!("kid {kid:?}"), forge.under(&header)));
        let null = Signer::Hs256(Vec::new()).sign(&json!({ "alg": "HS256", "kid": kid }), &forge.good);
        cases.push(unverified(format!("kid {kid:?}, signed with an empty file"), null));
    }
    cases
}

/// A key, or where one is, that the token brings along.
fn extensions(forge: &Forge<'_>) -> Vec<Case> {
    let (own, url) = (forge.stranger.jwk("one"), forge.elsewhere.as_str());
    let mut cases = Vec::new();
    for more in [
        json!({ "jwk": own, "kid": "one" }),
        json!({ "jwk": own }),
        json!({ "jku": url, "kid": "one" }),
        json!({ "jku": url }),
        json!({ "x5u": url, "kid": "one" }),
        json!({ "x5c": [STANDARD.encode(forge.stranger.public_der())], "kid": "one" }),
        json!({ "x5t": "AAAA", "x5t#S256": "AAAA", "kid": "one" }),
        json!({ "jku": url, "jwk": own, "x5u": url, "kid": "three" }),
    ] {
        cases.push(unverified(format!("a stranger's key comes along: {more}"), sign_as(forge, &more)));
    }
    for crit in [json!(["b64"]), json!(["exp"]), json!(["alg"]), json!([])] {
        let header = json!({ "alg": forge.alg(), "kid": "one", "crit": crit, "b64": false });
        cases.push(malformed(format!("crit {crit}"), forge.under(&header)));
    }
    for more in [json!({ "crit": "b64" }), json!({ "crit": [1] }), json!({ "jwk": "one" }), json!({ "x5c": "one" })] {
        cases.push(malformed(format!("{more}"), sign_as(forge, &more)));
    }
    cases
}

/// A stranger's signature, under the algorithm that is set.
fn sign_as(forge: &Forge<'_>, more: &Value) -> String {
    let mut header = more.clone();
    header["alg"] = json!(forge.alg());
    forge.stranger.sign(&header, &forge.good)
}
