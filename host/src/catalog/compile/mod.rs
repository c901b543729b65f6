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
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use wasmparser::Parser;

use super::metadata::Sections;
use crate::budget::{Charge, Purpose};
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
        /// Held by a process that compiles whether there is room for it or not.
        first: Arc<Mutex<()>>,
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
        program.map_or(Self::InProcess, |program| {
            let first = Arc::default();
            Self::Child { program, memory, time, first }
        })
    }

    /// Hashes what a refusal depends on: the limits, and the program that compiles.
    pub(super) fn terms(&self, hasher: &mut impl Hasher) {
        let Self::Child { program, memory, time, .. } = self else { return };
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
            Self::Child { program, memory, time, first } => {
                let limits = process::Limits { memory: *memory, time: *time };
                let mut charge = sandbox.budget().charge(Purpose::Work);
                let _first = wait_for_room(first, &limits, &mut charge, pace)?;
                process::compile(program, &limits, file, digest, &mut charge, pace)
            }
        }
    }
}

/// What most components need to be compiled.
const USUAL: usize = 256 << 20;

/// Waits for room for a process that compiles. One of them starts whether there is room or not, so that
/// a small budget, or one that calls use up, keeps no component from being loaded.
fn wait_for_room<'a>(
    first: &'a Mutex<()>,
    limits: &process::Limits,
    charge: &mut Charge,
    pace: Pace<'_>,
) -> Result<Option<MutexGuard<'a, ()>>, Failure> {
    /// How often there is a look.
    const PAUSE: Duration = Duration::from_millis(20);
    let limit = usize::try_from(limits.memory).unwrap_or(usize::MAX);
    let wanted = USUAL.min(limit).min(charge.share());
    let start = Instant::now();
    loop {
        match first.try_lock() {
            Ok(first) => return Ok(Some(first)),
            Err(TryLockError::Poisoned(first)) => return Ok(Some(first.into_inner())),
            Err(TryLockError::WouldBlock) => {}
        }
        if charge.take(wanted).is_ok() {
            return Ok(None);
        }
        if !pace(start.elapsed()) {
            return Err(Failure::Stopped);
        }
        std::thread::sleep(PAUSE);
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
