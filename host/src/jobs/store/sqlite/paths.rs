//! Names of the files beside the database.

use std::path::{Path, PathBuf};

/// The file of that name and `suffix`.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
