//! Where the live balance is and how it is reached: the same keys in every service.

use std::path::Path;

use figment::value::magic::RelativePathBuf;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::error::ConfigError;
use crate::files::named;
use crate::secret_url;

/// A PEM file is a few kilobytes, a bundle of a whole system's authorities a few hundred; what is larger is something else.
const FILE_BYTES_MAX: u64 = 4 << 20;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redis {
    #[serde(deserialize_with = "secret_url::redis")]
    url: SecretString,
    ca_file: RelativePathBuf,
    certificate_file: RelativePathBuf,
    key_file: RelativePathBuf,
    plaintext: bool,
}

/// The settings with the files that they name.
#[derive(Debug)]
pub struct RedisAccess {
    pub url: SecretString,
    /// Whose certificates are believed, as PEM; `None` = the public authorities.
    pub ca_pem: Option<Vec<u8>>,
    /// The certificate and key that we show, as PEM.
    pub identity_pem: Option<(Vec<u8>, SecretString)>,
    /// Whether another machine may be spoken to without TLS.
    pub plaintext: bool,
}

impl Redis {
    /// Reads the files.
    pub fn read(&self) -> Result<RedisAccess, ConfigError> {
        let (certificate, key) = (named(&self.certificate_file), named(&self.key_file));
        let identity_pem = match (certificate, key) {
            (None, None) => None,
            (Some(certificate), Some(key)) => Some((read(&certificate)?, read_secret(&key)?)),
            _ => {
                let why = "certificate_file and key_file are set together or not at all";
                return Err(ConfigError::about_key("redis", why));
            }
        };
        let ca_pem = named(&self.ca_file).as_deref().map(read).transpose()?;
        Ok(RedisAccess { url: self.url.clone(), ca_pem, identity_pem, plaintext: self.plaintext })
    }

    /// Whether both say the same.
    #[must_use]
    pub fn same_as(&self, other: &Self) -> bool {
        let files = |of: &Self| [&of.ca_file, &of.certificate_file, &of.key_file].map(named);
        self.url.expose_secret() == other.url.expose_secret()
            && files(self) == files(other)
            && self.plaintext == other.plaintext
    }
}

fn read(file: &Path) -> Result<Vec<u8>, ConfigError> {
    let bytes = std::fs::metadata(file).map_err(|error| ConfigError::in_file(file, error))?.len();
    if bytes > FILE_BYTES_MAX {
        return Err(ConfigError::in_file(file, format!("{bytes} bytes are too many for a PEM file")));
    }
    std::fs::read(file).map_err(|error| ConfigError::in_file(file, error))
}

fn read_secret(file: &Path) -> Result<SecretString, ConfigError> {
    // Without its cause, which may quote the file.
    let text = String::from_utf8(read(file)?).map_err(|_| ConfigError::in_file(file, "is not PEM"))?;
    Ok(SecretString::from(text))
}

#[cfg(test)]
mod tests {
    use crate::{Service, gateway, load};

    fn access(lines: &str) -> Result<super::RedisAccess, String> {
        let name = format!("{}-redis-{}.toml", std::process::id(), lines.len());
        let file = std::env::temp_dir().join(name);
        std::fs::write(&file, format!("[redis]\n{lines}\n")).unwrap();
        let settings = load::<gateway::Settings>(Service::Gateway, Some(&file));
        std::fs::remove_file(&file).unwrap();
        settings.and_then(|settings| settings.redis.read()).map_err(|error| error.to_string())
    }

    #[test]
    fn files_that_are_named_must_be_there_and_a_certificate_has_its_key() {
        let plain = access("").unwrap();
        assert!(plain.ca_pem.is_none() && plain.identity_pem.is_none() && !plain.plaintext);
        assert!(access("ca_file = \"absent.pem\"").unwrap_err().contains("absent.pem"));
        assert!(access("certificate_file = \"only.pem\"").unwrap_err().contains("together"));
        assert!(access("key_file = \"only.key\"").unwrap_err().contains("together"));
    }
}
