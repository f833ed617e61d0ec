//! The conversation with the mail server, step by step, each with a deadline.
//!
//! lettre's own `send` goes from the sender's address to the text in one go. Between the addresses and the text the book must have it that the
//! mail is being handed over, so the steps are taken one by one, by its `AsyncSmtpConnection`.

mod reply;

use std::time::Duration;

use config::ConfigError;
use config::notices::{Smtp as Settings, Tls};
use lettre::Address;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use lettre::transport::smtp::response::Response;
use secrecy::ExposeSecret;
use tokio::time::{Instant, timeout, timeout_at};

pub use reply::{Reply, Trouble};

/// A server that has taken its last mail need not be waited for.
const QUIT_WAIT: Duration = Duration::from_secs(2);

/// The mail server, and who we are to it.
pub struct Smtp {
    host: String,
    port: u16,
    tls: Tls,
    parameters: Option<TlsParameters>,
    credentials: Option<Credentials>,
    hello: ClientId,
    dialogue: Duration,
    handover: Duration,
}

/// A conversation that has got as far as its last step says.
pub struct Conversation {
    connection: AsyncSmtpConnection,
    /// When everything before the text must be done.
    deadline: Instant,
    handover: Duration,
}

impl Smtp {
    /// Reads the password and the certificates; `domain` is the name this program gives itself.
    pub fn of(settings: &Settings, domain: &str) -> Result<Self, ConfigError> {
        let password = settings.read_password()?;
        let credentials =
            password.map(|password| Credentials::new(settings.user.clone(), password.expose_secret().to_owned()));
        let mut tls = TlsParameters::builder(settings.host.clone());
        if let Some(pem) = settings.read_authorities()? {
            let refused = || ConfigError::about_key("smtp.ca_file", "holds no PEM certificate that can be read");
            let certificate = Certificate::from_pem(&pem).map_err(|_| refused())?;
            tls = tls.add_root_certificate(certificate);
        }
        let parameters = match settings.tls {
            Tls::None => None,
            Tls::Tls | Tls::Starttls => Some(tls.build().map_err(|error| ConfigError::about_key("smtp.tls", error))?),
        };
        Ok(Self {
            host: settings.host.clone(),
            port: settings.port,
            tls: settings.tls,
            parameters,
            credentials,
            hello: ClientId::Domain(domain.to_owned()),
            dialogue: Duration::from_millis(settings.dialogue_ms_max),
            handover: Duration::from_millis(settings.handover_ms_max),
        })
    }

    /// Where it is, for people.
    pub fn place(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// How long the server may take for the text and its answer.
    pub fn handover(&self) -> Duration {
        self.handover
    }

    /// Connects, closes the line to others, and says who we are.
    pub async fn open(&self) -> Result<Conversation, Trouble> {
        let deadline = Instant::now() + self.dialogue;
        let opened = timeout_at(deadline, self.connect()).await;
        let connection = opened.map_err(|_| Trouble::late("it took too long to connect"))??;
        Ok(Conversation { connection, deadline, handover: self.handover })
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Trouble> {
        let place = (self.host.as_str(), self.port);
        let (from_the_start, later) = match self.tls {
            Tls::Tls => (self.parameters.clone(), None),
            Tls::Starttls => (None, self.parameters.clone()),
            Tls::None => (None, None),
        };
        let connected = AsyncSmtpConnection::connect_tokio1(place, None, &self.hello, from_the_start, None).await;
        let mut connection = connected.map_err(|error| Trouble::of(&error))?;
        if let Some(parameters) = later {
            // Refused where the server does not offer it: what follows is not for an open line.
            connection.starttls(parameters, &self.hello).await.map_err(|error| Trouble::of(&error))?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await.map_err(|error| Trouble::of(&error))?;
        }
        Ok(connection)
    }
}

impl Conversation {
    /// Who it is from. Addresses with other letters than those of ASCII need a server that knows them.
    pub async fn from(&mut self, from: &Address, to: &[Address]) -> Result<(), Trouble> {
        let mut parameters = Vec::new();
        if to.iter().any(|address| !is_ascii(address)) {
            if !self.connection.server_info().supports_feature(Extension::SmtpUtfEight) {
                return Err(Trouble::Unable("the mail server takes only addresses of ASCII letters".to_owned()));
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        let command = self.connection.command(Mail::new(Some(from.clone()), parameters));
        timed(self.deadline, command).await.map(drop)
    }

    /// Whom it is for.
    pub async fn to(&mut self, address: &Address) -> Result<(), Trouble> {
        timed(self.deadline, self.connection.command(Rcpt::new(address.clone(), vec![]))).await.map(drop)
    }

    /// That the text follows. Where this fails the server has nothing of it.
    pub async fn begin_text(&mut self) -> Result<(), Trouble> {
        timed(Instant::now() + self.handover, self.connection.command(Data)).await.map(drop)
    }

    /// The text. Where no answer comes, nobody knows whether the server has it.
    pub async fn text(&mut self, message: &[u8]) -> Result<Reply, Trouble> {
        let answer = timed(Instant::now() + self.handover, self.connection.message(message)).await?;
        Ok(Reply::of(&answer))
    }

    /// Takes leave; the server may have gone already.
    pub async fn quit(mut self) {
        let _ = timeout(QUIT_WAIT, self.connection.quit()).await;
    }
}

async fn timed(deadline: Instant, command: impl Future<Output = Result<Response, Error>>) -> Result<Response, Trouble> {
    match timeout_at(deadline, command).await {
        Ok(answer) => answer.map_err(|error| Trouble::of(&error)),
        Err(_) => Err(Trouble::late("no answer came in time")),
    }
}

/// Whether servers that know no other letters can take it.
pub fn is_ascii(address: &Address) -> bool {
    address.user().is_ascii() && address.domain().is_ascii()
}
