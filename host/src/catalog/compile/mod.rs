//! Compiles components within limits of time and memory.
//!
//! A file of a few kilobytes can make the compiler take minutes, gigabytes, or crash. So it runs in
//! a process of its own, [`child`], whose end is that file's problem and nobody else's; [`process`]
//! is the host's side of it.

mod child;
mod component;
mod functions;
mod process;

use std::fs::File;
use std::hash::{Hash, Hasher};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};
use std::time::{Duration, Instant};

use crate::budget::{Charge, Purpose};
use crate::config::LoadingConfig;
use crate::sandbox::Sandbox;
use component::{changed, compile, in_memory, no_room, unreadable};

pub use child::compile_from_stdin;
pub(super) use component::{
    About, CompileError, Compiled, MAX_FILE_SIZE, NotUsable, Pace, beyond_limits, check_kind,
};

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

    /// Compiles the component that is all of the file, which must have this digest. `functions` is the archive
    /// that came of an earlier version.
    pub(super) fn compile(
        &self,
        sandbox: &Sandbox,
        file: &File,
        digest: blake3::Hash,
        functions: Option<File>,
        pace: Pace<'_>,
    ) -> Result<Compiled, CompileError> {
        (&*file).seek(SeekFrom::Start(0)).map_err(|e| unreadable(&e))?;
        match self {
            Self::InProcess => {
                let mut component = Vec::new();
                (&*file).read_to_end(&mut component).map_err(|e| unreadable(&e))?;
                let of = |component: &[u8]| sandbox.precompile(component);
                let (about, code) =
                    compile(&component, of).map_err(|e| CompileError::Refused(e.to_string()))?;
                if blake3::hash(&component) != digest {
                    return Err(changed());
                }
                let mut held = in_memory().map_err(|e| no_room(&e))?;
                held.write_all(&code).map_err(|e| no_room(&e))?;
                let sum = blake3::hash(&code);
                Ok(Compiled { sum, code: held, about, functions: None })
            }
            Self::Child { program, memory, time, first } => {
                let limits = process::Limits { memory: *memory, time: *time };
                let mut charge = sandbox.budget().charge(Purpose::Work);
                let _first = wait_for_room(first, &limits, &mut charge, pace)?;
                let input = process::Input::new(file, functions)?;
                process::compile(program, &limits, &input, digest, &mut charge, pace)
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
) -> Result<Option<MutexGuard<'a, ()>>, CompileError> {
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
            return Err(CompileError::Stopped);
        }
        std::thread::sleep(PAUSE);
    }
}
