//! What cargo says of the workspace: the packages of a program, all packages there are, and their digests in the lock file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

/// What the programs are delivered for.
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// A package, as cargo knows it by itself and in lists.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    pub name: String,
    pub version: String,
}

/// Which packages of a program are listed.
#[derive(Clone, Copy)]
pub enum Which {
    /// Those whose code is in it.
    Inside,
    /// Those, what ran while it was built, and what that is made of.
    All,
}

pub struct Cargo {
    root: PathBuf,
    pub packages: Vec<Package>,
    pub arrows: BTreeMap<String, Vec<String>>,
    /// SHA-256 of what the registry delivered.
    pub digests: BTreeMap<Name, String>,
}

#[derive(Deserialize)]
pub struct Package {
    pub id: String,
    pub name: String,
    pub version: String,
    pub description: Option<String>,
    pub license: Option<String>,
    pub repository: Option<String>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Arrow>,
}

#[derive(Deserialize)]
struct Arrow {
    pkg: String,
    dep_kinds: Vec<Kind>,
}

#[derive(Deserialize)]
struct Kind {
    kind: Option<String>,
}

#[derive(Deserialize)]
struct Lock {
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    version: String,
    checksum: Option<String>,
}

impl Cargo {
    pub fn new(root: &Path) -> Result<Cargo> {
        let text = cargo(root, &["metadata", "--locked", "--format-version", "1", "--filter-platform", TARGET])?;
        let metadata: Metadata = serde_json::from_str(&text).context("what cargo metadata says")?;
        let lock = fs::read_to_string(root.join("Cargo.lock")).context("reading Cargo.lock")?;
        Ok(Cargo {
            root: root.to_owned(),
            packages: metadata.packages,
            arrows: metadata.resolve.nodes.into_iter().map(delivered).collect(),
            digests: digests(&lock)?,
        })
    }

    /// The packages of a program, itself among them.
    pub fn of_program(&self, program: &str, which: Which) -> Result<BTreeSet<Name>> {
        let edges = match which {
            Which::Inside => "normal,no-proc-macro",
            Which::All => "normal,build",
        };
        let ask = ["tree", "--locked", "--package", program, "--target", TARGET, "--prefix", "none", "--format", "{p}"];
        listed(&cargo(&self.root, &[&ask[..], &["--edges", edges]].concat())?)
    }
}

fn cargo(root: &Path, args: &[&str]) -> Result<String> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(program).current_dir(root).args(args).output().context("running cargo")?;
    if !output.status.success() {
        bail!("cargo {} failed: {}", args.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    }
    String::from_utf8(output.stdout).context("what cargo says")
}

/// What a package is made of, by itself and to be built; what only its tests need is no part of anything.
fn delivered(node: Node) -> (String, Vec<String>) {
    let needed = |arrow: &Arrow| arrow.dep_kinds.iter().any(|kind| kind.kind.as_deref() != Some("dev"));
    (node.id, node.deps.into_iter().filter(needed).map(|arrow| arrow.pkg).collect())
}

/// Reads lines such as `serde v1.0.229` or `config v0.1.0 (/path)`.
fn listed(text: &str) -> Result<BTreeSet<Name>> {
    let mut names = BTreeSet::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let mut words = line.split(' ');
        let (name, version) = words.next().zip(words.next()).with_context(|| format!("cargo tree says: {line}"))?;
        let version = version.strip_prefix('v').with_context(|| format!("a version in: {line}"))?;
        names.insert(Name { name: name.to_owned(), version: version.to_owned() });
    }
    ensure!(!names.is_empty(), "cargo tree says nothing");
    Ok(names)
}

fn digests(lock: &str) -> Result<BTreeMap<Name, String>> {
    let lock: Lock = toml::from_str(lock).context("what stands in Cargo.lock")?;
    let digest = |of: Locked| Some((Name { name: of.name, version: of.version }, of.checksum?));
    Ok(lock.package.into_iter().filter_map(digest).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_read_from_what_cargo_tree_prints() {
        let names = listed(
            "gateway v0.1.0 (/somewhere)\nserde v1.0.229\nserde_derive v1.0.229 (proc-macro)\nserde v1.0.229 (*)\n",
        );
        let names: Vec<String> = names.unwrap().into_iter().map(|of| format!("{} {}", of.name, of.version)).collect();
        assert_eq!(names, ["gateway 0.1.0", "serde 1.0.229", "serde_derive 1.0.229"]);
        assert!(listed("").is_err());
        assert!(listed("error").is_err());
    }

    #[test]
    fn only_what_came_from_a_registry_has_a_digest() {
        let lock = "version = 4\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nchecksum = \"0f\"\n\
                    [[package]]\nname = \"ours\"\nversion = \"0.1.0\"\n";
        let digests: Vec<String> =
            digests(lock).unwrap().into_iter().map(|(of, sum)| format!("{} {sum}", of.name)).collect();
        assert_eq!(digests, ["a 0f"]);
    }

    #[test]
    fn what_only_tests_need_is_no_part_of_a_package() {
        let arrow = |pkg: &str, kinds: &[Option<&str>]| Arrow {
            pkg: pkg.to_owned(),
            dep_kinds: kinds.iter().map(|kind| Kind { kind: kind.map(str::to_owned) }).collect(),
        };
        let deps = vec![arrow("a", &[None]), arrow("b", &[Some("dev")]), arrow("c", &[Some("dev"), Some("build")])];
        assert_eq!(delivered(Node { id: "x".to_owned(), deps }).1, ["a", "c"]);
    }
}
