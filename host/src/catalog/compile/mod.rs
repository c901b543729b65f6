//! Compiles components within limits of time and memory.
//!
//! A file of a few kilobytes can make the compiler take minutes, gigabytes, or crash. So it runs in
//! a process of its own, [`child`], whose end is that file's problem and nobody else's; [`process`]
//! is the host's side of it.

mod child;
mod process;

use std::fs::File;
use std::hash::{Hash, Hasher};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use wasmparser::Parser;

use super::metadata::Sections;
use crate::config::LoadingConfig;
use crate::sandbox::{Concurrency, Sandbox};

pub use child::compile_from_stdin;

/// Bytes of a component: far above what tool chains make, far below what could hurt.
pub(super) const MAX_FILE_SIZE: u64 = 512 << 20;

/// Bytes of compiled code.
const MAX_CODE_SIZE: u64 = 2 << 30;

/// Where components are compiled.
#[derive(Debug, Clone)]
pub enum Compiler {
    /// In this process, without limits.
    InProcess,
    /// In a process of its own.
    Child {
        /// The program `tarp`, of this very version.
        program: PathBuf,
        /// Bytes that it may take.
        memory: u64,
        /// Processor time that it may take.
        time: Duration,
    },
}

/// A component as compiled code, with what else is known of it.
pub(super) struct Compiled {
    /// A file without a name, in memory.
    pub(super) code: File,
    pub(super) sum: blake3::Hash,
    pub(super) about: About,
}

/// What is known of a component beside its code.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct About {
    /// The engine that it is compiled for.
    pub(super) concurrency: Concurrency,
    pub(super) sections: Sections,
}

/// Why a component was not compiled.
#[derive(Debug)]
pub(super) enum Failure {
    /// For a reason that lies in the file: under the same limits it would be refused again.
    Refused(String),
    /// While it was compiled, for a reason that need not lie in the file. It is not tried again before
    /// the next start.
    Failed(String),
    /// For a reason that may pass.
    Unavailable(String),
    /// Whoever wanted it did not want it any more.
    Stopped,
}

/// Is asked several times a second, with the time since the start, whether to go on.
pub(super) type Pace<'a> = &'a mut dyn FnMut(Duration) -> bool;

impl Compiler {
    /// What the configuration says: with a program a process of its own.
    pub fn new(program: Option<PathBuf>, config: &LoadingConfig) -> Self {
        let (memory, time) = (config.compile_memory, config.compile_time);
        program.map_or(Self::InProcess, |program| Self::Child { program, memory, time })
    }

    /// Hashes what a refusal depends on: the limits, and the program that compiles.
    pub(super) fn terms(&self, hasher: &mut impl Hasher) {
        let Self::Child { program, memory, time } = self else { return };
        (memory, time, process::threads()).hash(hasher);
        // Another build may refuse less, whatever its version says.
        let stamp = std::fs::metadata(program).ok().map(|m| (m.len(), m.mtime(), m.mtime_nsec()));
        stamp.hash(hasher);
    }

    /// Compiles the component that is all of the file, which must have this digest.
    pub(super) fn compile(
        &self,
        sandbox: &Sandbox,
        file: &File,
        digest: blake3::Hash,
        pace: Pace<'_>,
    ) -> Result<Compiled, Failure> {
        (&*file).seek(SeekFrom::Start(0)).map_err(|e| unreadable(&e))?;
        match self {
            Self::InProcess => {
                let mut component = Vec::new();
                (&*file).read_to_end(&mut component).map_err(|e| unreadable(&e))?;
                let of = |component: &[u8]| sandbox.precompile(component);
                let (about, code) = compile(&component, of).map_err(Failure::Refused)?;
                if blake3::hash(&component) != digest {
                    return Err(changed());
                }
                let mut held = in_memory().map_err(|e| no_room(&e))?;
                held.write_all(&code).map_err(|e| no_room(&e))?;
                Ok(Compiled { sum: blake3::hash(&code), code: held, about })
            }
            Self::Child { program, memory, time } => {
                let limits = process::Limits { memory: *memory, time: *time };
                process::compile(program, &limits, file, digest, pace)
            }
        }
    }
}

/// Compiles and reads a component, in whatever process.
fn compile(
    component: &[u8],
    precompile: impl Fn(&[u8]) -> wasmtime::Result<(Concurrency, Vec<u8>)>,
) -> Result<(About, Vec<u8>), String> {
    check_kind(component)?;
    let (concurrency, code) = precompile(component).map_err(|e| explained(&format!("{e:#}")))?;
    Ok((About { concurrency, sections: Sections::read(component) }, code))
}

/// Whether the file begins as a component does; the mistakes that are made most get their own words.
pub(super) fn check_kind(beginning: &[u8]) -> Result<(), String> {
    if Parser::is_component(beginning) {
        Ok(())
    } else if Parser::is_core_wasm(beginning) {
        Err("a core module, not a component; build it with `cargo build --target wasm32-wasip2`, or with `cargo component build`".into())
    } else if beginning.is_empty() {
        Err("an empty file".into())
    } else if beginning.starts_with(b"\0asm") {
        Err("WebAssembly of a version that this host does not know; update the host, or build it with older tools".into())
    } else {
        Err("not WebAssembly: it does not begin as a component does".into())
    }
}

/// wasmtime's refusal, with what to do about it where that is known.
fn explained(refusal: &str) -> String {
    // What is unknown to the parser was made by something newer, or by accident.
    const UNKNOWN: [&str; 5] = [
        "invalid leading byte",
        "unknown binary version",
        "malformed section id",
        "illegal opcode",
        "unsupported version",
    ];
    let cure = if UNKNOWN.iter().any(|words| refusal.contains(words)) {
        "; either the file is damaged, or it was made by newer tools than this host knows: update the host, or build it with older ones"
    } else {
        ""
    };
    format!("not a usable component: {refusal}{cure}")
}

/// Why compiled code was not accepted: it needs more than the host sets aside for a component.
pub(super) fn beyond_limits(refusal: &str) -> Failure {
    let is_limit = refusal.contains("exceeds the limit");
    let cure = if refusal.contains("table") {
        "; a table has an element for each function that is called through a pointer, so link without what is not used, or make two components of it"
    } else if is_limit {
        "; make it smaller, or make two components of it"
    } else {
        ""
    };
    let message = format!("not a usable component: {refusal}{cure}");
    // Anything else, such as no room for its memory maps, may pass.
    if is_limit { Failure::Refused(message) } else { Failure::Failed(message) }
}

/// A file without a name that is gone when nobody has it any more.
fn in_memory() -> io::Result<File> {
    use rustix::fs::{MemfdFlags, memfd_create};
    Ok(File::from(memfd_create("compiled", MemfdFlags::CLOEXEC)?))
}

fn unreadable(e: &io::Error) -> Failure {
    Failure::Unavailable(format!("cannot be read: {e}"))
}

fn changed() -> Failure {
    Failure::Unavailable("it changed while it was read".into())
}

fn no_room(e: &io::Error) -> Failure {
    Failure::Unavailable(format!("no memory for its compiled code: {e}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_newer_tools_made_says_so() {
        let newer = explained("invalid leading byte (0x47) for component defined type");
        assert!(newer.contains("newer tools"), "{newer}");
        assert!(!explained("type mismatch").contains("newer"));
        assert!(check_kind(b"\0asm\x0e\0\x01\0").unwrap_err().contains("update the host"));
    }
}
