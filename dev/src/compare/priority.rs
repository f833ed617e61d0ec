//! What is not on the way of a request gives way to what is: the book and the pages, which stand on other machines where somebody cares how long
//! a request takes. All that is compared has the machine's cores to itself then, but for what they leave.

use std::fs;

use anyhow::{Context, Result};
use rustix::process::{Pid, setpriority_pgrp, setpriority_process};

use crate::process;
use crate::report::Report;

const NICE: i32 = 10;
const BESIDE: [&str; 7] = ["ledger_sync", "postgres", "webhook", "console", "notices", "stripe", "mailbox"];

pub fn give_way(standing: &Report) -> Result<()> {
    for name in BESIDE {
        let service = standing.process(name)?;
        let leader = Pid::from_raw(service.pid).context("a process id")?;
        // Each leads a group of its own, and all threads of a group are meant.
        setpriority_pgrp(Some(leader), NICE).with_context(|| format!("lowering the priority of {name}"))?;
        // Postgres' processes lead sessions of their own, each of which Linux gives as much as it gives all the others together (sched(7),
        // "The autogroup feature"). They may end meanwhile.
        for child in process::children(&service) {
            let Some(pid) = Pid::from_raw(child.pid) else { continue };
            let _ = setpriority_process(Some(pid), NICE);
            let _ = fs::write(format!("/proc/{}/autogroup", child.pid), NICE.to_string());
        }
    }
    Ok(())
}
