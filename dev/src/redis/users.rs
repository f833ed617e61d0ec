//! Who may do what in Redis: `deploy/redis/users.acl` with this setup's passwords. Gateways run certified scripts and can't load
//! any: that is the fence after a restart.

use crate::secret::Passwords;

/// The commands of a script are checked against the user who runs it, so a user may call what its scripts call, and what it
/// asks by itself. What client libraries send when they connect is given by category, since it differs between versions.
const USERS: &str = include_str!("../../../deploy/redis/users.acl");

/// The contents of Redis' ACL file.
pub fn acl(passwords: &Passwords) -> String {
    USERS
        .replace("@gateway@", &passwords.redis_gateway)
        .replace("@ledger-sync@", &passwords.redis_ledger_sync)
        .replace("@console@", &passwords.redis_console)
        .replace("@tollgate@", &passwords.redis_tollgate)
        // For people, and for tests that break things on purpose.
        .replace("@admin@", &passwords.redis_admin)
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

    /// The commands that a user may call by name.
    fn granted(user: &str) -> BTreeSet<String> {
        let line = USERS.lines().find(|line| line.starts_with(&format!("user {user} "))).expect("the user is there");
        let rules = line.split_whitespace().filter_map(|rule| rule.strip_prefix('+'));
        rules.filter(|rule| !rule.starts_with('@')).map(str::to_owned).collect()
    }

    #[test]
    fn nobody_is_served_without_a_name_and_no_program_touches_what_is_not_ours() {
        // Redis replays its append-only file as this user, and drops what it may not do: so it may write, and nobody can be it.
        assert!(USERS.starts_with("user default off resetpass ~tg:* -@all +@read +@write\n"));
        for line in USERS.lines().filter(|line| !line.starts_with("user default ") && !line.starts_with("user admin "))
        {
            assert!(line.contains(" resetkeys ~tg:* resetchannels &tg:* -@all "), "{line}");
            assert!(line.contains(" +@connection -@admin -@dangerous ") && line.matches("+@").count() == 1, "{line}");
        }
    }

    #[test]
    fn the_gateway_may_do_what_its_scripts_do_and_no_more() {
        let files: Vec<String> = ["debit", "pass_rates", "give_back", "undo", "credits", "standing", "find_key"]
            .into_iter()
            .flat_map(files_of)
            .collect();
        let mut needed = called(&files);
        needed.extend(
            ["evalsha", "hget", "hmget", "time", "subscribe", "unsubscribe", "cluster|slots"].map(String::from),
        );
        assert_eq!(granted("gateway"), needed);
    }

    #[test]
    fn the_owner_of_shards_may_do_what_every_script_does() {
        let dir = fs::read_dir(SCRIPTS).unwrap();
        let names: Vec<String> =
            dir.map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned()).collect();
        let needed = called(&names);
        assert!(!needed.is_empty() && needed.is_subset(&granted("ledger-sync")), "{needed:?}");
    }

    #[test]
    fn the_operators_command_and_the_console_can_read_an_account_and_write_nothing() {
        let may = granted("tollgate");
        assert_eq!(granted("console"), may, "and no more may the console");
        assert!(["set", "hset", "del", "zadd", "xadd", "eval"].iter().all(|write| !may.contains(*write)), "{may:?}");
    }
}
