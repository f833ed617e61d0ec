//! Failpoints: named places at which tests let a process die. Builds with debug assertions have them; a release build has none of it.

/// Ends the process at once, as a crash does, when the variable `TOLLGATE_FAILPOINT` names this place and it was passed as often as
/// the variable says (`drain.recorded=3`: the third time).
#[inline]
pub fn failpoint(place: &str) {
    #[cfg(debug_assertions)]
    armed::pass(place);
    #[cfg(not(debug_assertions))]
    let _ = place;
}

#[cfg(debug_assertions)]
mod armed {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static ARMED: LazyLock<Option<Armed>> = LazyLock::new(|| read(&variable()?));

    struct Armed {
        place: String,
        passes_left: AtomicU64,
    }

    #[expect(clippy::disallowed_methods, reason = "not a setting: no release build reads it")]
    fn variable() -> Option<String> {
        std::env::var("TOLLGATE_FAILPOINT").ok()
    }

    fn read(text: &str) -> Option<Armed> {
        let (place, passes) = text.split_once('=')?;
        let passes_left = AtomicU64::new(passes.parse().ok()?);
        Some(Armed { place: place.to_owned(), passes_left })
    }

    pub fn pass(place: &str) {
        if ARMED.as_ref().is_some_and(|armed| armed.ends_at(place)) {
            eprintln!("failpoint {place}: this process ends here");
            std::process::abort();
        }
    }

    impl Armed {
        fn ends_at(&self, place: &str) -> bool {
            self.place == place && self.passes_left.fetch_sub(1, Ordering::Relaxed) == 1
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_process_ends_at_the_named_place_when_it_is_passed_for_the_nth_time() {
            let armed = read("drain.recorded=3").unwrap();
            let passes = ["drain.recorded", "drain.read", "drain.recorded", "drain.noted", "drain.recorded"];
            assert_eq!(passes.map(|place| armed.ends_at(place)), [false, false, false, false, true]);
            assert!(read("drain.recorded").is_none() && read("drain.recorded=soon").is_none());
        }
    }
}

#[cfg(test)]
mod tests {
    /// With this, "no debug assertions, no failpoints" means that no release has any.
    #[test]
    fn no_release_build_has_debug_assertions() {
        let manifest: toml::Table = toml::from_str(include_str!("../../Cargo.toml")).unwrap();
        let release = manifest["profile"]["release"].as_table().unwrap();
        assert!(!release.contains_key("debug-assertions") && !release.contains_key("inherits"), "{release:?}");
    }
}
