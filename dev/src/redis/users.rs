//! Who may do what in Redis. Gateways run certified scripts and can't load any: that is the fence after a restart.

use crate::secret::Passwords;

/// What client libraries send when they connect. By category, since the subcommands differ between versions of Redis.
const CONNECTION: &str = "+@connection -@admin -@dangerous";

/// What the gateway's scripts call: the commands of a script are checked against the user who runs it.
const GATEWAY_SCRIPTS: &str = "+time +exists +del +get +set \
    +hget +hmget +hset +hdel +hexists +hgetall +hincrby \
    +zadd +zrem +zrange +zrangebyscore +zcard +zscore \
    +xadd +xrange";

/// The contents of Redis' ACL file.
pub fn acl(passwords: &Passwords) -> String {
    [
        // Nobody is served without a name.
        "user default off".to_owned(),
        user(
            "gateway",
            &passwords.redis_gateway,
            &format!("{CONNECTION} +evalsha +subscribe +unsubscribe {GATEWAY_SCRIPTS}"),
        ),
        // It certifies and rebuilds shards: all reads and writes on our keys, scripts, and the look at Redis' settings.
        user(
            "ledger-sync",
            &passwords.redis_ledger_sync,
            &format!(
                "{CONNECTION} +@read +@write +@transaction +@scripting -script|flush -script|kill -function \
                 +time +info +role +config|get +wait +publish -@dangerous +info +role +config|get +keys +sort"
            ),
        ),
        // The operators' command only looks.
        user("tollgate", &passwords.redis_tollgate, &format!("{CONNECTION} +@read +evalsha +evalsha_ro +time +info")),
        // For people and for tests that break things on purpose.
        format!("user admin on >{} ~* &* +@all", passwords.redis_admin),
    ]
    .join("\n")
        + "\n"
}

fn user(name: &str, password: &str, rules: &str) -> String {
    format!("user {name} on >{password} resetkeys ~tg:* resetchannels &tg:* -@all {rules}")
}
