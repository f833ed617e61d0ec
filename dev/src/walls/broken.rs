//! Arrows that must not be, drawn in a copy of the workspace.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::files;
use crate::layout::Layout;
use crate::secret;

/// A dependency that a wall forbids.
pub struct Arrow {
    pub from: &'static str,
    pub to: &'static str,
    /// How the dependency is written in the manifest of `from`.
    dependency: &'static str,
    /// What deny.toml says about it.
    pub reason: &'static str,
}

pub const BROKEN: &[Arrow] = &[
    Arrow {
        from: "gateway",
        to: "ledger",
        dependency: "[dependencies.ledger]\nworkspace = true",
        reason: "the gateway never reaches the book",
    },
    Arrow {
        from: "gateway",
        to: "sqlx",
        dependency: "[dependencies.sqlx]\nworkspace = true",
        reason: "only ledger names sqlx",
    },
    Arrow {
        from: "tollgate",
        to: "redis",
        dependency: "[dependencies.redis]\nworkspace = true",
        reason: "only metering names redis",
    },
    Arrow {
        from: "ledger-sync",
        to: "pingora-timeout",
        dependency: "[dependencies.pingora-timeout]\nworkspace = true",
        reason: "only gateway names pingora",
    },
    Arrow {
        from: "tollgate",
        to: "gateway, for tests",
        dependency: "[dev-dependencies.gateway]\npath = \"../gateway\"",
        reason: "nobody depends on a service",
    },
    Arrow {
        from: "tollgate",
        to: "ledger-sync",
        dependency: "[dependencies.ledger-sync]\npath = \"../ledger-sync\"",
        reason: "nobody depends on a service",
    },
    Arrow {
        from: "tollgate",
        to: "webhook",
        dependency: "[dependencies.webhook]\npath = \"../webhook\"",
        reason: "nobody depends on a service",
    },
    Arrow {
        from: "webhook",
        to: "async-stripe",
        dependency: "[dependencies.async_stripe]\nworkspace = true",
        reason: "only payments names async-stripe",
    },
    Arrow {
        from: "gateway",
        to: "payments",
        dependency: "[dependencies.payments]\nworkspace = true",
        reason: "only those who talk to people or to Stripe name payments",
    },
    Arrow {
        from: "notices",
        to: "payments",
        dependency: "[dependencies.payments]\nworkspace = true",
        reason: "only those who talk to people or to Stripe name payments",
    },
    Arrow {
        from: "webhook",
        to: "sessions",
        dependency: "[dependencies.sessions]\nworkspace = true",
        reason: "only those whom browsers ask look at sessions",
    },
    Arrow {
        from: "sessions",
        to: "ledger",
        dependency: "[dependencies.ledger]\nworkspace = true",
        reason: "the gateway never reaches the book",
    },
    Arrow {
        from: "sessions",
        to: "pingora-timeout",
        dependency: "[dependencies.pingora-timeout]\nworkspace = true",
        reason: "only gateway names pingora",
    },
    Arrow {
        from: "console",
        to: "lettre",
        dependency: "[dependencies.lettre]\nworkspace = true",
        reason: "only notices names lettre",
    },
    Arrow {
        from: "webhook",
        to: "console",
        dependency: "[dependencies.console]\npath = \"../console\"",
        reason: "nobody depends on a service",
    },
    Arrow {
        from: "loadtest",
        to: "metering",
        dependency: "[dependencies.metering]\nworkspace = true",
        reason: "whoever measures or starts Tollgate sees it from outside",
    },
    Arrow {
        from: "console",
        to: "notices, for tests",
        dependency: "[dev-dependencies.notices]\npath = \"../notices\"",
        reason: "nobody depends on a service",
    },
];

/// What has no part in the question, and is large.
const LEFT_OUT: [&str; 3] = ["target", ".dev", ".git"];

/// The workspace with one forbidden arrow, gone when dropped.
pub struct Copy(PathBuf);

impl Copy {
    pub fn with(layout: &Layout, arrow: &Arrow) -> Result<Copy> {
        let copy = Copy(std::env::temp_dir().join(format!("tollgate-wall-{}", secret::random_hex(8)?)));
        copy_tree(&layout.root, &copy.0)?;
        let manifest = copy.0.join(arrow.from).join("Cargo.toml");
        let text = fs::read_to_string(&manifest).with_context(|| format!("reading {}", manifest.display()))?;
        fs::write(&manifest, format!("{text}\n{}\n", arrow.dependency)).context("drawing the arrow")?;
        // Only a package with a library can be depended on; a service may get one any day.
        for service in ["console", "gateway", "ledger-sync", "notices", "webhook"] {
            let library = copy.0.join(service).join("src/lib.rs");
            if !library.exists() {
                fs::write(&library, "").context("giving a service a library")?;
            }
        }
        Ok(copy)
    }

    pub fn root(&self) -> &Path {
        &self.0
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        // A copy that stays in the temporary directory does no harm.
        let _ = files::remove_dir(&self.0);
    }
}

fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("making {}", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("reading {}", from.display()))? {
        let entry = entry.context("reading a directory")?;
        let kind = entry.file_type().context("reading a file's type")?;
        let target = to.join(entry.file_name());
        if kind.is_dir() && !LEFT_OUT.iter().any(|name| entry.file_name() == *name) {
            copy_tree(&entry.path(), &target)?;
        } else if kind.is_file() {
            fs::copy(entry.path(), &target).with_context(|| format!("copying {}", entry.path().display()))?;
        }
    }
    Ok(())
}
