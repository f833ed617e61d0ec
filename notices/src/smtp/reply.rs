//! What the mail server answers, and what it means where it is no.

use std::error::Error as _;

use frame::chain;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::response::Response;

/// Ids of servers that keep them have at least this many letters; `queued` and `message` have fewer.
const ID_CHARS_MIN: usize = 16;
const ID_CHARS_MAX: usize = 200;

/// An answer: a code of three digits and a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub code: u16,
    /// All its lines, in one.
    pub text: String,
}

/// What stops a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// The server says no, for now (4xx) or for good (5xx).
    Refused(Reply),
    /// No answer came: the connection, TLS, or the time.
    Broken(String),
    /// The server can't do what it takes.
    Unable(String),
}

impl Reply {
    pub fn of(answer: &Response) -> Self {
        let lines: Vec<&str> = answer.message().collect();
        Self { code: u16::from(answer.code()), text: lines.join(" ") }
    }

    /// As it is kept for people.
    pub fn whole(&self) -> String {
        format!("{} {}", self.code, self.text).trim_end().to_owned()
    }

    /// The code alone, with the three numbers behind it where there are any (RFC 3463): `550 5.1.1`. Nothing of it is anybody's.
    pub fn codes(&self) -> String {
        match self.enhanced() {
            Some((class, subject, detail)) => format!("{} {class}.{subject}.{detail}", self.code),
            None => self.code.to_string(),
        }
    }

    pub fn is_for_now(&self) -> bool {
        (400..500).contains(&self.code)
    }

    /// Whether it says that there is no such address: 5.1.x, but for what is about the sender's.
    pub fn says_no_such_address(&self) -> bool {
        matches!(self.enhanced(), Some((5, 1, detail)) if !matches!(detail, 7..=9))
    }

    fn enhanced(&self) -> Option<(u16, u16, u16)> {
        let mut numbers = self.text.split_whitespace().next()?.split('.').map(str::parse);
        match (numbers.next()?, numbers.next()?, numbers.next()?, numbers.next()) {
            (Ok(class @ 2..=5), Ok(subject), Ok(detail), None) => Some((class, subject, detail)),
            _ => None,
        }
    }

    /// The id that the server gave the mail when it took it, where it names one: providers tell of it later by that.
    pub fn id(&self) -> Option<String> {
        let of_an_id = |letter: char| letter.is_ascii_alphanumeric() || "-._@+=".contains(letter);
        let bare = |word: &str| word.trim_matches(|letter: char| "<>()[];,.".contains(letter)).to_owned();
        let mut words = self.text.split_whitespace().map(|word| bare(word.strip_prefix("id=").unwrap_or(word)));
        words.find(|word| {
            (ID_CHARS_MIN..=ID_CHARS_MAX).contains(&word.len())
                && word.chars().all(of_an_id)
                && word.contains(|letter: char| letter.is_ascii_digit())
        })
    }
}

impl Trouble {
    pub fn of(error: &Error) -> Self {
        match error.status() {
            Some(code) => {
                let text = error.source().map(ToString::to_string).unwrap_or_default();
                let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
                Self::Refused(Reply { code: u16::from(code), text })
            }
            None if error.is_client() => Self::Unable(chain(error)),
            None => Self::Broken(chain(error)),
        }
    }

    pub fn late(what: &str) -> Self {
        Self::Broken(what.to_owned())
    }

    /// A stable word for metrics and evidence.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(reply) if reply.is_for_now() => "server_says_later",
            Self::Refused(_) => "server_refuses",
            Self::Broken(_) => "no_answer",
            Self::Unable(_) => "server_unable",
        }
    }

    /// In words, for the book.
    pub fn words(&self) -> String {
        match self {
            Self::Refused(reply) => reply.whole(),
            Self::Broken(why) | Self::Unable(why) => why.clone(),
        }
    }

    /// In words, for the log: a refusal may quote an address.
    pub fn words_for_log(&self) -> String {
        match self {
            Self::Refused(reply) => reply.codes(),
            Self::Broken(why) | Self::Unable(why) => why.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(code: u16, text: &str) -> Reply {
        Reply { code, text: text.to_owned() }
    }

    #[test]
    fn only_a_reply_about_the_address_itself_says_that_there_is_none() {
        for text in ["5.1.1 no such user", "5.1.10 null MX", "5.1.2 no such host", "5.1.0 bad"] {
            assert!(reply(550, text).says_no_such_address(), "{text}");
        }
        for text in [
            "5.7.1 relay denied",
            "5.1.8 bad sender",
            "no such user",
            "",
            "4.1.1 later",
            "5.1.1.1 x",
            "5.1 x",
            "5.2.2 full",
        ] {
            assert!(!reply(550, text).says_no_such_address(), "{text}");
        }
    }

    #[test]
    fn the_log_gets_the_codes_and_nothing_that_is_quoted() {
        assert_eq!(reply(550, "5.1.1 <ada@example.com>: no such user").codes(), "550 5.1.1");
        assert_eq!(reply(550, "<ada@example.com>: no such user").codes(), "550");
        let refused = Trouble::Refused(reply(451, "4.7.1 ada@example.com greylisted"));
        assert_eq!((refused.code(), refused.words_for_log().as_str()), ("server_says_later", "451 4.7.1"));
    }

    #[test]
    fn the_id_that_a_provider_names_is_found() {
        for (text, id) in [
            (
                "Ok 0100018c1a2b3c4d-5e6f7a8b-1234-5678-9abc-def012345678-000000",
                Some("0100018c1a2b3c4d-5e6f7a8b-1234-5678-9abc-def012345678-000000"),
            ),
            (
                "2.0.0 OK 1764115200 5614622812f47-6ee63e8f2b1si1234567a12.345 - gsmtp",
                Some("5614622812f47-6ee63e8f2b1si1234567a12.345"),
            ),
            ("2.6.0 <a1b2c3d4e5f6a7b8@mail.example> Queued mail for delivery", Some("a1b2c3d4e5f6a7b8@mail.example")),
            ("OK id=1rABCd-0001Xy-2Z-abc", Some("1rABCd-0001Xy-2Z-abc")),
            ("2.0.0 Ok: queued as 4F2A19C0", None),
            ("thank-you-very-much-indeed", None),
            ("", None),
        ] {
            assert_eq!(reply(250, text).id().as_deref(), id, "{text}");
        }
    }
}
