//! The command line: arguments in, exit codes and messages out.
//!
//! The commands that talk to a running host are in a crate of their own, `tarp-remote`.

mod build;
mod check;
mod compile;
mod completions;
mod dev;
mod directories;
mod inspect;
mod local;
mod new;
mod screen;
mod serve;
mod sources;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

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
    List(tarp_remote::List),
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
    completions::answer::<Arguments>();
    let done = match Arguments::parse().command {
        Command::Call(call) if call.wants_own_help() => return help_of("call"),
        Command::Call(call) => return call.run(),
        Command::List(list) => return list.run(),
        Command::Jobs(jobs) => return jobs.run(),
        Command::Serve(serve) => serve.run(),
        Command::Completions(completions) => completions.run(),
        Command::New(new) => new.run(),
        Command::Build(build) => build.run(),
        Command::Inspect(inspect) => inspect.run(),
        Command::Check(check) => return finished(check.run()),
        Command::Dev(dev) => dev.run(),
        Command::CompileComponent(compile) => compile.run(),
    };
    finished(done.map(|()| ExitCode::SUCCESS))
}

/// Prints a command's help as clap does of those whose flag it handles: shorter for `-h`.
fn help_of(name: &str) -> ExitCode {
    let is_short = std::env::args().any(|word| word == "-h");
    let mut all = Arguments::command();
    all.build();
    let Some(command) = all.find_subcommand_mut(name) else { return ExitCode::FAILURE };
    let printed = if is_short { command.print_help() } else { command.print_long_help() };
    finished(printed.map(|()| ExitCode::SUCCESS).map_err(Into::into))
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
