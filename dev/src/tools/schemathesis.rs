//! schemathesis, which asks the billing API whatever its description allows.

use super::modules::Modules;

pub const SCHEMATHESIS: Modules =
    Modules { package: "schemathesis", version: "4.32.5", wanted: include_str!("schemathesis.txt") };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_one_that_is_wanted() {
        assert!(SCHEMATHESIS.agrees_with_itself());
    }
}
