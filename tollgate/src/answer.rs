//! What a command answers: JSON for programs, text for people.

use serde_json::{Value, json};

#[derive(Debug)]
pub struct Answer {
    pub json: Value,
    pub text: String,
    pub exit: u8,
}

impl Answer {
    pub fn new(json: Value, text: impl Into<String>) -> Self {
        Self { json, text: text.into(), exit: 0 }
    }

    pub fn settings_are_good() -> Self {
        Self::new(json!({ "settings": "good" }), "the settings are good")
    }

    pub fn print(&self, json: bool) {
        if json {
            println!("{}", self.json);
        } else {
            println!("{}", self.text);
        }
    }
}
