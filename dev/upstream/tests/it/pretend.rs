//! Starts the program and speaks plain HTTP to it, byte by byte, since broken answers are what is looked at.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

pub struct Pretend {
    child: Child,
    address: String,
}

impl Pretend {
    pub fn start(args: &[&str]) -> Pretend {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pretend-upstream"));
        let mut child = command.args(args).stdout(Stdio::piped()).spawn().expect("the program starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("one line");
        let address = line.split('"').nth(3).expect("an address").to_owned();
        Pretend { child, address }
    }

    pub fn get(&self, path: &str) -> Call {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: pretend\r\nConnection: close\r\n\r\n"))
    }

    pub fn post(&self, path: &str, headers: &str, body: &str) -> Call {
        let length = body.len();
        self.send(&format!(
            "POST {path} HTTP/1.1\r\nHost: pretend\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        ))
    }

    fn send(&self, request: &str) -> Call {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        stream.write_all(request.as_bytes()).expect("it reads");
        Call(stream)
    }
}

impl Drop for Pretend {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One call whose answer is being read.
pub struct Call(TcpStream);

impl Call {
    /// Everything up to the end of the connection, however it ends.
    pub fn whole(mut self) -> String {
        let mut bytes = Vec::new();
        // A broken connection is an error here, and what came before it is what we look at.
        let _ = self.0.read_to_end(&mut bytes);
        String::from_utf8(bytes).expect("text")
    }

    pub fn until(&mut self, part: &str) -> String {
        let mut text = String::new();
        let mut byte = [0_u8; 1];
        while !text.contains(part) {
            self.0.read_exact(&mut byte).expect("the part comes");
            text.push(char::from(byte[0]));
        }
        text
    }

    /// Whether nothing more comes for a while once `part` was read and its rest has arrived, with the connection open.
    pub fn silent_after(mut self, part: &str) -> bool {
        self.until(part);
        self.0.set_read_timeout(Some(Duration::from_millis(700))).expect("a timeout");
        let mut rest = Vec::new();
        self.0.read_to_end(&mut rest).is_err_and(|err| err.kind() == std::io::ErrorKind::WouldBlock)
    }
}
