//! The checks of routes whose debits are confirmed when their requests are over.

use std::time::Duration;

use super::super::Price;
use super::super::file::Entry;
use super::Source;
use crate::error::ConfigError;

/// Three heartbeats of 20 s: two of them may be lost. So long a killed gateway leaves drawn what it did not serve.
const CONFIRM_MS: u64 = 60_000;
/// Heartbeats come each second then. A pause of Redis or of the machine that everybody survives must not give back what is being served.
const SHORTEST_MS: u64 = 3_000;
/// So long, at most, customers wait for credits of requests that broke with their gateway.
const LONGEST_MS: u64 = 3_600_000;

/// The deadline of a debit, from its drawing or the last heartbeat on; `None` where nothing is confirmed.
pub(super) fn check(source: &Source<'_>, entry: &Entry, price: &Price) -> Result<Option<Duration>, ConfigError> {
    let Some(confirm) = entry.confirm.as_ref().filter(|confirm| *confirm.get_ref()) else {
        return match &entry.confirm_ms {
            Some(written) => Err(source.at(written, "`confirm_ms` needs confirm = true")),
            None => Ok(None),
        };
    };
    let refused = match price {
        Price::Free => Some("`confirm` needs a price: a free route draws nothing"),
        Price::Hold(_) => {
            Some("a hold is settled, which says already that its request is over: `confirm` adds nothing")
        }
        _ if entry.upgrade.is_some() => Some(
            "a connection that is upgraded was served once the upstream took it up, however it ends: there is nothing to confirm",
        ),
        _ => None,
    };
    if let Some(why) = refused {
        return Err(source.at(confirm, why));
    }
    let ms = entry.confirm_ms.as_ref().map_or(CONFIRM_MS, |written| *written.get_ref());
    match &entry.confirm_ms {
        Some(written) if !(SHORTEST_MS..=LONGEST_MS).contains(&ms) => {
            Err(source.at(written, format!("confirm_ms = {ms} must be {SHORTEST_MS} to {LONGEST_MS}")))
        }
        _ => Ok(Some(Duration::from_millis(ms))),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::routes::{Route, parse};
    use crate::upstream::Upstream;

    const GOOD: &str = "[[route]]\nname = \"a\"\nmethod = \"GET\"\npath = \"/a\"\nauth = \"api_key\"\nprice = 1\nupstream = \"demo\"\n";

    fn read(text: &str) -> Result<Vec<Route>, ConfigError> {
        let demo: Upstream = "http://127.0.0.1:7070".parse().unwrap();
        parse("routes.toml", text, &BTreeMap::from([("demo".to_owned(), demo)]))
    }

    #[test]
    fn only_what_is_drawn_and_not_settled_is_confirmed_within_bounds() {
        let confirmed = |more: &str| read(&format!("{GOOD}{more}\n")).unwrap()[0].confirm;
        assert_eq!((confirmed(""), confirmed("confirm = false")), (None, None));
        assert_eq!(confirmed("confirm = true"), Some(Duration::from_mins(1)));
        assert_eq!(confirmed("confirm = true\nconfirm_ms = 3000"), Some(Duration::from_secs(3)));
        let wrong = |route: &str, more: &str| read(&format!("{route}{more}\n")).expect_err(more).to_string();
        for ms in ["2999", "3600001"] {
            let error = wrong(GOOD, &format!("confirm = true\nconfirm_ms = {ms}"));
            assert!(error.starts_with("routes.toml:9: confirm_ms = "), "{error}");
        }
        assert!(wrong(GOOD, "confirm_ms = 9000").starts_with("routes.toml:8: `confirm_ms` needs confirm = true"));
        let free = GOOD.replace("price = 1", "price = 0");
        assert!(wrong(&free, "confirm = true").starts_with("routes.toml:8: `confirm` needs a price"));
        let held = GOOD.replace("price = 1", "price = { hold = 50, report = \"header\" }");
        assert!(wrong(&held, "confirm = true").starts_with("routes.toml:8: a hold is settled"));
        let upgraded = format!("{GOOD}upgrade = \"websocket\"\n");
        assert!(wrong(&upgraded, "confirm = true").starts_with("routes.toml:9: a connection that is upgraded"));
    }
}
