//! The bill itself, in `CycloneDX` 1.5, held against the rules of that form before it is written.

use anyhow::{Context, Result, ensure};
use cyclonedx_bom::models::component::{Classification, Scope};
use cyclonedx_bom::models::dependency::{Dependencies, Dependency};
use cyclonedx_bom::models::external_reference::{
    ExternalReference, ExternalReferenceType, ExternalReferences, Uri as Link,
};
use cyclonedx_bom::models::hash::{Hash, HashAlgorithm, HashValue, Hashes};
use cyclonedx_bom::models::license::{LicenseChoice, Licenses};
use cyclonedx_bom::models::property::{Properties, Property};
use cyclonedx_bom::prelude::{
    Bom, Component, Components, Metadata, NormalizedString, Purl, SpdxExpression, SpecVersion, Uri, Validate,
};

use crate::cargo::Name;
use crate::parts::{Part, Parts};

/// Which of our programs a package is in; one for each.
const PROGRAM: &str = "tollgate:program";

pub fn write(parts: &Parts) -> Result<String> {
    let mut whole = Component::new(Classification::Application, "tollgate", env!("CARGO_PKG_VERSION"), None);
    whole.bom_ref = Some("tollgate".to_owned());
    whole.licenses = Some(licences("Apache-2.0")?);
    let bom = Bom {
        // No time and no number of chance: what two people make of the same tree is the same.
        serial_number: None,
        metadata: Some(Metadata { component: Some(whole), ..Metadata::default() }),
        components: Some(Components(parts.all.iter().map(component).collect::<Result<_>>()?)),
        dependencies: Some(dependencies(parts)),
        spec_version: SpecVersion::V1_5,
        ..Bom::default()
    };
    let checked = bom.validate_version(SpecVersion::V1_5);
    ensure!(checked.passed(), "the bill is none by CycloneDX' rules: {checked:?}");
    let mut text = Vec::new();
    bom.output_as_json_v1_5(&mut text).context("writing JSON")?;
    text.push(b'\n');
    String::from_utf8(text).context("the bill's text")
}

fn component(part: &Part) -> Result<Component> {
    let ours = part.programs.contains(&part.name.name);
    let kind = if ours { Classification::Application } else { Classification::Library };
    let mut component = Component::new(kind, &part.name.name, &part.name.version, Some(reference(&part.name)));
    component.description = part
        .about
        .as_deref()
        .map(|about| NormalizedString::new(&about.split_whitespace().collect::<Vec<_>>().join(" ")));
    component.licenses = Some(licences(&part.licence).with_context(|| format!("the licence of {}", part.name.name))?);
    component.scope = Some(if part.runs() { Scope::Required } else { Scope::Excluded });
    component.properties =
        part.runs().then(|| Properties(part.programs.iter().map(|program| Property::new(PROGRAM, program)).collect()));
    if let Some(sha256) = &part.sha256 {
        // Whatever stands in this tree is at no registry, and has no such address.
        component.purl = Some(Purl::new("cargo", &part.name.name, &part.name.version).context("a package's address")?);
        component.hashes = Some(Hashes(vec![Hash { alg: HashAlgorithm::SHA_256, content: HashValue(sha256.clone()) }]));
    }
    let repository = part.repository.clone().and_then(|url| Uri::try_from(url).ok());
    component.external_references = repository
        .map(|url| ExternalReferences(vec![ExternalReference::new(ExternalReferenceType::Vcs, Link::Url(url))]));
    Ok(component)
}

/// Some authors still write `MIT/Apache-2.0`, which means `MIT OR Apache-2.0`.
fn licences(written: &str) -> Result<Licenses> {
    let expression =
        SpdxExpression::parse_lax(written.to_owned()).with_context(|| format!("`{written}` is no licence"))?;
    Ok(Licenses(vec![LicenseChoice::Expression(expression)]))
}

fn dependencies(parts: &Parts) -> Dependencies {
    let programs = parts.all.iter().filter(|part| part.programs.contains(&part.name.name));
    let whole = Dependency {
        dependency_ref: "tollgate".to_owned(),
        dependencies: programs.map(|part| reference(&part.name)).collect(),
    };
    let each = parts.all.iter().map(|part| Dependency {
        dependency_ref: reference(&part.name),
        dependencies: part.needs.iter().map(reference).collect(),
    });
    Dependencies(std::iter::once(whole).chain(each).collect())
}

fn reference(name: &Name) -> String {
    format!("{}@{}", name.name, name.version)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn name(name: &str) -> Name {
        Name { name: name.to_owned(), version: "1.0.0".to_owned() }
    }

    fn part(of: &str, licence: &str, sha256: Option<&str>, programs: &[&str], needs: &[&str]) -> Part {
        Part {
            name: name(of),
            about: Some("two\nlines".to_owned()),
            licence: licence.to_owned(),
            repository: Some("https://example.org/it".to_owned()),
            sha256: sha256.map(str::to_owned),
            programs: programs.iter().map(|program| (*program).to_owned()).collect(),
            needs: needs.iter().map(|need| name(need)).collect(),
        }
    }

    fn small() -> Parts {
        let sum = "a".repeat(64);
        Parts {
            all: vec![
                part("cc", "MIT/Apache-2.0", Some(&sum), &[], &[]),
                part("gateway", "Apache-2.0", None, &["gateway"], &["ring"]),
                part("ring", "Apache-2.0 AND ISC", Some(&sum), &["gateway", "webhook"], &["cc"]),
            ],
        }
    }

    #[test]
    fn each_package_has_its_licence_its_digest_and_its_programs() {
        let bill: Value = serde_json::from_str(&write(&small()).unwrap()).unwrap();
        let [cc, gateway, ring] = [0_usize, 1, 2].map(|place| &bill["components"][place]);
        assert_eq!(bill["bomFormat"], "CycloneDX");
        assert_eq!(bill["specVersion"], "1.5");
        assert_eq!(cc["licenses"][0]["expression"], "MIT OR Apache-2.0");
        assert_eq!(cc["scope"], "excluded");
        assert_eq!(ring["scope"], "required");
        assert_eq!(ring["purl"], "pkg:cargo/ring@1.0.0");
        assert_eq!(ring["hashes"][0]["alg"], "SHA-256");
        assert_eq!(gateway["type"], "application");
        assert!(gateway["purl"].is_null() && gateway["hashes"].is_null());
        let programs: Vec<&Value> = ring["properties"].as_array().unwrap().iter().map(|of| &of["value"]).collect();
        assert_eq!(programs, ["gateway", "webhook"]);
        assert_eq!(bill["dependencies"][0]["dependsOn"][0], "gateway@1.0.0");
        assert_eq!(bill["dependencies"][3]["dependsOn"][0], "cc@1.0.0");
    }

    #[test]
    fn the_same_tree_makes_the_same_bytes() {
        assert_eq!(write(&small()).unwrap(), write(&small()).unwrap());
    }

    #[test]
    fn what_is_no_licence_is_refused_by_name() {
        let mut parts = small();
        "see the file".clone_into(&mut parts.all[2].licence);
        assert!(format!("{:#}", write(&parts).unwrap_err()).contains("the licence of ring"));
    }
}
