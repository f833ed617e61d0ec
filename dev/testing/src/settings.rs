//! Settings of a story laid over those of its suite.

/// The settings of `over`, and those of `fallbacks` that `over` does not name; both have one a line, in TOML with dotted keys.
#[must_use]
pub fn laid_over(fallbacks: &str, over: &str) -> String {
    let named: Vec<&str> = over.lines().map(key).collect();
    let kept = fallbacks.lines().filter(|line| !named.contains(&key(line)));
    kept.chain(over.lines()).collect::<Vec<_>>().join("\n") + "\n"
}

fn key(line: &str) -> &str {
    line.split('=').next().unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_story_says_takes_the_place_of_what_its_suite_says() {
        let fallbacks = "worker.interval_ms = 100\nworker.interval_ms_max = 2\nlisten = \"127.0.0.1:1\"\n";
        assert_eq!(laid_over(fallbacks, ""), fallbacks);
        assert_eq!(
            laid_over(fallbacks, "worker.interval_ms = 5\nstripe.mode = \"live\""),
            "worker.interval_ms_max = 2\nlisten = \"127.0.0.1:1\"\nworker.interval_ms = 5\nstripe.mode = \"live\"\n"
        );
    }
}
