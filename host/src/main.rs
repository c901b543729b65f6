//! The binary `tarp`. The command line is in [`cli`], everything else in the library.

mod allocator;
mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
