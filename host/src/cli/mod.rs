//! The command line: arguments in, exit codes and messages out.
//!
//! The commands that talk to a running host are in a crate of their own, `tarp-cli-client`.

mod build;
mod check;
mod compile;
mod completions;
mod confine;
mod dev;
mod directories;
mod exposure;
mod init;
mod inspect;
mod local;
mod lock;
mod log;
mod new;
mod screen;
mod serve;
mod sources;
mod token;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};
use tarp_cli_client::words::prepared;

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
    Init(init::Init),
    List(tarp_cli_client::List),
    Call(tarp_cli_client::Call),
    Jobs(tarp_cli_client::Jobs),
    Deploy(tarp_cli_client::Deploy),
    Rollback(tarp_cli_client::Rollback),
    Versions(tarp_cli_client::Versions),
    Completions(completions::Completions),
    New(new::New),
    Build(build::Build),
    Inspect(inspect::Inspect),
    Check(check::Check),
    Lock(lock::Lock),
    Dev(dev::Dev),
    Token(token::Token),
    #[command(hide = true)]
    CompileComponent(compile::CompileComponent),
}

/// Runs what the command line asks for.
pub(crate) fn main() -> ExitCode {
    completions::answer::<Arguments>();
    let done = match Arguments::parse_from(prepared(std::env::args_os())).command {
        Command::Call(call) if call.wants_own_help() => return help_of("call"),
        Command::Call(call) => return call.run(),
        Command::List(list) => return list.run(),
        Command::Jobs(jobs) => return jobs.run(),
        Command::Deploy(deploy) => return deploy.run(),
        Command::Rollback(rollback) => return rollback.run(),
        Command::Versions(versions) => return versions.run(),
        Command::Serve(serve) => serve.run(),
        Command::Init(init) => init.run(),
        Command::Completions(completions) => completions.run(),
        Command::New(new) => new.run(),
        Command::Build(build) => build.run(),
        Command::Inspect(inspect) => inspect.run(),
        Command::Check(check) => return finished(check.run()),
        Command::Lock(lock) => lock.run(),
        Command::Dev(dev) => dev.run(),
        Command::Token(token) => token.run(),
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
            eprintln!("tarp: {}", told(&error));
            ExitCode::FAILURE
        }
    }
}

/// An error with its causes, but for those that it has in its own words already.
fn told(error: &anyhow::Error) -> String {
    let mut text = error.to_string().trim_end().to_owned();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        let cause = cause.trim_end();
        if !text.contains(cause) {
            text.push_str(": ");
            text.push_str(cause);
        }
    }
    text
}
