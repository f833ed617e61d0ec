//! Starts the program and speaks SMTP and HTTP to it, byte by byte.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

pub struct Mailbox {
    child: Child,
    addresses: Value,
}

impl Mailbox {
    pub fn start(args: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pretend-mailbox"));
        let mut child = command.args(args).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, addresses: serde_json::from_str(&line).unwrap() }
    }

    /// What it says where it does not start.
    pub fn fails(args: &[&str]) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_pretend-mailbox")).args(args).output().unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    }

    pub fn smtp(&self) -> Line {
        let stream = TcpStream::connect(self.addresses["smtp"].as_str().unwrap()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Line(BufReader::new(stream))
    }

    pub fn mails(&self) -> Vec<Value> {
        let answer = self.get("/_mails");
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str::<Value>(body).unwrap()["mails"].as_array().unwrap().clone()
    }

    pub fn order(&self, fault: &str) {
        let answer = self.call("POST", "/_fault", fault);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    pub fn get(&self, path: &str) -> String {
        self.call("GET", path, "")
    }

    pub fn call(&self, method: &str, path: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(self.addresses["listen"].as_str().unwrap()).unwrap();
        let length = body.len();
        let head =
            format!("{method} {path} HTTP/1.1\r\nHost: m\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n");
        stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One conversation.
pub struct Line(BufReader<TcpStream>);

impl Line {
    /// The answer to a command, all of its lines; empty where the connection has ended.
    pub fn says(&mut self, command: &str) -> String {
        if self.0.get_mut().write_all(command.as_bytes()).is_err() {
            return String::new();
        }
        self.answer()
    }

    pub fn answer(&mut self) -> String {
        let mut answer = String::new();
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).is_err() || line.is_empty() {
                return answer;
            }
            answer.push_str(&line);
            if line.as_bytes().get(3) != Some(&b'-') {
                return answer;
            }
        }
    }
}
