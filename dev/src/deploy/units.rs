//! systemd's units: whether systemd takes them, and whether each is closed as far as it can be.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::{home, satisfied};
use crate::files;
use crate::layout::Layout;
use crate::tools::{debian, here};

/// Of 100: what is left to a program that speaks over the network and has no place of its own.
const EXPOSURE_MAX: &str = "--threshold=15";
const PROGRAMS: [&str; 6] = ["gateway", "ledger-sync", "webhook", "console", "notices", "backup.sh"];

pub fn check(layout: &Layout) -> Result<()> {
    let Some(analyze) = here("systemd-analyze", debian("systemd-analyze", "systemd"))? else { return Ok(()) };
    let root = layout.target.join("deploy-systemd");
    files::remove_dir(&root)?;
    let units = root.join("etc/systemd/system");
    fs::create_dir_all(&units).context("making a place for the units")?;
    let from = home(layout).join("systemd");
    let services = files::with_ending(&from, "service")?;
    let timers = files::with_ending(&from, "timer")?;
    for unit in services.iter().chain(&timers) {
        let name = unit.file_name().context("a unit has a name")?;
        fs::copy(unit, units.join(name)).with_context(|| format!("copying {}", unit.display()))?;
    }
    // systemd looks whether what a unit starts is there, and knows its own targets.
    for program in PROGRAMS {
        stand_in(&root.join("usr/lib/tollgate").join(program))?;
    }
    stand_in(&root.join("usr/bin/kill"))?;
    for target in ["basic", "sysinit", "multi-user", "network-online", "timers", "shutdown", "time-set", "time-sync"] {
        fs::write(units.join(target).with_extension("target"), "[Unit]\nDescription=a stand-in\n")
            .context("writing a target")?;
    }
    for unit in services.iter().chain(&timers) {
        let name = unit.file_name().unwrap_or_default().to_string_lossy().replace('@', "@blue");
        let mut command = Command::new(&analyze);
        command.arg("verify").arg(format!("--root={}", root.display())).arg("--man=no").arg(&name);
        let said = satisfied(&format!("systemd-analyze verify {name}"), &mut command)?;
        // It warns of what it does not know, and goes on.
        ensure!(!said.contains("tollgate-"), "systemd has something to say about {name}:\n{said}");
    }
    for service in &services {
        let mut command = Command::new(&analyze);
        command.args(["security", "--offline=true", "--no-pager", EXPOSURE_MAX]);
        let name = service.file_name().unwrap_or_default().to_string_lossy().into_owned();
        satisfied(&format!("systemd-analyze security {name}"), command.arg(units.join(&name)))?;
    }
    sysusers(&root, &from)?;
    files::remove_dir(&root)
}

/// The user that outlives its service.
fn sysusers(root: &Path, from: &Path) -> Result<()> {
    let Some(program) = here("systemd-sysusers", debian("systemd-sysusers", "systemd"))? else { return Ok(()) };
    let mut command = Command::new(program);
    command.arg(format!("--root={}", root.display())).arg("--dry-run").arg(from.join("tollgate.sysusers"));
    satisfied("systemd-sysusers", &mut command).map(drop)
}

fn stand_in(program: &Path) -> Result<()> {
    fs::create_dir_all(program.parent().context("a program stands in a directory")?).context("making it")?;
    fs::write(program, "#!/bin/sh\n").with_context(|| format!("writing {}", program.display()))?;
    fs::set_permissions(program, fs::Permissions::from_mode(0o755)).context("making it a program")
}
