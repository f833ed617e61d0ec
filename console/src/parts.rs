//! What the settings stand for, checked before anything is opened: sessions, live state, plans, Stripe.

use config::ConfigError;
use config::console::Settings;
use config::sessions::SessionRules;
use metering::live::Place;
use payments::{Plans, Stripe};
use sessions::KeySource;

/// Everything that pages and answers are made by.
pub struct Parts {
    /// What a session must say.
    pub rules: SessionRules,
    /// What sessions are signed with.
    pub keys: KeySource,
    /// Where live state is.
    pub redis: Place,
    /// What can be bought.
    pub plans: Plans,
    /// Where it is bought; `None` without an API key.
    pub stripe: Option<Stripe>,
}

impl Parts {
    /// Makes them, or says which setting is wrong.
    pub fn of(settings: &Settings) -> Result<Self, ConfigError> {
        let rules = settings.check()?;
        let keys = KeySource::open(&rules.keys, rules.algorithm, crate::service::unwatched())
            .map_err(|error| ConfigError::about_key("sessions.jwks_file", format!("{error:#}")))?;
        let stripe = &settings.stripe;
        Ok(Self {
            rules,
            keys,
            redis: frame::live_balance::place(&settings.redis)?,
            plans: Plans::read(stripe)?,
            stripe: Stripe::new(stripe).map_err(|why| ConfigError::about_key("stripe.api_url", why))?,
        })
    }
}
