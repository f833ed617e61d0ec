//! The checks of `[route.cors]`.

use toml::Spanned;

use super::super::file::CorsEntry;
use super::super::{Cors, Origins};
use super::Source;
use crate::address::is_origin;
use crate::error::ConfigError;

const ORIGINS_MAX: usize = 64;
const HEADERS_MAX: usize = 32;
/// Browsers cap it below that themselves.
const AGE_SECONDS_MAX: u64 = 86_400;

pub(super) fn check(source: &Source<'_>, entry: &Spanned<CorsEntry>) -> Result<Cors, ConfigError> {
    checked(entry.get_ref()).map_err(|what| source.at(entry, what))
}

fn checked(entry: &CorsEntry) -> Result<Cors, String> {
    let origins = match entry.origins.as_slice() {
        [all] if all == "*" && entry.credentials => {
            return Err("credentials for every origin would open the account to every page".to_owned());
        }
        [all] if all == "*" => Origins::All,
        [] => return Err("`origins` needs at least one, or \"*\"".to_owned()),
        origins if origins.len() > ORIGINS_MAX => return Err(format!("{ORIGINS_MAX} origins at most")),
        // `null`, which is no origin here, is everybody's.
        origins => match origins.iter().find(|origin| !is_origin(origin)) {
            Some(wrong) => {
                return Err(format!("`{wrong}` is no origin as browsers send it, such as https://app.example"));
            }
            None => Origins::These(origins.to_vec()),
        },
    };
    let token =
        |name: &String| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if entry.headers.len() > HEADERS_MAX || !entry.headers.iter().all(token) {
        return Err(format!("`headers` are {HEADERS_MAX} names at most, of letters, digits and -"));
    }
    if entry.max_age_seconds > AGE_SECONDS_MAX {
        return Err(format!("max_age_seconds may be {AGE_SECONDS_MAX} at most"));
    }
    Ok(Cors {
        origins,
        headers: entry.headers.iter().map(|name| name.to_ascii_lowercase()).collect(),
        credentials: entry.credentials,
        max_age_seconds: entry.max_age_seconds,
    })
}
