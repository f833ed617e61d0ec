//! Reading what scripts return: flat lists of texts.

use redis::{ErrorKind, RedisError, Value};

use super::MeterError;
use crate::{Credits, TimeMs};

/// The fields of one answer, taken from front to back.
pub(super) struct Reply(std::vec::IntoIter<Value>);

impl Reply {
    /// Opens a list; anything else was not written by our scripts.
    pub(super) fn open(value: Value) -> Result<Self, MeterError> {
        match value {
            Value::Array(values) => Ok(Self(values.into_iter())),
            Value::ServerError(error) => Err(MeterError::from_redis(error.into())),
            _ => Err(odd("a list")),
        }
    }

    /// The next field as text.
    pub(super) fn text(&mut self) -> Result<String, MeterError> {
        match self.0.next() {
            Some(Value::BulkString(bytes)) => String::from_utf8(bytes).map_err(|_| odd("text")),
            Some(Value::SimpleString(text)) => Ok(text),
            _ => Err(odd("text")),
        }
    }

    /// The next field as a whole number.
    pub(super) fn credits(&mut self) -> Result<Credits, MeterError> {
        self.text()?.parse().map_err(|_| odd("a whole number"))
    }

    /// The next field as a count.
    pub(super) fn number(&mut self) -> Result<u64, MeterError> {
        self.credits().map(Credits::get)
    }

    /// The next field as a time.
    pub(super) fn time(&mut self) -> Result<TimeMs, MeterError> {
        self.number().map(TimeMs::new)
    }

    /// Whether fields are left.
    pub(super) fn more(&self) -> bool {
        self.0.len() > 0
    }
}

/// An answer that our scripts do not give. What it stands for may have been written.
pub(super) fn odd(expected: &'static str) -> MeterError {
    MeterError::Unknown(RedisError::from((
        ErrorKind::UnexpectedReturnType,
        "the answer of a script is not",
        expected.to_owned(),
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    #[test]
    fn an_answer_is_read_field_by_field_to_its_end() {
        let mut reply = Reply::open(Value::Array(vec![text("drawn"), text("7"), text("5"), text("9")])).unwrap();
        assert_eq!(reply.text().unwrap(), "drawn");
        assert_eq!((reply.credits().unwrap().get(), reply.number().unwrap()), (7, 5));
        assert!(reply.more());
        assert_eq!(reply.time().unwrap(), TimeMs::new(9));
        assert!(!reply.more());
        assert!(matches!(reply.text(), Err(MeterError::Unknown(_))));
    }

    #[test]
    fn what_our_scripts_do_not_say_is_an_unknown_outcome() {
        assert!(matches!(Reply::open(Value::Nil), Err(MeterError::Unknown(_))));
        let opened = |field| Reply::open(Value::Array(vec![field])).unwrap();
        assert!(matches!(opened(Value::Int(7)).text(), Err(MeterError::Unknown(_))));
        assert_eq!(opened(Value::SimpleString("OK".to_owned())).text().unwrap(), "OK", "a status is a text");
        assert!(matches!(opened(Value::BulkString(vec![0xff])).text(), Err(MeterError::Unknown(_))));
        for odd in ["", "-1", "seven", "9007199254740992", "1.5"] {
            assert!(matches!(opened(text(odd)).credits(), Err(MeterError::Unknown(_))), "{odd}");
        }
    }
}
