//! nginx that does the gateway's job by Lua, with a Redis of its own: `metered.conf`, `admit.lua` and `draw.lua`.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::peers::{Peer, Starter};
use crate::bench::RedisSide;
use crate::process::Service;
use crate::redis::{self, Server};
use crate::secret::{self, Passwords};
use crate::tools::Tools;
use crate::{files, ports};

const SETTINGS: &str = include_str!("metered.conf");
const ADMIT: &str = include_str!("admit.lua");
const DRAW: &str = include_str!("draw.lua");
/// The year 2100: neither a period nor a lot ends while it is measured.
const FAR_MS: &str = "4102444800000";

pub struct Metered {
    pub peer: Peer,
    pub redis: Service,
    /// What its one account is called with.
    pub key: String,
}

impl Metered {
    /// Starts both and plants an account as `bench` is one: one lot that no load empties, no budget.
    pub fn start(starter: &Starter, tools: &Tools, modules: &Path, upstream: &str) -> Result<Metered> {
        let passwords = Passwords::kept(starter.layout)?;
        let (port, redis) = start_redis(starter, tools, &passwords)?;
        let side = RedisSide::new(&redis::url("admin", &passwords.redis_admin, port))?;
        let script = side.cli(&["SCRIPT", "LOAD", DRAW])?.trim().to_owned();
        ensure!(script.len() == 40, "Redis does not take draw.lua: {script}");
        let key = format!("tg_test_{}", secret::random_hex(16)?);
        plant(&side, &key)?;

        let (redis_port, place) = (port.to_string(), modules.display().to_string());
        let words = [
            ("upstream", upstream),
            ("modules", &place),
            ("redis_port", &redis_port),
            ("redis_user", "admin"),
            ("redis_password", &passwords.redis_admin),
            ("script", &script),
        ];
        let lua = starter.home("lua")?.join("admit.lua");
        files::write_private(&lua, ADMIT)?;
        let lua = lua.display().to_string();
        let words = [&words[..], &[("admit", lua.as_str())]].concat();
        let peer = starter.nginx("nginx-lua", SETTINGS, &words)?;
        Ok(Metered { peer, redis, key })
    }
}

/// A Redis with the settings that ours has.
fn start_redis(starter: &Starter, tools: &Tools, passwords: &Passwords) -> Result<(u16, Service)> {
    let (home, port) = (starter.home("redis-of-nginx")?, ports::free()?);
    let (settings, users) = (home.join("redis.conf"), home.join("users.acl"));
    let log = starter.layout.log("redis-of-nginx");
    let server = Server { home, settings, users, log, port, appendfsync: "everysec", replica_of: None };
    Ok((port, server.start("redis-of-nginx", tools, passwords).context("starting a Redis for nginx")?))
}

fn plant(side: &RedisSide, key: &str) -> Result<()> {
    let known = side.cli(&["SET", &format!("key:{key}"), "account-1 key-1"])?;
    let lot = ["lot", "1", "left", "1125899906842624", "expires", FAR_MS, "tail", "0"];
    let account =
        ["HSET", "a:account-1", "status", "active", "limit", "0", "used", "0", "period_end", FAR_MS, "seq", "0"];
    let planted = side.cli(&[&account[..], &lot].concat())?;
    ensure!(known.trim() == "OK" && planted.trim() == "9", "Redis does not take the account: {known}{planted}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::peers::fill;
    use super::*;

    #[test]
    fn every_place_of_the_settings_is_filled() {
        let places = ["home", "port", "workers", "user", "upstream", "modules", "redis_port", "redis_user"];
        let all: Vec<(&str, &str)> =
            places.into_iter().chain(["redis_password", "script", "admit"]).map(|place| (place, "x")).collect();
        assert!(!fill(SETTINGS, &all).unwrap().contains('@'));
    }
}
