//! Files that settings name: beside the file in which the setting stands.

use std::path::PathBuf;

use figment::value::magic::RelativePathBuf;

/// Empty = none.
pub(crate) fn named(file: &RelativePathBuf) -> Option<PathBuf> {
    (!file.original().as_os_str().is_empty()).then(|| file.relative())
}
