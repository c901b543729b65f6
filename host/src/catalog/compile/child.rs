//! The process that compiles one component: takes it from standard input, answers on standard output.
//!
//! Behind the component may be an archive of [`Functions`] that its last version had. The answer is a length of four
//! bytes, little endian, a [`Report`] of so many bytes as JSON, and after a success the compiled code, as long as
//! the report says, and such an archive up to the end. Nothing of the process outlives it.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::{
    Resource, Rlimit, Signal, getppid, getrlimit, nice, set_parent_process_death_signal, setrlimit,
};
use serde::{Deserialize, Serialize};
use wasmtime::CacheStore;

use super::component::{About, MAX_FILE_SIZE, compile};
use super::functions::Functions;
use crate::confinement::{Access, Reach, confine};
use crate::sandbox::precompile;

/// How much nicer than the host it is: calls go first.
const NICENESS: i32 = 5;

/// Address space beyond the memory that it may write to: for its own code, stacks, and what
/// allocators reserve and do not use.
const RESERVE: u64 = 8 << 30;

/// Components that take less time to compile are compiled as a whole.
const WORTH_KEEPING: Duration = Duration::from_millis(500);

/// Functions that are kept take one part of so many of the memory, at the most.
const FUNCTIONS_SHARE: u64 = 8;

/// Bytes of functions that are kept.
const MAX_FUNCTIONS: u64 = 512 << 20;

/// Bytes of its standard error.
const MAX_WORDS: u64 = 1 << 20;

/// What became of a component.
#[derive(Serialize, Deserialize)]
pub(super) struct Report {
    /// BLAKE3 of what was read, in hexadecimal.
    pub(super) digest: String,
    pub(super) verdict: Verdict,
}

/// Whether it was compiled.
#[derive(Serialize, Deserialize)]
pub(super) enum Verdict {
    /// With what is known of it beside its code.
    Compiled {
        about: About,
        /// Bytes of the code.
        size: u64,
    },
    /// Why not.
    Refused(String),
}

/// Compiles the component on standard input and writes it to standard output, within these limits:
/// bytes of memory and processor time. This is all that its process does.
///
/// # Errors
///
/// Where the limits cannot be set, or the component not be read or delivered. A component that
/// cannot be compiled is no error: the answer says so. `parent` is the process that asked for it. Where the
/// component has `functions` behind it, `size` says where they begin.
pub fn compile_from_stdin(
    memory: u64,
    time: Duration,
    parent: u32,
    size: u64,
    functions: bool,
) -> io::Result<()> {
    let start = Instant::now();
    limit(memory, time)?;
    // It may have ended before the kernel was asked to tell.
    if getppid().map(|pid| pid.as_raw_nonzero().get().unsigned_abs()) != Some(parent) {
        return Err(io::Error::other("the host that asked for it has ended"));
    }
    confine_to_own_limits()?;
    let mut component = Vec::new();
    io::stdin().lock().take(size.min(MAX_FILE_SIZE)).read_to_end(&mut component)?;
    let digest = blake3::hash(&component).to_hex().to_string();
    let room = usize::try_from(MAX_FUNCTIONS.min(memory / FUNCTIONS_SHARE)).unwrap_or(usize::MAX);
    let functions = Arc::new(match functions {
        true => Functions::read(io::stdin().lock(), room),
        false => Functions::none(room),
    });
    let known: Arc<dyn CacheStore> = functions.clone();
    let compiled = compile(&component, |component| precompile(component, &known));
    let is_worth_keeping = compiled.is_ok() && start.elapsed() >= WORTH_KEEPING;
    let (verdict, code) = match compiled {
        Ok((about, code)) => (Verdict::Compiled { about, size: code.len() as u64 }, code),
        Err(reason) => (Verdict::Refused(reason.to_string()), Vec::new()),
    };
    let report = serde_json::to_vec(&Report { digest, verdict })?;
    let length = u32::try_from(report.len()).map_err(io::Error::other)?;
    let mut answer = io::stdout().lock();
    answer.write_all(&length.to_le_bytes())?;
    answer.write_all(&report)?;
    answer.write_all(&code)?;
    if is_worth_keeping {
        drop(code);
        functions.write(&mut answer)?;
    }
    answer.flush()
}

/// What it reads and writes is open already. Threads are as many as the kernel says that there are processors for.
fn confine_to_own_limits() -> io::Result<()> {
    let mut reach = Reach::default();
    for place in ["/proc", "/sys/fs/cgroup", "/sys/devices/system/cpu"] {
        reach.keep(place, Access::Read);
    }
    confine(&reach.offline()).map_err(io::Error::other)?;
    Ok(())
}

fn limit(memory: u64, time: Duration) -> io::Result<()> {
    // A host that is killed takes its compilers with it.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    nice(NICENESS)?;
    let seconds = time.as_secs().max(1);
    for (resource, soft, hard) in [
        (Resource::Data, memory, memory),
        (Resource::As, memory.saturating_add(RESERVE), memory.saturating_add(RESERVE)),
        (Resource::Cpu, seconds, seconds + 1),
        (Resource::Fsize, MAX_WORDS, MAX_WORDS),
        (Resource::Core, 0, 0),
    ] {
        // Whoever started the host may have set less.
        let allowed = getrlimit(resource).maximum.unwrap_or(u64::MAX);
        let (soft, hard) = (soft.min(allowed), hard.min(allowed));
        setrlimit(resource, Rlimit { current: Some(soft), maximum: Some(hard) })?;
    }
    // Where the machine itself runs out of memory, this process goes first, not the host.
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
    Ok(())
}
