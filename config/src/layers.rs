//! The three layers of settings: compiled-in defaults, the operator's file, variables.

use std::path::Path;

use figment::providers::{Env, Format, Toml};
use figment::{Figment, error::Kind};
use serde::de::DeserializeOwned;

use crate::error::ConfigError;
use crate::lines::{line_at, line_of};

/// The programs that take settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    Console,
    Gateway,
    LedgerSync,
    Notices,
    /// The operators' command.
    Tollgate,
    Webhook,
}

impl Service {
    /// Every key of the service with its default and a comment: the documentation that can't drift.
    #[must_use]
    pub fn defaults(self) -> &'static str {
        match self {
            Self::Console => include_str!("../console.toml"),
            Self::Gateway => include_str!("../gateway.toml"),
            Self::LedgerSync => include_str!("../ledger-sync.toml"),
            Self::Notices => include_str!("../notices.toml"),
            Self::Tollgate => include_str!("../tollgate.toml"),
            Self::Webhook => include_str!("../webhook.toml"),
        }
    }

    /// What the service's variables start with; `__` stands for the dot of a nested key.
    #[must_use]
    pub fn variable_prefix(self) -> &'static str {
        match self {
            Self::Console => "TOLLGATE_CONSOLE_",
            Self::Gateway => "TOLLGATE_GATEWAY_",
            Self::LedgerSync => "TOLLGATE_LEDGER_SYNC_",
            Self::Notices => "TOLLGATE_NOTICES_",
            Self::Tollgate => "TOLLGATE_CTL_",
            Self::Webhook => "TOLLGATE_WEBHOOK_",
        }
    }
}

/// Lays the operator's file and the variables over the defaults. A later layer wins key by key.
pub fn load<T: DeserializeOwned>(service: Service, file: Option<&Path>) -> Result<T, ConfigError> {
    let mut layers = Figment::from(Toml::string(service.defaults()));
    let mut text = String::new();
    if let Some(file) = file {
        text = std::fs::read_to_string(file).map_err(|error| ConfigError::in_file(file, error))?;
        parse(file, &text)?;
        layers = layers.merge(Toml::file_exact(file));
    }
    layers
        .merge(Env::prefixed(service.variable_prefix()).split("__"))
        .extract()
        .map_err(|error| place(service, file.map(|file| (file, text.as_str())), &error))
}

/// Reads the file as TOML once by itself, because only this parser tells the line of a syntax error.
fn parse(file: &Path, text: &str) -> Result<(), ConfigError> {
    toml::de::DeTable::parse(text).map(drop).map_err(|error| {
        let line = line_at(text, error.span().map_or(0, |span| span.start));
        ConfigError::at_line(&file.display().to_string(), line, error.message())
    })
}

/// Names where the faulty value came from: the file's line where the file holds the key, else the variable.
fn place(service: Service, file: Option<(&Path, &str)>, error: &figment::Error) -> ConfigError {
    let key = error.path.join(".");
    let what = match &error.kind {
        Kind::UnknownField(_, known) => format!("unknown key `{key}` (known here: {})", known.join(", ")),
        kind if key.is_empty() => kind.to_string(),
        kind => format!("key `{key}`: {kind}"),
    };
    let from_variable = error.metadata.as_ref().is_some_and(|source| source.name.contains("environment"));
    let in_file = || file.and_then(|(file, text)| Some((file, line_of(text, &error.path)?)));
    if let (false, Some((file, line))) = (from_variable, in_file()) {
        return ConfigError::at_line(&file.display().to_string(), line, what);
    }
    let name = format!("{}{}", service.variable_prefix(), error.path.join("__").to_uppercase());
    ConfigError::in_variable(&name, what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{console, gateway, ledger_sync, notices, tollgate, webhook};

    fn refused(name: &str, text: &str) -> String {
        let file = std::env::temp_dir().join(format!("{}-{name}", std::process::id()));
        std::fs::write(&file, text).unwrap();
        let error = load::<gateway::Settings>(Service::Gateway, Some(&file)).expect_err("must be refused").to_string();
        std::fs::remove_file(&file).unwrap();
        error.split_once(name).expect("names the file").1.to_owned()
    }

    #[test]
    fn the_defaults_of_each_service_hold_every_key_it_knows() {
        load::<console::Settings>(Service::Console, None).unwrap();
        load::<gateway::Settings>(Service::Gateway, None).unwrap();
        load::<ledger_sync::Settings>(Service::LedgerSync, None).unwrap();
        load::<notices::Settings>(Service::Notices, None).unwrap().check().unwrap();
        load::<tollgate::Settings>(Service::Tollgate, None).unwrap();
        load::<webhook::Settings>(Service::Webhook, None).unwrap().check().unwrap();
    }

    #[test]
    fn a_wrong_key_or_value_is_refused_with_file_and_line() {
        assert!(
            refused("unknown.toml", "threads = 1\n[redis]\nurll = \"x\"\n").starts_with(":3: unknown key `redis.urll`")
        );
        assert!(refused("type.toml", "\nthreads = \"many\"\n").starts_with(":2: key `threads`: invalid type"));
        assert!(refused("syntax.toml", "threads = 1\nlisten = \n").starts_with(":2: "));
        assert!(refused("listen.toml", "listen = \"nowhere\"\n").starts_with(":1: key `listen`"));
        assert!(refused("upstream.toml", "[upstreams]\na = \"ftp://x\"\n").starts_with(":2: key `upstreams.a`"));
    }

    #[test]
    fn a_missing_file_is_refused_by_name() {
        let error = load::<gateway::Settings>(Service::Gateway, Some(Path::new("/absent.toml"))).unwrap_err();
        assert!(error.to_string().starts_with("/absent.toml: "), "{error}");
    }
}
