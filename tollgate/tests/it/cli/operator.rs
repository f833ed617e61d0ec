//! An operator at a terminal: runs `tollgate`, reads its JSON and its exit code.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use uuid::Uuid;

use crate::stack::Stack;

/// What the command said.
#[derive(Debug)]
#[expect(dead_code, reason = "standard error is shown when a test fails")]
pub struct Said {
    pub exit: u8,
    /// Of standard output, or of standard error where it failed; null where that is no JSON.
    pub json: Value,
    stderr: String,
}

impl Said {
    pub fn text(&self, field: &str) -> String {
        self.json[field].as_str().unwrap_or_else(|| panic!("no {field} in {self:?}")).to_owned()
    }
}

#[derive(Clone)]
pub struct Operator {
    program: PathBuf,
    settings: PathBuf,
}

impl Operator {
    pub fn of(stack: &Stack) -> Self {
        Self::with_settings(stack, &settings(&stack.redis.url(), &stack.book.url))
    }

    /// At a machine from which Redis can't be reached.
    pub fn without_redis(stack: &Stack) -> Self {
        Self::with_settings(stack, &settings("redis://127.0.0.1:1", &stack.book.url))
    }

    /// At a machine that has the key of the stack's pretend Stripe.
    pub fn selling(stack: &Stack, more: &str) -> Self {
        let settings = settings(&stack.redis.url(), &stack.book.url);
        Self::with_settings(stack, &format!("{}{more}\n{settings}", stack.stripe().settings()))
    }

    pub fn with_settings(stack: &Stack, toml: &str) -> Self {
        let settings = stack.directory.path().join(format!("tollgate-{}.toml", Uuid::now_v7().simple()));
        fs::write(&settings, toml).unwrap();
        Self { program: PathBuf::from(env!("CARGO_BIN_EXE_tollgate")), settings }
    }

    /// Asks for something that must succeed.
    pub fn asks(&self, arguments: &[&str]) -> Said {
        let said = self.tries(arguments);
        assert_eq!(said.exit, 0, "{arguments:?}: {said:?}");
        said
    }

    pub fn tries(&self, arguments: &[&str]) -> Said {
        let output = Command::new(&self.program)
            .arg("--config")
            .arg(&self.settings)
            .arg("--json")
            .args(arguments)
            .env_clear()
            .output()
            .unwrap();
        let exit = output.status.code().and_then(|code| u8::try_from(code).ok()).unwrap();
        let spoken = if output.stdout.is_empty() { &output.stderr } else { &output.stdout };
        let json = serde_json::from_slice(spoken).unwrap_or(Value::Null);
        Said { exit, json, stderr: String::from_utf8_lossy(&output.stderr).into_owned() }
    }

    /// Asks for something that must be refused, with this exit code and this stable code.
    pub fn is_refused(&self, arguments: &[&str], exit: u8, code: &str) -> Said {
        let said = self.tries(arguments);
        assert_eq!((said.exit, said.json["error"]["code"].as_str()), (exit, Some(code)), "{arguments:?}: {said:?}");
        said
    }

    /// The same, while the test goes on.
    pub async fn tries_in_background(&self, arguments: &'static [&'static str]) -> Said {
        let operator = self.clone();
        tokio::task::spawn_blocking(move || operator.tries(arguments)).await.unwrap()
    }
}

fn settings(redis: &str, postgres: &str) -> String {
    format!("[redis]\nurl = \"{redis}\"\n[postgres]\nurl = \"{postgres}\"\n")
}
