//! The command line: arguments in, exit codes and messages out.
//!
//! The commands that talk to a running host are in a crate of their own, `tarp-remote`.

mod build;
mod check;
mod compile;
mod completions;
mod dev;
mod inspect;
mod local;
mod new;
mod screen;
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
    Call(tarp_remote::Call),
    Jobs(tarp_remote::Jobs),
    Completions(completions::Completions),
    New(new::New),
    Build(build::Build),
    Inspect(inspect::Inspect),
    Check(check::Check),
    Dev(dev::Dev),
    #[command(hide = true)]
    CompileComponent(compile::CompileComponent),
}

/// Runs what the command line asks for.
pub(crate) fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Call(call) => return call.run(),
        Command::Jobs(jobs) => return jobs.run(),
        Command::Serve(serve) => serve.run(),
        Command::Completions(completions) => completions.run::<Arguments>(),
        Command::New(new) => new.run(),
        Command::Build(build) => build.run(),
        Command::Inspect(inspect) => inspect.run(),
        Command::Check(check) => return finished(check.run()),
        Command::Dev(dev) => dev.run(),
        Command::CompileComponent(compile) => compile.run(),
    };
    finished(done.map(|()| ExitCode::SUCCESS))
}

fn finished(done: anyhow::Result<ExitCode>) -> ExitCode {
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("tarp: {error:#}");
            ExitCode::FAILURE
        }
    }
}
