//! Where Stripe is, with which key it is spoken to, and what its deliveries are signed with: the same keys in every service.

use std::time::Duration;

use figment::value::magic::RelativePathBuf;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::error::ConfigError;
use crate::files::named;
use crate::plans::{self, Plan};

/// Longer than any page at Stripe takes; a checkout that needs more is better asked for again.
const TIMEOUT_MS_MAX: u64 = 60_000;
/// Stripe's own keys have about a hundred letters.
const KEY_BYTES_MAX: usize = 255;

#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Written")]
pub struct Stripe {
    pub mode: Mode,
    /// Scheme, host and port only.
    pub api_url: String,
    /// `None` = Stripe is not configured: nothing can be bought, and nothing is asked of it.
    pub api_key: Option<SecretString>,
    pub timeout: Duration,
    pub success_url: String,
    pub cancel_url: String,
    pub return_url: String,
    /// What a delivery may be signed with; judged by whoever takes deliveries.
    pub webhook_secrets: Vec<SecretString>,
    /// Whether an object in a delivery is fetched again before it is believed.
    pub refetch: bool,
    plans: RelativePathBuf,
}

/// Which of Stripe's two worlds an installation lives in. What comes from the other is never believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    Test,
    Live,
}

impl Mode {
    /// As `livemode` says it.
    #[must_use]
    pub fn is_live(self) -> bool {
        self == Self::Live
    }

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Live => "live",
        }
    }
}

impl Stripe {
    /// Reads the plans that the settings name, or those compiled in.
    pub fn read_plans(&self) -> Result<Vec<Plan>, ConfigError> {
        match named(&self.plans) {
            Some(file) => plans::read(&file),
            None => plans::parse("config/plans.toml (compiled in)", plans::DEMO),
        }
    }

    /// Refuses a URL that these settings would refuse under that key.
    pub fn check_url(&self, key: &str, url: &str) -> Result<(), String> {
        check_url(key, url, self.mode)
    }
}

/// The section as it stands in a file, before it is checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    mode: Mode,
    api_url: String,
    api_key: SecretString,
    timeout_ms: u64,
    plans: RelativePathBuf,
    success_url: String,
    cancel_url: String,
    return_url: String,
    /// Of the service that takes deliveries alone.
    #[serde(default)]
    webhook_secrets: Secrets,
    #[serde(default)]
    refetch: bool,
}

/// A list, or one text with commas, as a variable holds it.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "secrets are a list of texts, or one text with commas between them")]
pub(crate) enum Secrets {
    List(Vec<SecretString>),
    Text(SecretString),
}

impl Default for Secrets {
    fn default() -> Self {
        Self::List(Vec::new())
    }
}

impl Secrets {
    pub(crate) fn list(self) -> Vec<SecretString> {
        match self {
            Self::List(list) => list,
            Self::Text(text) => {
                let parts = text.expose_secret().split(',').map(str::trim);
                parts.filter(|part| !part.is_empty()).map(SecretString::from).collect()
            }
        }
    }
}

impl TryFrom<Written> for Stripe {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        if !(1..=TIMEOUT_MS_MAX).contains(&written.timeout_ms) {
            return Err(format!("timeout_ms is 1 to {TIMEOUT_MS_MAX}"));
        }
        check_url("api_url", &written.api_url, written.mode)?;
        let host = written.api_url.split_once("://").map_or("", |(_, host)| host.strip_suffix('/').unwrap_or(host));
        if host.contains(['/', '?', '#', '@']) {
            return Err("api_url is a scheme, a host and a port, and nothing else".to_owned());
        }
        for (key, url) in [
            ("success_url", &written.success_url),
            ("cancel_url", &written.cancel_url),
            ("return_url", &written.return_url),
        ] {
            check_url(key, url, written.mode)?;
        }
        Ok(Self {
            mode: written.mode,
            api_key: check_key(written.api_key, written.mode)?,
            api_url: written.api_url,
            timeout: Duration::from_millis(written.timeout_ms),
            success_url: written.success_url,
            cancel_url: written.cancel_url,
            return_url: written.return_url,
            webhook_secrets: written.webhook_secrets.list(),
            refetch: written.refetch,
            plans: written.plans,
        })
    }
}

/// In live mode no key, and nobody who has just paid, goes over a line that others can read.
fn check_url(key: &str, url: &str, mode: Mode) -> Result<(), String> {
    let rest = match url.split_once("://") {
        Some(("https", rest)) => rest,
        Some(("http", rest)) if mode == Mode::Test => rest,
        Some(("http", _)) => return Err(format!("{key} must start with https:// in live mode")),
        _ => return Err(format!("{key} must start with https:// or http://")),
    };
    let sound = !rest.is_empty() && !rest.starts_with('/') && url.bytes().all(|byte| byte.is_ascii_graphic());
    if sound { Ok(()) } else { Err(format!("{key} is no URL")) }
}

/// Empty = none. A key of the other mode would sell for play money, or charge real cards in a test.
fn check_key(key: SecretString, mode: Mode) -> Result<Option<SecretString>, String> {
    let text = key.expose_secret();
    if text.is_empty() {
        return Ok(None);
    }
    let sound = text.len() <= KEY_BYTES_MAX
        && text.bytes().all(|byte| byte.is_ascii_graphic())
        && (text.starts_with("sk_") || text.starts_with("rk_"));
    if !sound {
        return Err("api_key is Stripe's secret key or a restricted one (sk_… or rk_…)".to_owned());
    }
    let other = if mode.is_live() { "test" } else { "live" };
    if text.get(3..).is_some_and(|rest| rest.starts_with(&format!("{other}_"))) {
        return Err(format!("api_key is of {other} mode, the settings say {}", mode.as_str()));
    }
    Ok(Some(key))
}

#[cfg(test)]
mod tests {
    use figment::Figment;
    use figment::providers::{Format, Toml};

    use super::*;

    const GOOD: &str = "mode = \"test\"\napi_url = \"https://api.stripe.com\"\napi_key = \"sk_test_1\"\ntimeout_ms = 9000\nplans = \"\"\nsuccess_url = \"https://a.example/ok?s={CHECKOUT_SESSION_ID}\"\ncancel_url = \"https://a.example/no\"\nreturn_url = \"https://a.example/\"\n";

    fn read(text: &str) -> Result<Stripe, String> {
        Figment::from(Toml::string(text)).extract().map_err(|error| error.to_string())
    }

    fn refused(from: &str, to: &str) -> String {
        assert!(GOOD.contains(from), "{from}");
        read(&GOOD.replace(from, to)).expect_err(to)
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let stripe = read(GOOD).unwrap();
        assert_eq!((stripe.mode, stripe.mode.is_live(), stripe.mode.as_str()), (Mode::Test, false, "test"));
        assert_eq!(stripe.api_url, "https://api.stripe.com");
        assert_eq!(stripe.api_key.unwrap().expose_secret(), "sk_test_1");
        assert_eq!(stripe.timeout, Duration::from_secs(9));
        assert_eq!(stripe.success_url, "https://a.example/ok?s={CHECKOUT_SESSION_ID}");
        assert_eq!(stripe.cancel_url, "https://a.example/no");
        assert_eq!(stripe.return_url, "https://a.example/");
        assert!(stripe.webhook_secrets.is_empty() && !stripe.refetch);
    }

    #[test]
    fn live_mode_is_the_other_word_and_takes_live_keys() {
        let live = GOOD.replace("\"test\"", "\"live\"").replace("sk_test_1", "rk_live_1");
        let stripe = read(&live).unwrap();
        assert_eq!((stripe.mode, stripe.mode.is_live(), stripe.mode.as_str()), (Mode::Live, true, "live"));
        assert_eq!(stripe.api_key.unwrap().expose_secret(), "rk_live_1");
    }

    #[test]
    fn no_key_means_that_stripe_is_not_configured() {
        assert!(read(&GOOD.replace("sk_test_1", "")).unwrap().api_key.is_none());
    }

    #[test]
    fn a_key_of_the_other_mode_is_refused_and_never_shown() {
        for (mode, key) in [("test", "sk_live_secret"), ("test", "rk_live_secret"), ("live", "sk_test_secret")] {
            let error =
                read(&GOOD.replace("\"test\"", &format!("\"{mode}\"")).replace("sk_test_1", key)).expect_err(key);
            assert!(error.contains("the settings say") && !error.contains("secret"), "{error}");
        }
        let long = format!("sk_test_{}", "a".repeat(248));
        for key in ["pk_test_secret", "whsec_secret", "sk_test_se cret", "secret", &long] {
            let error = refused("sk_test_1", key);
            assert!(error.contains("sk_… or rk_…") && !error.contains("secret_") && !error.contains("aaa"), "{error}");
        }
        let longest = format!("sk_test_{}", "a".repeat(247));
        assert!(read(&GOOD.replace("sk_test_1", &longest)).is_ok());
    }

    #[test]
    fn a_url_that_leads_nowhere_is_refused_by_its_key() {
        for (from, to) in [
            ("https://api.stripe.com", "ftp://api.stripe.com"),
            ("https://api.stripe.com", "api.stripe.com"),
            ("https://api.stripe.com", "https://"),
            ("https://api.stripe.com", "https:///v1"),
            ("https://api.stripe.com", "https://api.stripe.com/v1"),
            ("https://api.stripe.com", "https://user@api.stripe.com"),
            ("https://api.stripe.com", "https://api.stripe.com?a"),
            ("https://api.stripe.com", "https://api.stripe.com#a"),
            ("https://api.stripe.com", "https://api .stripe.com"),
        ] {
            assert!(refused(from, to).contains("api_url"), "{to}");
        }
        assert!(refused("https://a.example/no", "/no").contains("cancel_url"));
        assert!(refused("https://a.example/ok", "x://a").contains("success_url"));
        assert!(refused("\"https://a.example/\"", "\"\"").contains("return_url"));
        for good in ["http://127.0.0.1:8400", "http://127.0.0.1:8400/", "https://stripe.example:8443"] {
            assert!(read(&GOOD.replace("https://api.stripe.com", good)).is_ok(), "{good}");
        }
    }

    #[test]
    fn in_live_mode_nothing_goes_unencrypted() {
        let live = GOOD.replace("\"test\"", "\"live\"").replace("sk_test_1", "");
        assert!(read(&live).is_ok());
        let asked = |written: &str, url: &str| read(written).unwrap().check_url("--url", url);
        assert!(asked(&live, "https://a.example/").is_ok() && asked(GOOD, "http://a.example/").is_ok());
        assert!(asked(&live, "http://a.example/").unwrap_err().contains("--url must start with https://"));
        for (key, url) in [("api_url", "https://api.stripe.com"), ("cancel_url", "https://a.example/no")] {
            let error = read(&live.replace(url, &url.replace("https", "http"))).expect_err(key);
            assert!(error.contains(key) && error.contains("live mode"), "{error}");
        }
    }

    #[test]
    fn every_wait_has_an_end() {
        assert!(refused("9000", "0").contains("timeout_ms"));
        assert!(refused("9000", "60001").contains("timeout_ms"));
        assert!(read(&GOOD.replace("9000", "1")).is_ok() && read(&GOOD.replace("9000", "60000")).is_ok());
    }

    #[test]
    fn secrets_are_a_list_or_one_text_with_commas() {
        let secrets = |written: &str| {
            let stripe = read(&format!("{GOOD}refetch = true\nwebhook_secrets = {written}\n")).unwrap();
            assert!(stripe.refetch);
            stripe.webhook_secrets.iter().map(|secret| secret.expose_secret().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(secrets("[\"whsec_a\", \"whsec_b\"]"), ["whsec_a", "whsec_b"]);
        assert_eq!(secrets("\"whsec_a, whsec_b,\""), ["whsec_a", "whsec_b"]);
        assert_eq!(secrets("\"\""), [""; 0]);
    }

    #[test]
    fn an_unknown_key_is_refused() {
        assert!(read(&format!("{GOOD}api_version = \"x\"\n")).is_err());
    }

    #[test]
    fn the_plans_are_those_compiled_in_unless_a_file_is_named() {
        assert_eq!(read(GOOD).unwrap().read_plans().unwrap(), plans::parse("", plans::DEMO).unwrap());
        let absent = read(&GOOD.replace("plans = \"\"", "plans = \"/absent.toml\"")).unwrap();
        assert!(absent.read_plans().unwrap_err().to_string().starts_with("/absent.toml: "));
    }
}
