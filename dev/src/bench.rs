//! `cargo dev bench`: what a request costs, measured.

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::layout::Layout;

pub fn run(_layout: &Layout) -> Result<ExitCode> {
    bail!("there is no benchmark yet")
}
