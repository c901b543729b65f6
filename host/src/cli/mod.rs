//! The command line: arguments in, exit codes and messages out.

mod serve;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A host for procedures that are WebAssembly components.
#[derive(Debug, Parser)]
#[command(name = "tarp", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
}

/// Runs what the command line asks for.
pub(crate) fn main() -> ExitCode {
    let Command::Serve(serve) = Arguments::parse().command;
    match serve.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tarp: {error:#}");
            ExitCode::FAILURE
        }
    }
}
