//! Random names and passwords for this machine's private services.

use std::fs::File;
use std::io::Read;

use anyhow::{Context, Result};

/// `bytes` random bytes as hex: safe in a URL, a file name and an ACL file.
pub fn random_hex(bytes: usize) -> Result<String> {
    let mut random = vec![0_u8; bytes];
    File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut random)).context("reading /dev/urandom")?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}
