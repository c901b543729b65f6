//! The directories of the user's own that commands need where no others are named.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use directories::ProjectDirs;

/// A directory below the user's home.
#[derive(Debug, Clone, Copy)]
pub(super) enum Own {
    /// Compiled components.
    Cache,
    /// Jobs and tokens.
    Data,
    /// The languages' tool chains.
    Tools,
}

impl Own {
    /// Where it is.
    pub(super) fn path(self) -> Result<PathBuf> {
        let own = ProjectDirs::from("", "", "tarp").context("there is no home directory")?;
        Ok(match self {
            Self::Cache => own.cache_dir().join("compiled"),
            Self::Data => own.data_dir().to_path_buf(),
            Self::Tools => own.cache_dir().join("tools"),
        })
    }

    /// How another one is named.
    fn flag(self) -> &'static str {
        match self {
            Self::Cache => "--cache DIR (or TARP_CACHE)",
            Self::Data => "--data DIR (or TARP_DATA)",
            Self::Tools => "--tools DIR (or TARP_TOOLS)",
        }
    }

    /// Whether it is there, or can be made.
    fn is_usable(self) -> Result<()> {
        let path = self.path()?;
        let above = path.parent().unwrap_or(Path::new("/"));
        if path.is_dir() {
            return Ok(());
        }
        let cannot = || format!("cannot make {}", path.display());
        std::fs::create_dir_all(above).with_context(cannot)?;
        tempfile::tempdir_in(above).map(drop).with_context(cannot)
    }
}

/// Refuses a start without some of these, and names all that cannot be had: nobody should have to start a
/// service once for each.
pub(super) fn check(needed: impl IntoIterator<Item = Own>) -> Result<()> {
    let mut missing = Vec::new();
    let mut reason = None;
    for own in needed {
        if let Err(why) = own.is_usable() {
            missing.push(own.flag());
            reason.get_or_insert(why);
        }
    }
    match reason {
        None => Ok(()),
        Some(why) => bail!("{why:#}; set HOME, or give {}", missing.join(" and ")),
    }
}

/// The data directory of the host that serves this folder: the one that was named, or the user's own. Each
/// folder has one of its own, named after it, so that hosts of two folders neither meet nor take up each
/// other's jobs and tokens.
pub(super) fn data(named: Option<PathBuf>, folder: &Path) -> Result<PathBuf> {
    if let Some(named) = named {
        return Ok(named);
    }
    let folder = std::path::absolute(folder)?;
    let digest = blake3::hash(folder.as_os_str().as_encoded_bytes()).to_hex();
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    Ok(Own::Data.path()?.join(format!("{name}-{}", &digest[..16])))
}

/// The directory for compiled components: the one that was named, or the user's own.
pub(super) fn cache(named: Option<PathBuf>) -> Result<PathBuf> {
    if let Some(named) = named {
        return Ok(named);
    }
    check([Own::Cache])?;
    Own::Cache.path()
}
