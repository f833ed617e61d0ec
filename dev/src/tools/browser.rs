//! What tests in a real browser need: Debian's Chromium with its driver, and axe-core, which looks whether everybody can use a page.

use std::path::PathBuf;

use anyhow::{Context, Result};

use super::wheel::Wheel;
use super::{in_path, install_missing};
use crate::layout::Layout;

/// A binding for Python that carries the script; it runs in the page, so nothing of Python is used.
const AXE: Wheel = Wheel {
    what: "axe-core",
    package: "axe-playwright-python",
    version: "0.1.8",
    digests: &["fdd263c998388f1a8e67cad02677e612d946248bd44d163be5e8650ea31f95f8"],
    directory: "axe_playwright_python",
    file: "axe.min.js",
    runs: false,
};

/// The driver, which finds the browser by itself; both installed first where they are not here and that is possible.
pub fn driver() -> Result<PathBuf> {
    if in_path("chromium").is_none() && in_path("google-chrome").is_none() {
        install_missing(&["chromium"])?;
    }
    if in_path("chromedriver").is_none() {
        install_missing(&["chromium-driver"])?;
    }
    in_path("chromedriver").context("chromium-driver is installed, but chromedriver is not in PATH")
}

/// The script.
pub fn axe(layout: &Layout) -> Result<PathBuf> {
    AXE.fetch(layout)
}
