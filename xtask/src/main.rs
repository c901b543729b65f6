//! `cargo xtask`: sets up, demonstrates, tests and benchmarks the project.
//!
//! This file knows the command line and no more. Everything is done by other programs (cargo,
//! rustup, python3 ...); a module for each of them knows how to call it and what to say when it
//! is missing. Nothing here knows what the host does.

mod advisories;
mod apt;
mod bench;
mod book;
mod browser;
mod cargo_component;
mod checks;
mod debian_std;
mod demo;
mod environment;
mod fuzz;
mod guests;
mod languages;
mod nginx;
mod node;
mod project;
mod projects;
mod python;
mod pythons;
mod rust_tests;
mod rustc;
mod rustup_std;
mod step;
mod test;
mod wasm_target;

use std::process::ExitCode;

use anyhow::Result;
use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand};

use project::Project;

/// Sets up, demonstrates, tests and benchmarks the project.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Builds the host and the example procedures, and serves them.
    Demo {
        /// The port to serve on.
        #[arg(long, default_value_t = 8080, value_parser = clap::value_parser!(u16).range(1..))]
        port: u16,
        #[command(flatten)]
        machine: Machine,
    },
    /// Builds the example procedures into target/test-guests, where the tests look for them.
    Guests {
        #[command(flatten)]
        machine: Machine,
    },
    /// Sets up everything that the tests need and runs every test.
    ///
    /// All steps run, also after one has failed, except those that need what a failed step makes.
    Test {
        #[command(flatten)]
        machine: Machine,
        /// Only these steps; all of them if none is named.
        #[arg(value_name = "STEP", value_parser = PossibleValuesParser::new(test::names()))]
        steps: Vec<String>,
    },
    /// Runs the benchmarks, or with `python` first those of the Python client; the arguments are
    /// theirs.
    Bench {
        /// Passed on as they are.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

/// What may be changed.
#[derive(Args)]
struct Machine {
    /// Install what is missing on this machine: Debian's packages (as root), Rust's targets and components.
    ///
    /// Without it, nothing outside of the target folder is changed, and an error says what is missing.
    #[arg(long)]
    install: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments.task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<()> {
    let install = match &task {
        Task::Demo { machine, .. } | Task::Guests { machine } | Task::Test { machine, .. } => {
            machine.install
        }
        Task::Bench { .. } => false,
    };
    let project = Project::find(install)?;
    wasm_target::use_own_sysroot(&project);
    // Then the commands that are printed are short, and every relative path means the same.
    std::env::set_current_dir(&project.root)?;
    match task {
        Task::Demo { port, .. } => demo::run(&project, port),
        Task::Guests { .. } => {
            rust_tests::build_host(&project)?;
            guests::for_tests(&project)
        }
        Task::Test { steps, .. } => test::run(&project, &steps),
        Task::Bench { arguments } => bench::run(&project, &arguments),
    }
}
