//! The process that compiles one component: takes it from standard input, answers on standard output.
//!
//! The answer is a length of four bytes, little endian, a [`Report`] of so many bytes as JSON, and
//! after a success the compiled code up to the end. Nothing of the process outlives it.

use std::io::{self, Read, Write};
use std::time::Duration;

use rustix::process::{
    Resource, Rlimit, Signal, getppid, getrlimit, nice, set_parent_process_death_signal, setrlimit,
};
use serde::{Deserialize, Serialize};

use super::component::{About, MAX_FILE_SIZE, compile};
use crate::confinement::{Access, Reach, confine};
use crate::sandbox::precompile;

/// How much nicer than the host it is: calls go first.
const NICENESS: i32 = 5;

/// Address space beyond the memory that it may write to: for its own code, stacks, and what
/// allocators reserve and do not use.
const RESERVE: u64 = 8 << 30;

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
    Compiled(About),
    /// Why not.
    Refused(String),
}

/// Compiles the component on standard input and writes it to standard output, within these limits:
/// bytes of memory and processor time. This is all that its process does.
///
/// # Errors
///
/// Where the limits cannot be set, or the component not be read or delivered. A component that
/// cannot be compiled is no error: the answer says so. `parent` is the process that asked for it.
pub fn compile_from_stdin(memory: u64, time: Duration, parent: u32) -> io::Result<()> {
    limit(memory, time)?;
    // It may have ended before the kernel was asked to tell.
    if getppid().map(|pid| pid.as_raw_nonzero().get().unsigned_abs()) != Some(parent) {
        return Err(io::Error::other("the host that asked for it has ended"));
    }
    confine_to_own_limits()?;
    let mut component = Vec::new();
    io::stdin().lock().take(MAX_FILE_SIZE).read_to_end(&mut component)?;
    let digest = blake3::hash(&component).to_hex().to_string();
    let (verdict, code) = match compile(&component, precompile) {
        Ok((about, code)) => (Verdict::Compiled(about), code),
        Err(reason) => (Verdict::Refused(reason.to_string()), Vec::new()),
    };
    let report = serde_json::to_vec(&Report { digest, verdict })?;
    let length = u32::try_from(report.len()).map_err(io::Error::other)?;
    let mut answer = io::stdout().lock();
    answer.write_all(&length.to_le_bytes())?;
    answer.write_all(&report)?;
    answer.write_all(&code)?;
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
