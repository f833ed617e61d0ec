//! The packages of the programs, each once: what is known of it, which programs it is in, and whether it only made them.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};

use crate::cargo::{Cargo, Name, Package, Which};

pub struct Parts {
    /// In order of name and version.
    pub all: Vec<Part>,
}

pub struct Part {
    pub name: Name,
    /// What it is, in its authors' words.
    pub about: Option<String>,
    /// As its authors wrote it.
    pub licence: String,
    pub repository: Option<String>,
    /// Of what the registry delivered; none for what stands in this tree.
    pub sha256: Option<String>,
    /// Whose code it is part of; nobody's where it only ran while they were built.
    pub programs: Vec<String>,
    /// What it is made of.
    pub needs: Vec<Name>,
}

impl Part {
    pub fn runs(&self) -> bool {
        !self.programs.is_empty()
    }
}

pub fn find(cargo: &Cargo, programs: &[&str]) -> Result<Parts> {
    let mut found: BTreeMap<Name, Vec<String>> = BTreeMap::new();
    for program in programs {
        for name in cargo.of_program(program, Which::All)? {
            found.entry(name).or_default();
        }
        for name in cargo.of_program(program, Which::Inside)? {
            found.entry(name).or_default().push((*program).to_owned());
        }
    }
    let known: BTreeMap<Name, &Package> = cargo.packages.iter().map(|package| (name_of(package), package)).collect();
    let by_id: BTreeMap<&str, Name> =
        cargo.packages.iter().map(|package| (package.id.as_str(), name_of(package))).collect();
    let mut all = Vec::new();
    for (name, programs) in &found {
        let package =
            known.get(name).with_context(|| format!("cargo metadata knows no {} {}", name.name, name.version))?;
        let needs = cargo.arrows.get(&package.id).into_iter().flatten().filter_map(|id| by_id.get(id.as_str()));
        let mut needs: Vec<Name> = needs.filter(|need| found.contains_key(*need)).cloned().collect();
        needs.sort();
        needs.dedup();
        all.push(part(package, cargo.digests.get(name), programs.clone(), needs)?);
    }
    Ok(Parts { all })
}

fn name_of(package: &Package) -> Name {
    Name { name: package.name.clone(), version: package.version.clone() }
}

/// A bill in which something is not known is worth nothing: that is an error.
fn part(package: &Package, sha256: Option<&String>, programs: Vec<String>, needs: Vec<Name>) -> Result<Part> {
    let name = name_of(package);
    let licence =
        package.license.clone().with_context(|| format!("{} {} names no licence", name.name, name.version))?;
    let from_here = package.id.starts_with("path+");
    ensure!(from_here != sha256.is_some(), "{} {} has no digest in Cargo.lock", name.name, name.version);
    Ok(Part {
        name,
        about: package.description.clone(),
        licence,
        repository: package.repository.clone(),
        sha256: sha256.cloned(),
        programs,
        needs,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(id: &str, license: Option<&str>) -> Package {
        Package {
            id: id.to_owned(),
            name: "a".to_owned(),
            version: "1.0.0".to_owned(),
            description: None,
            license: license.map(str::to_owned),
            repository: None,
        }
    }

    fn refused(package: &Package, sha256: Option<&String>) -> String {
        part(package, sha256, Vec::new(), Vec::new()).err().expect("must be refused").to_string()
    }

    #[test]
    fn a_part_without_a_licence_or_a_digest_is_refused_by_name() {
        let sum = "0f".to_owned();
        assert_eq!(refused(&package("registry+x#a@1.0.0", None), Some(&sum)), "a 1.0.0 names no licence");
        assert_eq!(refused(&package("registry+x#a@1.0.0", Some("MIT")), None), "a 1.0.0 has no digest in Cargo.lock");
        let ours = part(&package("path+file:///x#a@1.0.0", Some("MIT")), None, Vec::new(), Vec::new()).unwrap();
        assert!(!ours.runs() && ours.sha256.is_none());
    }
}
