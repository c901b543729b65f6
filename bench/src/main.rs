//! Measures the host against its peers, all in one run, and prints one table.
//!
//! [`server`] starts and stops what is measured, [`load`] asks it as fast as it answers, [`bulk`]
//! moves a million numbers, [`jobs`] submits durable ones, [`report`] says what came of it; [`bare`] is the peer that can do no
//! more than add. What is measured, and why so, is in this folder's README.

mod bare;
mod bulk;
mod jobs;
mod load;
mod report;
mod server;

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, ensure};
use clap::Parser;

use bulk::{Caller, Pickles};
use load::Load;
use report::{Report, median};
use server::{Kind, Server};

/// What every candidate is asked, and what it must answer.
const QUESTION: &str = "/add?x=1&y=2";
const ANSWER: &str = r#"{"status":"success","mimetype":"application/json","result":3}"#;

/// Measures the host against its peers.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench", bin_name = "cargo xtask bench")]
struct Arguments {
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 5)]
    seconds: u32,
    /// How often each candidate has its turn.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Measure this `tarp` instead of building one; more than one of them are compared.
    #[arg(long, value_name = "FILE")]
    host: Vec<PathBuf>,
    /// Measure the host with a token, with limits for callers, and with an audit log, too.
    #[arg(long)]
    guards: bool,
    /// Leave out what moves a million numbers.
    #[arg(long)]
    no_bulk: bool,
    /// Leave out durable jobs.
    #[arg(long)]
    no_jobs: bool,
    /// Python for making pickles, with numpy if possible [default: that of the tests, or python3].
    #[arg(long, value_name = "FILE")]
    python: Option<PathBuf>,
    /// Serve as the bare peer, and do nothing else.
    #[arg(long, hide = true)]
    serve_bare: bool,
}

/// Where the benchmark finds things.
struct Places {
    root: PathBuf,
    target: PathBuf,
    guests: PathBuf,
}

impl Places {
    fn find() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("bench/ has a parent")?;
        let exe = env::current_exe()?;
        let target = exe.ancestors().nth(2).context("not run from cargo's target directory")?;
        let guests =
            env::var_os("TARP_GUESTS").map_or_else(|| target.join("test-guests"), PathBuf::from);
        ensure!(
            guests.join("math.wasm").exists(),
            "there is no math.wasm in {}; build it with `cargo xtask guests`",
            guests.display()
        );
        Ok(Self { root: root.into(), target: target.into(), guests })
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = if arguments.serve_bare { bare::serve() } else { run(&arguments) };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let places = Places::find()?;
    let temporary = tempfile::tempdir()?;
    let load = Load::new(&places)?;
    let hosts = if arguments.host.is_empty() {
        vec![server::build_host(&places)?]
    } else {
        // They start in a folder of their own.
        let absolute = arguments.host.iter().map(std::path::absolute);
        absolute.collect::<Result<_, _>>()?
    };
    let wasmtime = server::find_wasmtime(&places);
    let mut report = Report::new(&load, wasmtime.as_deref());

    let mut servers = vec![Server::bare()?];
    for (i, host) in hosts.iter().enumerate() {
        let name = if hosts.len() == 1 { "tarp".into() } else { host.display().to_string() };
        let folder = temporary.path().join(format!("host{i}"));
        servers.push(Server::host(name, host, &places, &folder, None)?);
    }
    if let [host] = hosts.as_slice()
        && arguments.guards
    {
        for (i, guard) in server::GUARDS.iter().enumerate() {
            let folder = temporary.path().join(format!("guard{i}"));
            servers.push(Server::host(guard.name.into(), host, &places, &folder, Some(guard))?);
        }
    }
    if let Some(wasmtime) = &wasmtime {
        servers.push(Server::wasmtime(wasmtime, &places)?);
    }
    for server in &servers {
        server.check()?;
        load.run(server, load::CONNECTIONS, 1)?;
    }

    // A B C A B C ..., so that what else the machine does meets all alike.
    for round in 0..arguments.rounds {
        eprintln!("16 connections, round {} of {}", round + 1, arguments.rounds);
        for server in &servers {
            let measured = load.run(server, load::CONNECTIONS, arguments.seconds)?;
            report.busy(server, measured);
        }
    }
    eprintln!("one connection");
    for server in (0..arguments.rounds).flat_map(|_| &servers) {
        report.idle(server, load.run(server, 1, 1)?);
    }
    if !arguments.no_bulk {
        let pickles = Pickles::new(&places, arguments.python.as_deref(), temporary.path());
        for request in &pickles.requests()? {
            eprintln!("a million numbers, {}", request.kind);
            let hosts = servers.iter().filter(|server| server.kind == Kind::Host);
            let callers = hosts.map(|host| Ok((host, Caller::new(host, request, &pickles)?)));
            let callers = callers.collect::<Result<Vec<_>>>()?;
            for _ in 0..arguments.rounds * bulk::CALLS {
                for (host, caller) in &callers {
                    report.bulk(host, request.kind, caller.time()?);
                }
            }
        }
    }
    if !arguments.no_jobs {
        eprintln!("durable jobs");
        let host = servers.iter().find(|server| server.kind == Kind::Host).context("no host")?;
        report.jobs(jobs::measure(&load, host, arguments.seconds)?);
    }
    report.print();
    Ok(())
}
