//! Who may do what in Redis. Gateways run certified scripts and can't load any: that is the fence after a restart.

use crate::secret::Passwords;

/// What client libraries send when they connect. By category, since the subcommands differ between versions of Redis.
const CONNECTION: &str = "+@connection -@admin -@dangerous";

/// The commands of a script are checked against the user who runs it, so these are what the gateway's scripts call,
/// and what it asks by itself.
const GATEWAY: &str = "+evalsha +subscribe +unsubscribe +time +exists +del +set +hget +hmget +hset +hdel +hgetall \
    +zadd +zrem +zrange +zrangebyscore +xadd +xrange +pexpire";

/// The owner of shards also loads scripts, reads how Redis is set up, rebuilds and trims.
const LEDGER_SYNC: &str = "+eval +evalsha +script|load +info +scan +unlink +publish +time +exists +del +get +set \
    +hget +hmget +hset +hsetnx +hdel +hgetall +zadd +zrem +zrange +zrangebyscore +xadd +xrange +xtrim +pexpire";

/// The operators' command runs the scripts that only read.
const TOLLGATE: &str = "+evalsha +time +hget +hmget +hgetall +zrange +zrangebyscore +xrange";

/// The contents of Redis' ACL file.
pub fn acl(passwords: &Passwords) -> String {
    let lines = [
        // Nobody is served without a name.
        "user default off".to_owned(),
        user("gateway", &passwords.redis_gateway, GATEWAY),
        user("ledger-sync", &passwords.redis_ledger_sync, LEDGER_SYNC),
        user("tollgate", &passwords.redis_tollgate, TOLLGATE),
        // For people, and for tests that break things on purpose.
        format!("user admin on >{} ~* &* +@all", passwords.redis_admin),
    ];
    lines.join("\n") + "\n"
}

fn user(name: &str, password: &str, commands: &str) -> String {
    format!("user {name} on >{password} resetkeys ~tg:* resetchannels &tg:* -@all {CONNECTION} {commands}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use super::*;

    const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../metering/src/live/scripts");

    fn read(path: &str) -> String {
        fs::read_to_string(path).expect("the file is there")
    }

    /// The commands that files of the scripts' directory call.
    fn called(files: &[String]) -> BTreeSet<String> {
        let text: String = files.iter().map(|file| read(&format!("{SCRIPTS}/{file}.lua"))).collect();
        text.split("redis.call('").skip(1).filter_map(|rest| rest.split('\'').next()).map(str::to_lowercase).collect()
    }

    /// A script's own file and the parts that stand before it, from the table in scripts.rs.
    fn files_of(script: &str) -> Vec<String> {
        let table = read(&format!("{SCRIPTS}.rs"));
        let after = table.split(&format!("\"{script}.lua\" after [")).nth(1).expect("the script is in the table");
        let parts = after.split(']').next().unwrap_or_default().split(", ").filter(|part| !part.is_empty());
        parts.map(str::to_lowercase).chain(["prelude".to_owned(), script.to_owned()]).collect()
    }

    fn granted(rules: &str) -> BTreeSet<String> {
        rules.split_whitespace().map(|rule| rule.trim_start_matches('+').to_owned()).collect()
    }

    #[test]
    fn the_gateway_may_do_what_its_scripts_do_and_no_more() {
        let files: Vec<String> = ["debit", "pass_rates", "give_back", "undo", "credits", "standing", "find_key"]
            .into_iter()
            .flat_map(files_of)
            .collect();
        let mut needed = called(&files);
        needed.extend(["evalsha", "hget", "hmget", "time", "subscribe", "unsubscribe"].map(String::from));
        assert_eq!(granted(GATEWAY), needed);
    }

    #[test]
    fn the_owner_of_shards_may_do_what_every_script_does() {
        let dir = fs::read_dir(SCRIPTS).unwrap();
        let names: Vec<String> =
            dir.map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned()).collect();
        let needed = called(&names);
        assert!(!needed.is_empty() && needed.is_subset(&granted(LEDGER_SYNC)), "{needed:?}");
    }

    #[test]
    fn the_operators_command_can_read_an_account_and_write_nothing() {
        let may = granted(TOLLGATE);
        assert!(["set", "hset", "del", "zadd", "xadd", "eval"].iter().all(|write| !may.contains(*write)), "{may:?}");
    }
}
