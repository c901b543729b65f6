//! The standard library and packages as archives, which components keep in their memory.
//!
//! They are made by the Python that components have, and kept beside the tool chains.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use super::componentize::{Guest, PACKAGE};
use crate::BuildError;
use crate::report::{Reporter, Step};
use crate::tools::{Tools, Venv};

/// What makes an archive.
pub(super) const PACK: &str = include_str!("guest/tarp_pack.py");

/// What takes the place of modules that need what WASI has not.
const REPLACEMENTS: [(&str, &str); 12] = [
    ("bz2.py", include_str!("guest/stdlib/bz2.py")),
    ("concurrent/futures/_serial.py", include_str!("guest/stdlib/concurrent/futures/_serial.py")),
    ("concurrent/futures/process.py", include_str!("guest/stdlib/concurrent/futures/process.py")),
    ("concurrent/futures/thread.py", include_str!("guest/stdlib/concurrent/futures/thread.py")),
    ("ctypes/__init__.py", include_str!("guest/stdlib/ctypes/__init__.py")),
    ("ctypes/util.py", include_str!("guest/stdlib/ctypes/util.py")),
    ("lzma.py", include_str!("guest/stdlib/lzma.py")),
    ("multiprocessing/pool.py", include_str!("guest/stdlib/multiprocessing/pool.py")),
    ("multiprocessing/popen_fork.py", POPEN),
    ("multiprocessing/popen_forkserver.py", POPEN),
    ("multiprocessing/popen_spawn_posix.py", POPEN),
    ("multiprocessing/synchronize.py", include_str!("guest/stdlib/multiprocessing/synchronize.py")),
];
const POPEN: &str = include_str!("guest/stdlib/multiprocessing/popen.py");

/// A world without anything in it: what is made besides the archive is thrown away.
const WORLD: &str = "package tarp:pack;\n\nworld pack {\n  export nothing: func();\n}\n";

/// The archive of the standard library, made the first time.
///
/// # Errors
///
/// When the tool fails.
pub(super) fn stdlib(
    tools: &Tools,
    venv: &Venv,
    reporter: &dyn Reporter,
) -> Result<PathBuf, BuildError> {
    let mut hasher = DefaultHasher::new();
    (PACK, REPLACEMENTS).hash(&mut hasher);
    let name = format!("python-stdlib-{}-{:016x}", PACKAGE.version, hasher.finish());
    let folder = tools.ensure(&name, |at| {
        let step = Step::begin(reporter, "packing Python's standard library, once");
        let guest = Guest::new(venv)?;
        for (name, text) in REPLACEMENTS {
            guest.write(&format!("replacements/{name}"), text)?;
        }
        let call = "\"/python\", \"/python\", \"/0/archive\", \"/0/replacements\"";
        pack(&guest, call, &at.join("stdlib.archive"), &step)
    })?;
    Ok(folder.join("stdlib.archive"))
}

/// Makes the archive of a folder with packages.
///
/// # Errors
///
/// When the tool fails.
pub(super) fn packages(
    venv: &Venv,
    folder: &Path,
    archive: &Path,
    step: &Step<'_>,
) -> Result<(), BuildError> {
    let guest = Guest::new(venv)?.with_path(folder);
    pack(&guest, "\"/1\", \"/component/packages\", \"/0/archive\"", archive, step)
}

fn pack(guest: &Guest<'_>, call: &str, archive: &Path, step: &Step<'_>) -> Result<(), BuildError> {
    guest.write("tarp_pack.py", PACK)?;
    let app = format!(
        "import sys\n\nsys.dont_write_bytecode = True\n\nimport tarp_pack\nimport wit_world\n\n\
         tarp_pack.pack({call})\n\n\n\
         class WitWorld:\n    def nothing(self):\n        pass\n"
    );
    let packed = guest.app().join("archive");
    guest.run(WORLD, &app, step)?;
    fs::copy(&packed, archive).map(drop).map_err(BuildError::io(packed))
}
