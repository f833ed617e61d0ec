//! The description of the API: the committed copy is what the code says, and it says of each operation what a caller must know.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::house::console;

fn printed() -> String {
    String::from_utf8(console().arg("--openapi").output().unwrap().stdout).unwrap()
}

fn operations(description: &Value) -> Vec<(String, &Value)> {
    let paths = description["paths"].as_object().unwrap();
    let of = |(path, item): (&String, &'_ Value)| {
        (path.clone(), item.as_object().unwrap().keys().cloned().collect::<Vec<_>>())
    };
    let named =
        paths.iter().map(of).flat_map(|(path, methods)| methods.into_iter().map(move |method| (path.clone(), method)));
    named.map(|(path, method)| (format!("{method} {path}"), &description["paths"][&path][&method])).collect()
}

#[test]
fn the_committed_description_is_the_one_that_the_code_makes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    let how = "console/openapi.json is not what the code says; write it anew: \
               cargo run --bin console -- --openapi > console/openapi.json";
    assert!(committed == printed(), "{how}");
}

#[test]
fn every_operation_has_a_name_and_says_how_it_may_refuse() {
    let description: Value = serde_json::from_str(&printed()).unwrap();
    assert!(description["openapi"].as_str().unwrap().starts_with("3.1"), "{}", description["openapi"]);
    let mut names = Vec::new();
    for (operation, item) in operations(&description) {
        let responses = item["responses"].as_object().unwrap();
        names.push(item["operationId"].as_str().unwrap().to_owned());
        assert!(item["summary"].is_string() || item["description"].is_string(), "{operation} says what it does");
        let wanted: &[&str] = if operation.starts_with("get") { &["401", "503"] } else { &["401", "403", "503"] };
        for status in wanted {
            assert!(responses.contains_key(*status), "{operation} may answer {status}");
        }
        for (status, response) in responses.iter().filter(|(status, _)| status.starts_with(['4', '5'])) {
            let kinds: Vec<&String> = response["content"].as_object().unwrap().keys().collect();
            assert_eq!(kinds, ["application/problem+json"], "{operation} {status}");
        }
    }
    let count = names.len();
    names.sort();
    names.dedup();
    assert!(names.len() == count && count > 15, "each name is one operation's: {names:?}");
}

/// The sources under a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let of = |path: PathBuf| if path.is_dir() { sources(&path) } else { vec![path] };
    entries.flat_map(of).filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

/// The types of a source that the description has, by their names there.
fn described(source: &str) -> Vec<String> {
    let mut named = Vec::new();
    let mut derives = false;
    for line in source.lines() {
        if line.starts_with("#[derive(") {
            derives = line.contains("ToSchema");
        }
        let name = ["pub struct ", "pub enum ", "struct ", "enum "].iter().find_map(|kind| line.strip_prefix(kind));
        if let Some(name) = name.filter(|_| std::mem::take(&mut derives)) {
            named.push(name.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect());
        }
    }
    named
}

#[test]
fn no_two_types_have_one_name_in_the_description_where_the_later_would_replace_the_earlier() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut places: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for path in sources(&root) {
        for name in described(&std::fs::read_to_string(&path).unwrap()) {
            places.entry(name).or_default().push(path.strip_prefix(&root).unwrap().to_owned());
        }
    }
    assert!(places.len() > 80, "the types are found: {}", places.len());
    let twice: Vec<_> = places.iter().filter(|(_, places)| places.len() > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
}
