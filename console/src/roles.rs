//! What a person may do, by the words in the session's list of roles.

/// Each route says which of these it asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Roles {
    /// Budget, keys, settings, checkout, portal of the session's own account: `admin` or `billing_owner`.
    pub manages: bool,
    /// Everything under `/operator`, for every account: `operator`.
    pub operates: bool,
}

impl Roles {
    /// Words that are not known count for nothing, and who has none of these may look.
    pub fn of(words: &[String]) -> Self {
        let has = |word: &str| words.iter().any(|given| given == word);
        Self { manages: has("admin") || has("billing_owner"), operates: has("operator") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_words_count() {
        let of = |words: &[&str]| Roles::of(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        assert_eq!(of(&["member", "Admin", "operators", "", "billing owner"]), Roles::default());
        assert_eq!(of(&["billing_owner"]), of(&["admin"]));
        assert_eq!(of(&["operator"]), Roles { manages: false, operates: true });
    }
}
