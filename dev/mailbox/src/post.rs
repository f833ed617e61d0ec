//! What is decided about each command: the protocol itself is mailin's.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mailin::response::{AUTH_OK, INVALID_CREDENTIALS, NO_STORAGE, OK};
use mailin::{Handler, Response};

use crate::Stage;
use crate::faults::{At, Fault, code_of};
use crate::mails::MAIL_BYTES_MAX;

/// How the answer to a command goes wrong on the line.
#[derive(Clone, Copy, Default)]
pub struct Trouble {
    pub wait: Duration,
    pub hang_up: bool,
}

/// Handed from what decides to what writes the answer.
#[derive(Clone, Default)]
pub struct Troubles(Arc<Mutex<Trouble>>);

impl Troubles {
    /// The latest, once.
    pub fn take(&self) -> Trouble {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn meet(&self, fault: &Fault) {
        let trouble = Trouble { wait: Duration::from_millis(fault.wait_ms), hang_up: fault.hang_up };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }
}

/// One conversation.
pub struct Post {
    pub stage: Arc<Stage>,
    pub troubles: Troubles,
    pub encrypted: bool,
    from: String,
    to: Vec<String>,
    raw: Vec<u8>,
    is_too_large: bool,
}

impl Post {
    pub fn new(stage: Arc<Stage>, troubles: Troubles, encrypted: bool) -> Self {
        Self { stage, troubles, encrypted, from: String::new(), to: Vec::new(), raw: Vec::new(), is_too_large: false }
    }

    /// What an order says about this moment; `None` = nothing goes wrong with what is said.
    fn fault(&self, at: At, to: Option<&str>) -> Option<(Fault, Option<Response>)> {
        let fault = self.stage.faults.take(at, to)?;
        self.troubles.meet(&fault);
        let answer = fault.reply.as_deref().and_then(|reply| {
            let text = reply.get(3..).unwrap_or_default().trim().to_owned();
            code_of(reply).map(|code| Response::custom(code, text))
        });
        Some((fault, answer))
    }

    fn answer(&self, at: At, to: Option<&str>) -> Response {
        self.fault(at, to).and_then(|(_, answer)| answer).unwrap_or(OK)
    }

    fn knows(&self, name: &str, password: &str) -> Response {
        let known = self.stage.user.as_ref().is_some_and(|(user, word)| user == name && word == password);
        if known { AUTH_OK } else { INVALID_CREDENTIALS }
    }
}

impl Handler for Post {
    fn mail(&mut self, _ip: IpAddr, _domain: &str, _from: &str) -> Response {
        self.answer(At::Mail, None)
    }

    fn rcpt(&mut self, to: &str) -> Response {
        self.answer(At::Rcpt, Some(to))
    }

    fn data_start(&mut self, _domain: &str, from: &str, _is8bit: bool, to: &[String]) -> Response {
        (self.from, self.to) = (from.to_owned(), to.to_vec());
        (self.raw, self.is_too_large) = (Vec::new(), false);
        self.answer(At::Data, None)
    }

    fn data(&mut self, line: &[u8]) -> std::io::Result<()> {
        self.is_too_large |= self.raw.len() + line.len() > MAIL_BYTES_MAX;
        if !self.is_too_large {
            self.raw.extend_from_slice(line);
        }
        Ok(())
    }

    fn data_end(&mut self) -> Response {
        let raw = std::mem::take(&mut self.raw);
        let ordered = self.fault(At::End, None);
        if let Some((fault, answer)) = &ordered
            && (answer.is_some() || fault.lose)
        {
            return answer.clone().unwrap_or(OK);
        }
        if self.is_too_large {
            return NO_STORAGE;
        }
        let number =
            self.stage.mails.keep(std::mem::take(&mut self.from), std::mem::take(&mut self.to), self.encrypted, raw);
        Response::custom(250, format!("2.0.0 Ok: kept as pretend-mailbox-{number:08}"))
    }

    fn auth_plain(&mut self, _on_behalf: &str, name: &str, password: &str) -> Response {
        self.knows(name, password)
    }

    fn auth_login(&mut self, name: &str, password: &str) -> Response {
        self.knows(name, password)
    }
}
