//! Where the live balance is, as the settings say.

use config::ConfigError;
use config::redis::Redis;
use metering::live::Place;
use secrecy::ExposeSecret;

/// Reads the files that the settings name, and refuses a place that can't be used.
pub fn place(settings: &Redis) -> Result<Place, ConfigError> {
    let access = settings.read()?;
    let mut place = Place::new(access.url.expose_secret()).with_ca(access.ca_pem).with_plaintext(access.plaintext);
    if let Some((certificate, key)) = access.identity_pem {
        place = place.with_identity(certificate, key.expose_secret());
    }
    place.check().map_err(|error| ConfigError::about_key("redis", error))?;
    Ok(place)
}
