//! What the settings stand for, checked before anything is opened: the secrets, the plans, Stripe itself.

use config::ConfigError;
use config::stripe::Mode;
use config::webhook::Settings;
use ledger::stripe::BODY_BYTES_MAX;
use payments::{Plans, Secrets, Stripe};

use crate::mail::Proof;

/// Everything that deliveries are judged and read by.
pub struct Parts {
    /// What deliveries are signed with.
    pub secrets: Secrets,
    /// What can be bought.
    pub plans: Plans,
    /// Where objects are fetched, and what is reconciled with; `None` without an API key.
    pub stripe: Option<Stripe>,
    /// What mail providers prove themselves by; `None` where nothing is taken of them.
    pub mail: Option<Proof>,
    /// Whether the object of a delivery is fetched before it is believed.
    refetch: bool,
    mode: Mode,
}

impl Parts {
    /// Makes them, or says which setting is wrong.
    pub fn of(settings: &Settings) -> Result<Self, ConfigError> {
        settings.check()?;
        if settings.limits.body_bytes_max > BODY_BYTES_MAX {
            let why = format!("must be {BODY_BYTES_MAX} or less: the book keeps no more of a delivery");
            return Err(ConfigError::about_key("limits.body_bytes_max", why));
        }
        let stripe = &settings.stripe;
        let secrets = Secrets::new(&stripe.webhook_secrets)
            .map_err(|why| ConfigError::about_key("stripe.webhook_secrets", why))?;
        if stripe.refetch && stripe.api_key.is_none() {
            return Err(ConfigError::about_key("stripe.refetch", "needs stripe.api_key"));
        }
        Ok(Self {
            secrets,
            plans: Plans::read(stripe)?,
            stripe: Stripe::new(stripe).map_err(|why| ConfigError::about_key("stripe.api_url", why))?,
            mail: Proof::of(&settings.mail)?,
            refetch: stripe.refetch,
            mode: stripe.mode,
        })
    }

    /// Whom to ask before a delivery is believed; nobody where that is off.
    pub fn refetched_from(&self) -> Option<&Stripe> {
        self.stripe.as_ref().filter(|_| self.refetch)
    }

    /// Whether what is paid is real money.
    pub fn is_live(&self) -> bool {
        self.mode.is_live()
    }

    /// `test` or `live`.
    pub fn mode_name(&self) -> &'static str {
        self.mode.as_str()
    }
}
