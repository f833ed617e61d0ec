//! The servers beside ours: an upstream for everybody, nginx and Envoy as plain proxies, each with its file as it lies here.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};
use rustix::process::Signal;

use crate::layout::Layout;
use crate::process::Service;
use crate::{files, ports};

const READY_LIMIT: Duration = Duration::from_secs(20);
const UPSTREAM: &str = include_str!("upstream.conf");
const PROXY: &str = include_str!("proxy.conf");
const ENVOY: &str = include_str!("envoy.yaml");

/// A server that listens on a port of its own.
pub struct Peer {
    pub service: Service,
    pub port: u16,
}

impl Peer {
    pub fn url(&self) -> String {
        ports::local(self.port)
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

/// Starts peers, each in a directory of its own.
pub struct Starter<'a> {
    pub layout: &'a Layout,
    /// Threads, or processes, of each.
    pub workers: usize,
}

impl Starter<'_> {
    /// Who answers behind everybody.
    pub fn upstream(&self) -> Result<Peer> {
        self.nginx("nginx-upstream", UPSTREAM, &[])
    }

    /// nginx as a proxy, and nothing else.
    pub fn proxy(&self, upstream: &str) -> Result<Peer> {
        self.nginx("nginx-proxy", PROXY, &[("upstream", upstream)])
    }

    /// nginx with one of the files here; `words` go over what every file has.
    pub fn nginx(&self, name: &'static str, template: &str, words: &[(&str, &str)]) -> Result<Peer> {
        let (home, port) = (self.home(name)?, ports::free()?);
        let file = home.join("nginx.conf");
        // Workers of a server that root starts are somebody else, who may not see our directories.
        let user = if rustix::process::geteuid().is_root() { "user root;" } else { "" };
        let (place, port_text, workers) = (home.display().to_string(), port.to_string(), self.workers.to_string());
        let own = [("home", place.as_str()), ("port", &port_text), ("workers", &workers), ("user", user)];
        files::write_private(&file, &fill(template, &[&own, words].concat())?)?;
        let mut command = Command::new("nginx");
        command.arg("-c").arg(&file).args(["-e", "stderr"]);
        self.start(name, command, port)
    }

    /// Envoy as a proxy, and nothing else.
    pub fn envoy(&self, program: &Path, upstream: &Peer) -> Result<Peer> {
        let (home, port) = (self.home("envoy")?, ports::free()?);
        let file = home.join("envoy.yaml");
        let words = [("port", port.to_string()), ("upstream_port", upstream.port.to_string())];
        files::write_private(&file, &fill(ENVOY, &words.each_ref().map(|(name, text)| (*name, text.as_str())))?)?;
        let mut command = Command::new(program);
        command.arg("--config-path").arg(&file).args(["--concurrency", &self.workers.to_string()]);
        command.args(["--disable-hot-restart", "--log-level", "error"]);
        self.start("envoy", command, port)
    }

    /// A fresh directory for a peer.
    pub fn home(&self, name: &str) -> Result<PathBuf> {
        let home = self.layout.state().join("peers").join(name);
        files::remove_dir(&home)?;
        files::make_dir(&home, 0o700)?;
        Ok(home)
    }

    fn start(&self, name: &'static str, command: Command, port: u16) -> Result<Peer> {
        let mut service = Service::start(name, command, &self.layout.log(name), Signal::TERM)?;
        service.wait_ready(READY_LIMIT, || TcpStream::connect(("127.0.0.1", port)).is_ok())?;
        Ok(Peer { service, port })
    }
}

/// Puts words in the places that a file leaves for them, `@name@`; none may be left.
pub fn fill(template: &str, words: &[(&str, &str)]) -> Result<String> {
    let whole = words.iter().fold(template.to_owned(), |text, (name, word)| text.replace(&format!("@{name}@"), word));
    let is_name = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let left = whole.split('@').skip(1).find(is_name);
    ensure!(left.is_none(), "nobody says what stands for @{}@", left.unwrap_or_default());
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_of_a_file_is_filled_and_a_forgotten_one_is_an_error() {
        let words = [("home", "/x"), ("port", "1"), ("workers", "2"), ("user", ""), ("upstream", "127.0.0.1:3")];
        for template in [UPSTREAM, PROXY] {
            assert!(!fill(template, &words).unwrap().contains('@'));
        }
        let envoy = fill(ENVOY, &[("port", "1"), ("upstream_port", "2")]).unwrap();
        assert!(envoy.contains("port_value: 1 ") && envoy.contains("\"@type\""));
        assert!(fill(ENVOY, &[("port", "1")]).unwrap_err().to_string().contains("@upstream_port@"));
    }
}
