//! Why a guest was stopped, in words for its caller.

use bytesize::ByteSize;
use wasmtime::{Error, PoolConcurrencyLimitError, Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

use super::abi::{RepeatedKey, ResultTooLarge};
use super::files::TooManyFiles;
use super::state::{CallState, MemoryLimitReached};
use crate::budget::NoRoom;
use crate::config::Limits;
use crate::error::{CallError, ErrorKind};

/// How a call ended that returned nothing.
pub(super) enum Stop {
    /// Its time was up.
    Deadline,
    /// wasmtime says why.
    Failed(Error),
}

/// The failure that the caller sees: which limit or trap, the guest's own words, and the cure.
pub(super) fn explain(
    name: &str,
    stop: Stop,
    limits: &Limits,
    state: &CallState,
    stderr: &str,
) -> CallError {
    let (kind, message, backtrace) = match stop {
        Stop::Deadline => (
            ErrorKind::DeadlineExceeded,
            format!(
                "`{name}` did not finish within its deadline of {}; give it less to do or a longer `deadline`",
                humantime::format_duration(limits.deadline)
            ),
            None,
        ),
        Stop::Failed(error) => {
            let (kind, message) = classify(name, &error, limits, state, stderr);
            (kind, message, error.downcast_ref::<WasmBacktrace>().map(ToString::to_string))
        }
    };
    let error = CallError::new(kind, message);
    let error = if kind == ErrorKind::Overloaded { error.retry_after(1) } else { error };
    CallError { backtrace, ..error }
}

fn classify(
    name: &str,
    error: &Error,
    limits: &Limits,
    state: &CallState,
    stderr: &str,
) -> (ErrorKind, String) {
    let trap = error.downcast_ref::<Trap>();
    if error.is::<MemoryLimitReached>() || (state.memory.denied.is_some() && trap.is_some()) {
        return (
            ErrorKind::OutOfMemory,
            format!(
                "`{name}` needs more than its {} of memory; give it less data or a higher `memory`",
                ByteSize(limits.memory as u64).display().iec()
            ),
        );
    }
    if trap == Some(&Trap::OutOfFuel) {
        return (
            ErrorKind::OutOfFuel,
            format!(
                "`{name}` used up its fuel of {} units; give it less to do or more `fuel`",
                limits.fuel
            ),
        );
    }
    if error.is::<ResultTooLarge>() {
        return (
            ErrorKind::TooLarge,
            format!(
                "the result of `{name}` takes more than {}; return less or set a higher `result`",
                ByteSize(limits.result as u64).display().iec()
            ),
        );
    }
    if let Some(repeated) = error.downcast_ref::<RepeatedKey>() {
        return (
            ErrorKind::Trap,
            format!("`{name}` was stopped: {repeated}, and each key comes once"),
        );
    }
    if let Some(no_room) = error.downcast_ref::<NoRoom>() {
        let refused = CallError::from(no_room.clone());
        // What never fits is the guest's affair, and no reason to try again.
        let kind = if no_room.is_hopeless { ErrorKind::OutOfMemory } else { refused.kind };
        return (kind, format!("`{name}` got no memory: {}", refused.message));
    }
    if error.is::<PoolConcurrencyLimitError>() {
        return (ErrorKind::Overloaded, "every place for a call is taken; try again later".into());
    }
    if error.is::<TooManyFiles>() {
        return (ErrorKind::Overloaded, format!("`{name}` cannot open a file: {TooManyFiles}"));
    }
    if let Some(I32Exit(code)) = error.downcast_ref::<I32Exit>() {
        return (
            ErrorKind::Trap,
            format!("`{name}` ended itself with exit code {code} instead of returning"),
        );
    }
    if let Some(panic) = panic_message(stderr) {
        return (ErrorKind::Trap, format!("`{name}` panicked {panic}"));
    }
    let reason = match trap {
        Some(Trap::StackOverflow) => "its stack overflowed; it may call itself without end".into(),
        // Rust's own stack lies in linear memory, and what overflows it runs into the memory's end.
        Some(Trap::MemoryOutOfBounds) => {
            "out of bounds memory access; it may call itself without end".into()
        }
        Some(trap) => trap.to_string(),
        None => format!("{:#}", error.root_cause()),
    };
    let said = last_lines(stderr);
    let said = if said.is_empty() { String::new() } else { format!("\n{said}") };
    (ErrorKind::Trap, format!("`{name}` was stopped: {reason}{said}"))
}

/// The place and the text of a Rust panic: `at src/lib.rs:3:5: it broke`.
fn panic_message(stderr: &str) -> Option<String> {
    let (_, panic) = stderr.rsplit_once("' panicked ").or_else(|| {
        // Newer toolchains put the thread's id between its name and the verb.
        let (_, rest) = stderr.rsplit_once("\nthread '")?;
        rest.split_once(" panicked ")
    })?;
    let panic = panic.split("\nnote: run with `RUST_BACKTRACE").next()?;
    let (place, text) = panic.split_once(":\n")?;
    Some(format!("{place}: {}", text.trim_end()))
}

/// The end of what the guest wrote, which in most languages says what went wrong.
fn last_lines(stderr: &str) -> &str {
    const MAX_LENGTH: usize = 2000;
    let text = stderr.trim_end();
    let start = text.len().saturating_sub(MAX_LENGTH);
    let start = (start..=text.len()).find(|&i| text.is_char_boundary(i)).unwrap_or(0);
    &text[start..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_found_behind_other_output() {
        for thread in ["thread '<unnamed>' panicked", "thread '<unnamed>' (1) panicked"] {
            let stderr = format!(
                "warming up\n\n{thread} at src/lib.rs:3:5:\nit broke\nin two lines\nnote: run with `RUST_BACKTRACE=1`\n"
            );
            assert_eq!(
                panic_message(&stderr).unwrap(),
                "at src/lib.rs:3:5: it broke\nin two lines"
            );
        }
        assert_eq!(panic_message("Traceback: ..."), None);
    }

    #[test]
    fn only_the_end_of_long_output_is_quoted() {
        let stderr = format!("{}end\n", "é".repeat(5000));
        assert!(last_lines(&stderr).ends_with("end") && last_lines(&stderr).len() <= 2000);
    }
}
