//! The mail server: where it is, how the line to it is closed to others, and who we are to it.

use std::path::PathBuf;

use figment::value::magic::RelativePathBuf;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::address::is_loopback;
use crate::error::ConfigError;
use crate::files::named;

/// Far more than any password; longer is another file.
const PASSWORD_BYTES_MAX: usize = 1_000;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Smtp {
    pub host: String,
    pub port: u16,
    pub tls: Tls,
    ca_file: RelativePathBuf,
    pub user: String,
    password: SecretString,
    password_file: RelativePathBuf,
    pub dialogue_ms_max: u64,
    pub handover_ms_max: u64,
}

/// How the line to the mail server is closed to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// From the first byte.
    Tls,
    /// By STARTTLS, and not at all without it.
    Starttls,
    /// Open, on loopback alone.
    None,
}

impl Smtp {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let host_is_good = !self.host.is_empty()
            && self.host.len() <= 253
            && self.host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:".contains(&byte));
        if !host_is_good {
            return Err(ConfigError::about_key("smtp.host", "is the name or the address of a mail server"));
        }
        if self.tls == Tls::None && !is_loopback(&self.host) {
            let why = "is \"none\" for a server on loopback only: what mails say would go over an open line";
            return Err(ConfigError::about_key("smtp.tls", why));
        }
        if !self.password.expose_secret().is_empty() && self.password_file().is_some() {
            return Err(ConfigError::about_key("smtp.password_file", "stands beside smtp.password: give one of them"));
        }
        let has_password = !self.password.expose_secret().is_empty() || self.password_file().is_some();
        if self.user.is_empty() == has_password {
            return Err(ConfigError::about_key("smtp.user", "goes with a password, and a password with it"));
        }
        Ok(())
    }

    fn password_file(&self) -> Option<PathBuf> {
        named(&self.password_file)
    }

    /// The password, read where it stands; `None` where nobody signs in.
    pub fn read_password(&self) -> Result<Option<SecretString>, ConfigError> {
        if self.user.is_empty() {
            return Ok(None);
        }
        let Some(file) = self.password_file() else { return Ok(Some(self.password.clone())) };
        let text = std::fs::read_to_string(&file).map_err(|error| ConfigError::in_file(&file, error))?;
        let password = text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
        if password.is_empty() || password.len() > PASSWORD_BYTES_MAX || password.contains(['\n', '\0']) {
            return Err(ConfigError::in_file(&file, "holds one line, the password"));
        }
        Ok(Some(SecretString::from(password)))
    }

    /// The certificates that are believed beside the public ones, as PEM.
    pub fn read_authorities(&self) -> Result<Option<Vec<u8>>, ConfigError> {
        let Some(file) = named(&self.ca_file) else { return Ok(None) };
        std::fs::read(&file).map(Some).map_err(|error| ConfigError::in_file(&file, error))
    }
}

#[cfg(test)]
mod tests {
    use figment::Figment;
    use figment::providers::{Format, Toml};

    use super::*;

    const GOOD: &str = "host = \"mail.example\"\nport = 465\ntls = \"tls\"\nca_file = \"\"\nuser = \"ada\"\npassword = \"x\"\n\
                        password_file = \"\"\ndialogue_ms_max = 1\nhandover_ms_max = 1\n";

    fn read(text: &str) -> Result<Smtp, String> {
        let smtp: Smtp = Figment::from(Toml::string(text)).extract().map_err(|error| error.to_string())?;
        smtp.check().map_err(|error| error.to_string())?;
        Ok(smtp)
    }

    fn with(from: &str, to: &str) -> Result<Smtp, String> {
        assert!(GOOD.contains(from), "{from}");
        read(&GOOD.replace(from, to))
    }

    #[test]
    fn an_open_line_goes_to_loopback_only() {
        for host in ["mail.example", "10.0.0.1", "0.0.0.0", "localhost.example", "127.0.0.1.example", "::2"] {
            let open = GOOD.replace("mail.example", host).replace("\"tls\"", "\"none\"");
            assert!(read(&open).expect_err(host).contains("smtp.tls"), "{host}");
        }
        for host in ["localhost", "127.0.0.1", "127.8.8.8", "::1"] {
            assert!(read(&GOOD.replace("mail.example", host).replace("\"tls\"", "\"none\"")).is_ok(), "{host}");
        }
        assert_eq!(with("\"tls\"", "\"starttls\"").unwrap().tls, Tls::Starttls);
        assert!(with("\"tls\"", "\"opportunistic\"").is_err());
    }

    #[test]
    fn a_server_has_a_name() {
        for host in ["", "a b", "user@mail.example", "mail.example/x", "mail\\r\\nx"] {
            assert!(with("mail.example", host).expect_err(host).contains("smtp.host"), "{host}");
        }
    }

    #[test]
    fn a_user_and_a_password_go_together_and_there_is_one_password() {
        assert!(with("password = \"x\"", "password = \"\"").unwrap_err().contains("smtp.user"));
        assert!(with("user = \"ada\"", "user = \"\"").unwrap_err().contains("smtp.user"));
        assert!(with("password_file = \"\"", "password_file = \"p\"").unwrap_err().contains("smtp.password_file"));
        let nobody = read(&GOOD.replace("\"ada\"", "\"\"").replace("\"x\"", "\"\"")).unwrap();
        assert!(nobody.read_password().unwrap().is_none());
    }

    #[test]
    fn a_password_of_a_file_is_its_line_and_is_never_shown() {
        let file = std::env::temp_dir().join(format!("{}-smtp-password", std::process::id()));
        let text = GOOD
            .replace("\"x\"", "\"\"")
            .replace("password_file = \"\"", &format!("password_file = \"{}\"", file.display()));
        for (written, taken) in
            [("s3 cret\n", Some("s3 cret")), ("s\r\n", Some("s")), ("", None), ("\n", None), ("s\nt\n", None)]
        {
            std::fs::write(&file, written).unwrap();
            let read = read(&text).unwrap().read_password();
            assert_eq!(read.as_ref().ok().map(|found| found.as_ref().unwrap().expose_secret()), taken, "{written:?}");
            assert!(read.err().is_none_or(|error| !error.to_string().contains("s\nt")));
        }
        std::fs::remove_file(&file).unwrap();
        assert!(read(&text).unwrap().read_password().unwrap_err().to_string().contains("smtp-password"));
        assert!(!format!("{:?}", read(GOOD).unwrap()).contains("\"x\""));
    }
}
