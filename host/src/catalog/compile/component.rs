//! A component that is made into code, in whatever process: what is made of it, and why it is not.

use std::fs::File;
use std::io;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use wasmparser::Parser;

use crate::catalog::metadata::Sections;
use crate::sandbox::Concurrency;

/// Bytes of a component: far above what tool chains make, far below what could hurt.
pub(in crate::catalog) const MAX_FILE_SIZE: u64 = 512 << 20;

/// Bytes of compiled code.
pub(super) const MAX_CODE_SIZE: u64 = 2 << 30;

/// A component as compiled code, with what else is known of it.
pub(in crate::catalog) struct Compiled {
    /// A file without a name, in memory.
    pub(in crate::catalog) code: File,
    pub(in crate::catalog) sum: blake3::Hash,
    pub(in crate::catalog) about: About,
    /// An archive of its functions, for the next version of it, where that is worth its room.
    pub(in crate::catalog) functions: Option<File>,
}

/// What is known of a component beside its code.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::catalog) struct About {
    /// The engine that it is compiled for.
    pub(in crate::catalog) concurrency: Concurrency,
    pub(in crate::catalog) sections: Sections,
}

/// Why a file is not a component that this host can use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::catalog) enum NotUsable {
    /// A part of a component.
    #[error(
        "a core module, not a component; build it with `cargo build --target wasm32-wasip2`, or with `cargo component build`"
    )]
    CoreModule,
    /// Nothing.
    #[error("an empty file")]
    Empty,
    /// Of another time.
    #[error(
        "WebAssembly of a version that this host does not know; update the host, or build it with older tools"
    )]
    OtherVersion,
    /// Anything else.
    #[error("not WebAssembly: it does not begin as a component does")]
    NoWasm,
    /// The engine refuses it.
    #[error("not a usable component: {refusal}{cure}")]
    Refused {
        /// In wasmtime's words.
        refusal: String,
        /// What to do about it, where that is known.
        cure: &'static str,
    },
}

/// Why a component was not compiled, in words for its owner: those of another process, perhaps.
#[derive(Debug, thiserror::Error)]
pub(in crate::catalog) enum CompileError {
    /// For a reason that lies in the file: under the same limits it would be refused again.
    #[error("{0}")]
    Refused(String),
    /// While it was compiled, for a reason that need not lie in the file. It is not tried again before
    /// the next start.
    #[error("{0}")]
    Failed(String),
    /// For a reason that may pass.
    #[error("{0}")]
    Unavailable(String),
    /// Whoever wanted it did not want it any more.
    #[error("it was not wanted any more")]
    Stopped,
}

/// Is asked several times a second, with the time since the start, whether to go on.
pub(in crate::catalog) type Pace<'a> = &'a mut dyn FnMut(Duration) -> bool;

/// Compiles and reads a component, in whatever process.
pub(super) fn compile(
    component: &[u8],
    precompile: impl Fn(&[u8]) -> wasmtime::Result<(Concurrency, Vec<u8>)>,
) -> Result<(About, Vec<u8>), NotUsable> {
    check_kind(component)?;
    let (concurrency, code) = precompile(component).map_err(|e| explained(&format!("{e:#}")))?;
    Ok((About { concurrency, sections: Sections::read(component) }, code))
}

/// Whether the file begins as a component does; the mistakes that are made most get their own words.
pub(in crate::catalog) fn check_kind(beginning: &[u8]) -> Result<(), NotUsable> {
    if Parser::is_component(beginning) {
        Ok(())
    } else if Parser::is_core_wasm(beginning) {
        Err(NotUsable::CoreModule)
    } else if beginning.is_empty() {
        Err(NotUsable::Empty)
    } else if beginning.starts_with(b"\0asm") {
        Err(NotUsable::OtherVersion)
    } else {
        Err(NotUsable::NoWasm)
    }
}

/// wasmtime's refusal, with what to do about it where that is known.
fn explained(refusal: &str) -> NotUsable {
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
    NotUsable::Refused { refusal: refusal.to_owned(), cure }
}

/// Why compiled code was not accepted: it needs more than the host sets aside for a component.
pub(in crate::catalog) fn beyond_limits(refusal: &str) -> CompileError {
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
    if is_limit { CompileError::Refused(message) } else { CompileError::Failed(message) }
}

/// A file without a name that is gone when nobody has it any more.
pub(super) fn in_memory() -> io::Result<File> {
    use rustix::fs::{MemfdFlags, memfd_create};
    Ok(File::from(memfd_create("compiled", MemfdFlags::CLOEXEC)?))
}

pub(super) fn unreadable(e: &io::Error) -> CompileError {
    CompileError::Unavailable(format!("cannot be read: {e}"))
}

pub(super) fn changed() -> CompileError {
    CompileError::Unavailable("it changed while it was read".into())
}

pub(super) fn no_room(e: &io::Error) -> CompileError {
    CompileError::Unavailable(format!("no memory for its compiled code: {e}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_newer_tools_made_says_so() {
        let explained = |refusal| explained(refusal).to_string();
        let newer = explained("invalid leading byte (0x47) for component defined type");
        assert!(newer.contains("newer tools"), "{newer}");
        assert!(!explained("type mismatch").contains("newer"));
        assert!(
            check_kind(b"\0asm\x0e\0\x01\0").unwrap_err().to_string().contains("update the host")
        );
    }
}
