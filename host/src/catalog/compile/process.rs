//! The host's side of a process that compiles: starts it, takes its answer, ends it in time.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use bytesize::ByteSize;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::child::{Report, Verdict};
use super::component::{
    CompileError, Compiled, MAX_CODE_SIZE, Pace, changed, in_memory, no_room, unreadable,
};
use crate::budget::Charge;

/// How often whoever waits is asked whether it still does.
const TICK: Duration = Duration::from_millis(100);

/// Longer than so many times its processor time no compiler takes, however busy the machine is.
const WALL_TIME_FACTOR: u32 = 10;

/// Bytes of a report: documentation is bounded, and JSON's escapes make it longer.
const MAX_REPORT: usize = 16 << 20;

/// Bytes of an archive of functions.
const MAX_ARCHIVE: u64 = 1 << 30;

/// Threads that one component is compiled by.
const MAX_THREADS: usize = 4;

/// What one process may take.
pub(super) struct Limits {
    pub(super) memory: u64,
    pub(super) time: Duration,
}

/// What it reads: a component, and perhaps the functions of an earlier version.
pub(super) struct Input {
    file: File,
    /// Bytes of the component.
    size: u64,
    has_functions: bool,
}

impl Input {
    /// The component that is all of the file, and an archive of functions.
    ///
    /// # Errors
    ///
    /// Where one cannot be read, or there is no memory for both.
    pub(super) fn new(component: &File, functions: Option<File>) -> Result<Self, CompileError> {
        let unreadable = |e: io::Error| unreadable(&e);
        let mut component = component.try_clone().map_err(unreadable)?;
        let Some(mut functions) = functions else {
            let size = component.metadata().map_err(unreadable)?.len();
            return Ok(Self { file: component, size, has_functions: false });
        };
        let mut both = in_memory().map_err(|e| no_room(&e))?;
        let size = io::copy(&mut component, &mut both).map_err(unreadable)?;
        io::copy(&mut functions, &mut both).map_err(unreadable)?;
        both.seek(SeekFrom::Start(0)).map_err(unreadable)?;
        Ok(Self { file: both, size, has_functions: true })
    }
}

pub(super) fn compile(
    program: &Path,
    limits: &Limits,
    input: &Input,
    digest: blake3::Hash,
    charge: &mut Charge,
    pace: Pace<'_>,
) -> Result<Compiled, CompileError> {
    let words = in_memory().map_err(|e| no_room(&e))?;
    let mut process = start(program, limits, input, &words)?;
    let mut answer = Answer::new().map_err(|e| no_room(&e))?;
    process.read(limits, &mut answer, charge, pace)?;
    let Some(report) = answer.report()? else {
        return Err(process.end(limits, words));
    };
    if report.digest != digest.to_hex().as_str() {
        return Err(changed());
    }
    let (about, size) = match report.verdict {
        Verdict::Compiled { about, size } => (about, size),
        Verdict::Refused(reason) if is_out_of_memory(&reason) => {
            return Err(CompileError::Refused(too_large(limits)));
        }
        Verdict::Refused(reason) => return Err(CompileError::Refused(reason)),
    };
    // An answer that was cut short would be code that was cut short.
    match process.status() {
        Some(status) if status.success() => {}
        _ => return Err(process.end(limits, words)),
    }
    if answer.size != size {
        return Err(CompileError::Failed("the compiler's answer is no answer".into()));
    }
    Ok(Compiled {
        code: answer.code,
        sum: answer.hasher.finalize(),
        about,
        functions: answer.functions,
    })
}

/// How many threads one component is compiled by. More of them take more memory.
pub(super) fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS)
}

fn start(
    program: &Path,
    limits: &Limits,
    input: &Input,
    words: &File,
) -> Result<Process, CompileError> {
    let mut command = Command::new(program);
    command
        .arg0("tarp")
        .arg("compile-component")
        .args(["--memory", &limits.memory.to_string()])
        .args(["--seconds", &limits.time.as_secs().to_string()])
        .args(["--parent", &std::process::id().to_string()])
        .args(["--size", &input.size.to_string()])
        .args(input.has_functions.then_some("--functions"))
        // An interrupt from the terminal is for the host.
        .process_group(0)
        .env_clear()
        .env("RAYON_NUM_THREADS", threads().to_string())
        // What an allocator takes in advance would count as taken.
        .env("MIMALLOC_ARENA_EAGER_COMMIT", "0")
        .stdin(input.file.try_clone().map_err(|e| unreadable(&e))?)
        .stdout(Stdio::piped())
        .stderr(words.try_clone().map_err(|e| no_room(&e))?);
    let cannot =
        |e: io::Error| CompileError::Unavailable(format!("the compiler cannot be started: {e}"));
    let mut child = command.spawn().map_err(cannot)?;
    match child.stdout.take() {
        Some(stdout) => Ok(Process { child, stdout }),
        None => Err(cannot(io::ErrorKind::BrokenPipe.into())),
    }
}

/// A process that is ended and collected when nobody waits for it any more.
struct Process {
    child: Child,
    stdout: ChildStdout,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Process {
    /// Takes the answer, up to its end.
    fn read(
        &mut self,
        limits: &Limits,
        answer: &mut Answer,
        charge: &mut Charge,
        pace: Pace<'_>,
    ) -> Result<(), CompileError> {
        let start = Instant::now();
        // Calls go on, however small the budget is.
        let (expected, most) = (charge.spent(), charge.share());
        let mut buffer = vec![0; 256 << 10];
        loop {
            if !pace(start.elapsed()) {
                return Err(CompileError::Stopped);
            }
            if start.elapsed() > limits.time.saturating_mul(WALL_TIME_FACTOR) {
                return Err(CompileError::Failed(never_its_turn(limits)));
            }
            if !is_readable(&self.stdout).map_err(|e| broken(&e))? {
                charge.follow(expected.max(self.memory()).min(most));
                continue;
            }
            match self.stdout.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(read) => answer.add(&buffer[..read])?,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(broken(&e)),
            }
        }
    }

    /// Bytes that it takes at the moment.
    fn memory(&self) -> usize {
        let statm = std::fs::read_to_string(format!("/proc/{}/statm", self.child.id()));
        let pages = statm.ok().and_then(|statm| statm.split(' ').nth(1)?.parse::<usize>().ok());
        pages.unwrap_or(0).saturating_mul(rustix::param::page_size())
    }

    /// How it ended. It has closed its standard output, which is the last thing that it does.
    fn status(&mut self) -> Option<ExitStatus> {
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) if Instant::now() < end => std::thread::sleep(Duration::from_millis(2)),
                _ => return None,
            }
        }
    }

    /// Why it ended without an answer.
    fn end(&mut self, limits: &Limits, mut words: File) -> CompileError {
        let status = self.status();
        let mut text = Vec::new();
        let _ = words.seek(SeekFrom::Start(0));
        let _ = words.read_to_end(&mut text);
        let text = String::from_utf8_lossy(&text);
        let signal = status.and_then(|status| status.signal());
        match signal {
            _ if is_out_of_memory(&text) => CompileError::Refused(too_large(limits)),
            Some(XCPU) => CompileError::Refused(too_slow(limits)),
            // The hard limit of processor time ends it in this way as well as the system that is out
            // of memory.
            Some(KILL) => CompileError::Failed(format!(
                "the compiler was killed while it compiled this file, most likely because the machine is out of memory or it took more than {}; the next start tries again",
                humantime::format_duration(limits.time)
            )),
            Some(signal) => {
                let message = format!("the compiler crashed on it (signal {signal})");
                if CRASHES.contains(&signal) {
                    CompileError::Refused(message)
                } else {
                    CompileError::Failed(message)
                }
            }
            None => match panic(&text) {
                Some(words) => CompileError::Refused(format!("the compiler failed on it: {words}")),
                None => CompileError::Failed(match text.lines().last() {
                    Some(words) => format!("the compiler failed on it: {words}"),
                    None => "the compiler ended without an answer".into(),
                }),
            },
        }
    }
}

/// As Linux numbers them on all machines that wasmtime compiles for.
const KILL: i32 = 9;
const XCPU: i32 = 24;

/// What a process gets for what it does itself: illegal instruction, trap, abort, bus error,
/// arithmetic, segmentation fault, bad system call.
const CRASHES: [i32; 7] = [4, 5, 6, 7, 8, 11, 31];

/// Waits until there is something to read, or the end of it, for one tick.
fn is_readable(stdout: &ChildStdout) -> io::Result<bool> {
    let timeout = Timespec { tv_sec: 0, tv_nsec: TICK.subsec_nanos().into() };
    let mut waited = [PollFd::new(stdout, PollFlags::IN)];
    match poll(&mut waited, Some(&timeout)) {
        Ok(ready) => Ok(ready > 0),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(e) => Err(e.into()),
    }
}

/// An answer as it comes in.
struct Answer {
    /// The report with the length before it.
    head: Vec<u8>,
    /// Bytes of code that the report tells of, once that is there.
    expected: Option<u64>,
    code: File,
    size: u64,
    hasher: blake3::Hasher,
    /// What comes after the code.
    functions: Option<File>,
}

impl Answer {
    fn new() -> io::Result<Self> {
        Ok(Self {
            head: Vec::new(),
            expected: None,
            code: in_memory()?,
            size: 0,
            hasher: blake3::Hasher::new(),
            functions: None,
        })
    }

    fn add(&mut self, mut bytes: &[u8]) -> Result<(), CompileError> {
        while !bytes.is_empty() {
            let missing = match self.head.first_chunk() {
                Some(length) => (4 + u32::from_le_bytes(*length) as usize) - self.head.len(),
                None => 4 - self.head.len(),
            };
            if missing == 0 {
                break;
            }
            if missing > MAX_REPORT {
                return Err(CompileError::Failed("the compiler's answer is no answer".into()));
            }
            let (head, rest) = bytes.split_at(missing.min(bytes.len()));
            self.head.extend_from_slice(head);
            bytes = rest;
        }
        if bytes.is_empty() {
            return Ok(());
        }
        let expected = match self.expected {
            Some(expected) => expected,
            None => {
                let size = match self.report()?.map(|report| report.verdict) {
                    Some(Verdict::Compiled { size, .. }) => size,
                    _ => 0,
                };
                if size > MAX_CODE_SIZE {
                    let most = ByteSize(MAX_CODE_SIZE).display().iec();
                    let message = format!("its compiled code takes more than {most}");
                    return Err(CompileError::Refused(message));
                }
                *self.expected.insert(size)
            }
        };
        let missing = usize::try_from(expected - self.size).unwrap_or(usize::MAX);
        let (code, functions) = bytes.split_at(missing.min(bytes.len()));
        self.size += code.len() as u64;
        self.hasher.update(code);
        self.code.write_all(code).map_err(|e| no_room(&e))?;
        if functions.is_empty() {
            return Ok(());
        }
        let file = match &mut self.functions {
            Some(file) => file,
            none => none.insert(in_memory().map_err(|e| no_room(&e))?),
        };
        let size = file.stream_position().unwrap_or(0) + functions.len() as u64;
        if size > MAX_ARCHIVE {
            return Err(CompileError::Failed("the compiler's answer is no answer".into()));
        }
        file.write_all(functions).map_err(|e| no_room(&e))
    }

    /// The report, where it has come whole.
    fn report(&self) -> Result<Option<Report>, CompileError> {
        let Some((length, report)) = self.head.split_first_chunk() else { return Ok(None) };
        if report.len() < u32::from_le_bytes(*length) as usize {
            return Ok(None);
        }
        serde_json::from_slice(report).map(Some).map_err(|e| {
            CompileError::Unavailable(format!("the compiler's answer cannot be read: {e}"))
        })
    }
}

fn broken(e: &io::Error) -> CompileError {
    CompileError::Unavailable(format!("the compiler cannot be heard: {e}"))
}

/// As the standard library, wasmtime and the system say it.
fn is_out_of_memory(text: &str) -> bool {
    text.contains("memory allocation of") || text.contains("Cannot allocate memory")
}

fn too_large(limits: &Limits) -> String {
    format!(
        "compiling it takes more than {} of memory; if it is to be trusted, raise `compile_memory` of `[loading]`",
        ByteSize(limits.memory).display().iec()
    )
}

fn too_slow(limits: &Limits) -> String {
    format!(
        "compiling it takes more than {} of processor time; if it is to be trusted, raise `compile_time` of `[loading]`",
        humantime::format_duration(limits.time)
    )
}

/// The time was over before the processor time was: that says nothing of the file.
fn never_its_turn(limits: &Limits) -> String {
    format!(
        "compiling it was given up after {}, in which it did not get the {} of processor time that it may have: the machine is too busy; the next start tries again",
        humantime::format_duration(limits.time.saturating_mul(WALL_TIME_FACTOR)),
        humantime::format_duration(limits.time)
    )
}

/// What a panic said, without where in the host's sources it was.
fn panic(text: &str) -> Option<String> {
    let mut lines = text.lines().skip_while(|line| !line.contains("panicked at")).skip(1);
    let message: String = lines.next()?.chars().take(300).collect();
    Some(message)
}

#[cfg(test)]
mod tests {
    use super::super::component::About;
    use super::*;
    use crate::catalog::metadata::Sections;
    use crate::sandbox::Concurrency;

    #[test]
    fn an_answer_is_put_together_of_whatever_pieces() {
        let about = About { concurrency: Concurrency::Off, sections: Sections::default() };
        let verdict = Verdict::Compiled { about, size: 4 };
        let report = serde_json::to_vec(&Report { digest: String::new(), verdict }).unwrap();
        let mut whole = (report.len() as u32).to_le_bytes().to_vec();
        whole.extend(&report);
        whole.extend(b"codefunctions");
        for size in 1..whole.len() {
            let mut answer = Answer::new().unwrap();
            whole.chunks(size).for_each(|piece| answer.add(piece).unwrap());
            assert_eq!(answer.head[4..], report);
            assert_eq!((answer.size, answer.hasher.finalize()), (4, blake3::hash(b"code")));
            let mut functions = answer.functions.unwrap();
            functions.seek(SeekFrom::Start(0)).unwrap();
            assert_eq!(io::read_to_string(functions).unwrap(), "functions");
        }
        let mut answer = Answer::new().unwrap();
        assert!(answer.add(&u32::MAX.to_le_bytes()).is_ok() && answer.add(b"x").is_err());
    }

    #[test]
    fn a_panic_is_told_without_paths() {
        let text =
            "\nthread '<unnamed>' (7) panicked at /root/x/lib.rs:1:2:\nno such thing\nnote: run";
        assert_eq!(panic(text).as_deref(), Some("no such thing"));
        assert_eq!(panic("killed"), None);
    }
}
