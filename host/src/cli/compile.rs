//! `tarp compile-component`: the process in which a host compiles one component. It is no command for
//! people.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::Args;

/// Compile the component on standard input for the host that asks for it.
#[derive(Debug, Args)]
pub(crate) struct CompileComponent {
    /// Bytes of memory that it may take
    #[arg(long)]
    memory: u64,
    /// Seconds of processor time that it may take
    #[arg(long)]
    seconds: u64,
    /// The process that asks for it
    #[arg(long)]
    parent: u32,
    /// Bytes of the component
    #[arg(long)]
    size: u64,
    /// Functions of an earlier version are behind the component
    #[arg(long)]
    functions: bool,
}

impl CompileComponent {
    /// Compiles.
    ///
    /// # Errors
    ///
    /// Where there is nobody to answer to.
    pub(crate) fn run(self) -> Result<()> {
        let time = Duration::from_secs(self.seconds);
        let Self { memory, parent, size, functions, .. } = self;
        Ok(tarp_host::catalog::compile_from_stdin(memory, time, parent, size, functions)?)
    }
}

/// The program that compiles components: this one, even where its file has been replaced since.
pub(super) fn compiler() -> Option<PathBuf> {
    Some(PathBuf::from("/proc/self/exe"))
}
