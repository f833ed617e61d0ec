//! Which check reads which file of `deploy/`: one that nobody reads is refused.

use std::path::Path;

use anyhow::{Context, Result, ensure};

/// Files, or directories with all that is in them, and what reads them.
pub const READ_BY: [(&str, &str); 22] = [
    ("Dockerfile", "hadolint"),
    ("Dockerfile.dockerignore", "its test: all that the workspace is built of is let in"),
    ("README.md", "people"),
    ("compose.yaml", "docker-compose config"),
    ("grafana", "cargo dev prometheus"),
    ("kubernetes/base", "kubectl kustomize, and the schemas of Kubernetes"),
    ("kubernetes/example", "kubectl kustomize, and the schemas of Kubernetes"),
    ("make-secrets.sh", "run for each check here"),
    ("postgres/backup.sh", "the walkthrough"),
    ("postgres/database.sql", "the walkthrough"),
    ("postgres/grants.sql", "the walkthrough"),
    ("postgres/pg_hba.conf", "the walkthrough"),
    ("postgres/postgresql.conf", "the walkthrough"),
    ("postgres/restore.sh", "the walkthrough"),
    ("postgres/roles.sql", "the walkthrough"),
    ("prometheus", "cargo dev prometheus"),
    ("redis/README.md", "people"),
    ("redis", "the walkthrough"),
    ("runbooks", "cargo dev prometheus"),
    ("settings", "each program's --check"),
    ("systemd", "systemd-analyze verify and security"),
    ("walkthrough.sh", "run"),
];

/// What make-secrets.sh writes there is nobody's but this machine's.
const SECRETS: [&str; 2] = ["secrets", "kubernetes/example/secrets"];

pub fn each_is_checked(home: &Path) -> Result<()> {
    let mut files = Vec::new();
    collect(home, home, &mut files)?;
    for file in &files {
        ensure!(READ_BY.iter().any(|(read, _)| Path::new(file).starts_with(read)), "no check reads deploy/{file}");
    }
    for (read, by) in READ_BY {
        ensure!(
            files.iter().any(|file| Path::new(file).starts_with(read)),
            "{by} reads deploy/{read}, which is not there"
        );
    }
    Ok(())
}

fn collect(home: &Path, directory: &Path, files: &mut Vec<String>) -> Result<()> {
    for entry in std::fs::read_dir(directory).with_context(|| format!("reading {}", directory.display()))?.flatten() {
        let path = entry.path();
        let name = path.strip_prefix(home).unwrap_or(&path).display().to_string();
        if SECRETS.contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            collect(home, &path, files)?;
        } else {
            files.push(name);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const HOME: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy");

    #[test]
    fn every_file_of_deploy_is_read_by_some_check() {
        each_is_checked(Path::new(HOME)).unwrap();
    }

    #[test]
    fn the_image_is_built_from_the_whole_workspace() {
        let let_in = fs::read_to_string(format!("{HOME}/Dockerfile.dockerignore")).unwrap();
        let manifest = fs::read_to_string(format!("{HOME}/../Cargo.toml")).unwrap();
        let members = manifest.split("members = [").nth(1).and_then(|rest| rest.split(']').next()).unwrap();
        for member in members.split(',').map(|member| member.trim().trim_matches('"')) {
            let top = member.split('/').next().unwrap();
            assert!(let_in.lines().any(|line| line == format!("!{top}")), "{member} is not let in");
        }
    }

    #[test]
    fn the_gateway_has_no_role_in_the_book_and_every_other_program_has() {
        let roles = fs::read_to_string(format!("{HOME}/postgres/roles.sql")).unwrap();
        for program in ["ledger_sync", "webhook", "console", "notices", "operator", "owner", "backup"] {
            assert!(roles.contains(&format!("'tollgate_{program}'")), "{program}");
        }
        assert!(!roles.contains("'tollgate_gateway'"));
        assert!(!fs::read_to_string(format!("{HOME}/settings/gateway.toml")).unwrap().contains("postgres"));
        let grants = fs::read_to_string(format!("{HOME}/postgres/grants.sql")).unwrap();
        let statements = grants.split(';').filter(|statement| statement.contains("GRANT "));
        for statement in
            statements.filter(|statement| ["UPDATE", "DELETE", "TRUNCATE"].iter().any(|word| statement.contains(word)))
        {
            let rows = statement.split(" ON ").nth(1).unwrap_or_default().split(" TO").next().unwrap_or_default();
            for kept in ["entries", "audit", "mail_events"] {
                assert!(!rows.split([',', ' ', '\n']).any(|word| word == kept), "{kept} can be changed: {statement}");
            }
        }
    }

    #[test]
    fn the_console_is_reached_by_the_gateway_as_in_development() {
        let routes = fs::read_to_string(format!("{HOME}/settings/routes.toml")).unwrap();
        for route in
            crate::up::routes_of_the_console().split("\n[[route]]\n").filter(|route| !route.contains("/dev/login"))
        {
            assert!(routes.contains(route.trim()), "missing:\n{route}");
        }
    }
}
