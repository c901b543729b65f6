//! The binary `tarp`. The command line is in [`cli`], everything else in the library.

mod cli;

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// A call allocates some hundred small things and frees them at once, mostly on one thread.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    cli::main()
}
