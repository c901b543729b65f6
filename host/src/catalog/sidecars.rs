//! What the sidecars of a folder grant, before anything of the folder is loaded: [`sidecars`].

use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::load::MAX_SIDECAR_SIZE;
use crate::config::{GrantsTable, Sidecar, read};

/// What a folder needs beside itself.
#[derive(Debug, Default)]
pub struct Sidecars {
    /// What the sidecars grant, those without a component as well.
    pub grants: Vec<GrantsTable>,
    /// Components, sidecars and folders that are links.
    pub links: Vec<PathBuf>,
}

/// Reads what can be read of the sidecars in a folder and its subfolders. What is wrong with the others is told when
/// they are loaded.
#[must_use]
pub fn sidecars(folder: &Path) -> Sidecars {
    let hidden = |entry: &DirEntry| {
        entry.depth() > 0 && entry.file_name().to_string_lossy().starts_with('.')
    };
    let mut found = Sidecars::default();
    let entries = WalkDir::new(folder).follow_links(true).into_iter();
    for entry in entries.filter_entry(|entry| !hidden(entry)).filter_map(Result::ok) {
        let extension = entry.path().extension().unwrap_or_default();
        let is_sidecar = extension == "toml";
        let matters = entry.file_type().is_dir() || is_sidecar || extension == "wasm";
        if matters && entry.depth() > 0 && entry.path_is_symlink() {
            found.links.push(entry.path().to_path_buf());
        }
        let is_small =
            || entry.metadata().is_ok_and(|it| it.is_file() && it.len() <= MAX_SIDECAR_SIZE);
        if is_sidecar
            && is_small()
            && let Ok(sidecar) = read::<Sidecar>(entry.path())
        {
            found.grants.push(sidecar.grants);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn grants_and_links_are_found_wherever_they_are() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("folder");
        fs::create_dir_all(folder.join("sub")).unwrap();
        let grant = |key: &str| format!("[grants]\nconfig = {{ {key} = 'x' }}\n");
        fs::write(folder.join("a.toml"), grant("a")).unwrap();
        fs::write(folder.join("sub/b.toml"), grant("b")).unwrap();
        fs::write(folder.join("broken.toml"), "[grants").unwrap();
        fs::write(folder.join(".hidden.toml"), grant("hidden")).unwrap();
        fs::write(home.path().join("c.wasm"), "").unwrap();
        symlink(home.path().join("c.wasm"), folder.join("c.wasm")).unwrap();
        symlink(home.path().join("c.wasm"), folder.join("notes.txt")).unwrap();
        let found = sidecars(&folder);
        let mut keys: Vec<_> = found.grants.iter().flat_map(|it| it.config.keys()).collect();
        keys.sort();
        assert_eq!(keys, ["a", "b"]);
        assert_eq!(found.links, [folder.join("c.wasm")]);
    }
}
