//! nginx with Lua and a Redis client for it, to compare with.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use super::{absent, install_missing};

/// The Lua module, which Debian keeps apart, and its client of Redis.
const LUA: [&str; 2] = ["libnginx-mod-http-lua", "lua-nginx-redis"];
/// Where Debian has that client.
const CLIENT: &str = "/usr/share/lua/5.1/nginx/redis.lua";

/// Where nginx has its modules; all of it is installed first where it is not here.
pub fn modules() -> Result<PathBuf> {
    let mut missing = absent(&["nginx"]);
    if modules_path().is_none_or(|dir| !dir.join("ngx_http_lua_module.so").is_file())
        || !PathBuf::from(CLIENT).is_file()
    {
        missing.extend(LUA);
    }
    install_missing(&missing)?;
    modules_path().context("nginx -V names no modules-path")
}

/// What `nginx -V` says that its modules are in.
fn modules_path() -> Option<PathBuf> {
    let told = Command::new("nginx").arg("-V").output().ok()?;
    path_in(&String::from_utf8_lossy(&told.stderr))
}

fn path_in(told: &str) -> Option<PathBuf> {
    let path = told.split_whitespace().find_map(|word| word.strip_prefix("--modules-path="))?;
    Some(PathBuf::from(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_modules_are_where_nginx_was_built_to_look() {
        let told = "nginx version: nginx/1.22.1\nconfigure arguments: --prefix=/usr/share/nginx --modules-path=/usr/lib/nginx/modules --with-threads\n";
        assert_eq!(path_in(told), Some(PathBuf::from("/usr/lib/nginx/modules")));
        assert_eq!(path_in("nginx version: nginx/1.22.1\n"), None);
    }
}
