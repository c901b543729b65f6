//! The binary `tarp`. The command line is in [`cli`], everything else in the library.

mod allocator;
#[expect(
    clippy::disallowed_types,
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    reason = "it alone uses anyhow"
)]
mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
