//! The console's part of the gateway's route table: free routes that keep the session's cookie, because the console looks at it itself.

use std::fmt::Write;

/// What people open, and what pages of the console ask for and send. Its API takes every method, its pages are read and filled in.
const PATHS: [(&str, &str, &[&str]); 17] = [
    ("home", "/", READ),
    ("billing", "/billing", FORM),
    ("billing_more", "/billing/{rest...}", FORM),
    ("receipts", "/receipts", FORM),
    ("receipts_more", "/receipts/{rest...}", FORM),
    ("keys", "/keys", FORM),
    ("keys_more", "/keys/{rest...}", FORM),
    ("activity", "/activity", FORM),
    ("activity_csv", "/activity.csv", READ),
    ("activity_more", "/activity/{rest...}", FORM),
    ("settings", "/settings", FORM),
    ("settings_more", "/settings/{rest...}", FORM),
    ("operator", "/operator", FORM),
    ("operator_more", "/operator/{rest...}", FORM),
    ("assets", "/assets/{name}", READ),
    ("api", "/api/{rest...}", &["GET", "POST", "PUT", "PATCH", "DELETE"]),
    ("dev_login", "/dev/login", READ),
];

const READ: &[&str] = &["GET"];
const FORM: &[&str] = &["GET", "POST"];

/// Where "Back to chat" leads.
const CHAT_PAGE: &str = "\n[[route]]\nname = \"chat.page\"\nmethod = \"GET\"\npath = \"/chat\"\nauth = \"none\"\nprice = 0\nupstream = \"demo\"\n";

/// What the demo has beside the gateway's own routes: the page of the chat, and the console.
pub fn routes_of_the_demo() -> String {
    format!("{CHAT_PAGE}{}", routes())
}

/// As `config/routes.toml` has them. `console` is an upstream of the gateway's settings.
pub fn routes() -> String {
    let mut text = String::new();
    for (name, path, methods) in PATHS {
        for method in methods {
            let name = format!("console.{name}.{}", method.to_lowercase());
            // Writing to a String can't fail.
            let _ = write!(
                text,
                "\n[[route]]\nname = \"{name}\"\nmethod = \"{method}\"\npath = \"{path}\"\nauth = \"none\"\nprice = 0\n\
                 session_cookie = \"keep\"\nupstream = \"console\"\n"
            );
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    /// Paths that stand in the console's sources: of its pages, `.route("…"`, and of its API, `path = "…"`.
    fn paths_of_the_console(directory: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                paths_of_the_console(&path, found);
                continue;
            }
            // The admin listener is nobody's but the operators'.
            if path.ends_with("src/admin.rs") {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            for before in [".route(", "path = "] {
                let paths = text.split(before).skip(1).filter_map(|rest| rest.trim_start().strip_prefix('"'));
                let paths = paths.filter_map(|rest| rest.split('"').next());
                found.extend(paths.filter(|path| path.starts_with('/')).map(str::to_owned));
            }
        }
    }

    fn fits(pattern: &str, path: &str) -> bool {
        let mut segments = path.split('/');
        let all = pattern.split('/').all(|wanted| match segments.next() {
            Some(segment) if wanted.ends_with("...}") => {
                segments.by_ref().for_each(drop);
                !segment.is_empty()
            }
            Some(segment) => segment == wanted || (wanted.starts_with('{') && !segment.is_empty()),
            None => false,
        });
        all && segments.next().is_none()
    }

    #[test]
    fn every_path_of_the_console_has_a_route_at_the_gateway() {
        let mut paths = Vec::new();
        paths_of_the_console(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../console/src"), &mut paths);
        assert!(paths.len() >= 4, "{paths:?}");
        for path in paths {
            assert!(PATHS.iter().any(|(_, pattern, _)| fits(pattern, &path)), "{path} can't be reached by the gateway");
        }
        assert!(!fits("/billing/{rest...}", "/billing") && !fits("/assets/{name}", "/assets/a/b"));
    }

    #[test]
    fn each_route_has_a_name_of_its_own_and_keeps_the_cookie() {
        let text = routes();
        let names: Vec<&str> = text.lines().filter(|line| line.starts_with("name = ")).collect();
        assert_eq!(names.iter().collect::<std::collections::BTreeSet<_>>().len(), names.len());
        assert_eq!(text.matches("session_cookie = \"keep\"").count(), names.len());
        assert!(text.contains("name = \"console.api.delete\"\nmethod = \"DELETE\"\npath = \"/api/{rest...}\"\n"));
    }
}
