//! Faults on order: what goes wrong with the next commands.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

const FAULTS_MAX: usize = 100;

/// The moment of a conversation at which something can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum At {
    /// Before the greeting.
    Connect,
    Mail,
    Rcpt,
    /// Before the text.
    Data,
    /// After the text.
    End,
}

/// An order: `{"at":"rcpt","reply":"550 5.1.1 no such user","to":"eve@example.com","times":2}`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    pub at: At,
    /// What is answered instead.
    #[serde(default)]
    pub reply: Option<String>,
    /// The connection ends without an answer. At the end of a text the mail is kept all the same, unless `lose` says otherwise.
    #[serde(default)]
    pub hang_up: bool,
    /// With `hang_up` at the end: the mail is not kept.
    #[serde(default)]
    pub lose: bool,
    /// How long the answer is waited for.
    #[serde(default)]
    pub wait_ms: u64,
    /// With `rcpt`: this address only.
    #[serde(default)]
    pub to: Option<String>,
    /// How often; nothing = until it is taken back.
    #[serde(default)]
    pub times: Option<u64>,
}

#[derive(Default)]
pub struct Faults(Mutex<Vec<Fault>>);

impl Faults {
    pub fn order(&self, fault: Fault) -> Result<(), String> {
        if let Some(reply) = &fault.reply
            && code_of(reply).is_none()
        {
            return Err("a reply is a code from 400 to 599 and a text".to_owned());
        }
        if fault.reply.is_none() && !fault.hang_up && fault.wait_ms == 0 {
            return Err("a fault has a reply, hangs up or waits".to_owned());
        }
        let mut faults = self.lock();
        if faults.len() >= FAULTS_MAX {
            return Err(format!("more than {FAULTS_MAX} faults are ordered"));
        }
        faults.push(fault);
        Ok(())
    }

    pub fn list(&self) -> Vec<Fault> {
        self.lock().clone()
    }

    pub fn clear(&self) {
        self.lock().clear();
    }

    /// The oldest order for this moment, taken once.
    pub fn take(&self, at: At, to: Option<&str>) -> Option<Fault> {
        let mut faults = self.lock();
        let meant = |fault: &Fault| fault.at == at && (fault.to.is_none() || fault.to.as_deref() == to);
        let found = faults.iter().position(meant)?;
        let fault = faults.get(found)?.clone();
        match faults.get_mut(found)?.times.as_mut() {
            Some(times) if *times <= 1 => _ = faults.remove(found),
            Some(times) => *times -= 1,
            None => {}
        }
        Some(fault)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Fault>> {
        // Each change is one push or one removal: sound after a panic, too.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The code that a reply begins with.
pub fn code_of(reply: &str) -> Option<u16> {
    let code: u16 = reply.get(..3)?.parse().ok()?;
    let sound = (400..600).contains(&code) && !reply.contains(['\r', '\n']);
    sound.then_some(code)
}
