//! Starts and stops the candidates, each a process of its own on a free port of loopback, and knows
//! how much CPU time each has used.

use std::env;
use std::fs;
use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use crate::{ANSWER, Places, QUESTION};

/// Compiling a guest on a busy machine takes a while.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// What a candidate is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Bare,
    Host,
    Wasmtime,
}

/// Something that a host does for the sake of trust with every call.
pub(crate) struct Guard {
    pub(crate) name: &'static str,
    config: &'static str,
    needs_token: bool,
}

/// Each by itself. The limits are never reached.
pub(crate) const GUARDS: [Guard; 3] = [
    Guard { name: "with a token", config: "", needs_token: true },
    Guard {
        name: "with limits",
        config: "[callers.address]\nrate = \"1000000/s\"\nbytes = \"1 TiB/s\"\n",
        needs_token: false,
    },
    Guard {
        name: "with an audit log",
        config: "[audit]\nfile = \"audit.jsonl\"\n",
        needs_token: false,
    },
];

/// A candidate that runs until this is dropped.
pub(crate) struct Server {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// What every request says of its caller.
    pub(crate) authorization: Option<String>,
    /// Such as `http://127.0.0.1:40123`.
    pub(crate) address: String,
    child: Child,
}

impl Server {
    /// The peer that only adds.
    pub(crate) fn bare() -> Result<Self> {
        let mut command = Command::new(env::current_exe()?);
        Self::start("bare hyper".into(), Kind::Bare, command.arg("--serve-bare"), &["listening on"])
    }

    /// The host, with the example `math` in a folder of its own, and with a guard if there is one.
    pub(crate) fn host(
        name: String,
        tarp: &Path,
        places: &Places,
        folder: &Path,
        guard: Option<&Guard>,
    ) -> Result<Self> {
        let procedures = folder.join("procedures");
        fs::create_dir_all(&procedures)?;
        fs::copy(places.guests.join("math.wasm"), procedures.join("math.wasm"))?;
        let data = folder.join("data");
        let authorization = match guard {
            Some(guard) if guard.needs_token => Some(format!("Bearer {}", token(tarp, &data)?)),
            _ => None,
        };
        let mut command = plain(tarp);
        command.current_dir(folder).arg("serve").arg(procedures).args(["--port", "0"]);
        let config = folder.join("tarp.toml");
        // As many as wrk can submit before they are done.
        let queue = "[jobs]\nmax_queue = 10_000_000\n";
        fs::write(&config, format!("{queue}{}", guard.map_or("", |guard| guard.config)))?;
        command.env("TARP_CONFIG", config);
        command.env("TARP_CACHE", folder.join("cache")).env("TARP_DATA", data);
        let mut server = Self::start(name, Kind::Host, &mut command, &["listening on", "ready:"])?;
        server.authorization = authorization;
        Ok(server)
    }

    /// `wasmtime serve`, with an equivalent component.
    pub(crate) fn wasmtime(wasmtime: &Path, places: &Places) -> Result<Self> {
        let component = build_component(places)?;
        let mut command = Command::new(wasmtime);
        command.args(["serve", "-Scli", "--addr", "127.0.0.1:0"]).arg(component);
        Self::start("wasmtime serve".into(), Kind::Wasmtime, &mut command, &["Serving HTTP on"])
    }

    /// Starts the command, and waits until it has said all of `signs`; the first has the address.
    fn start(name: String, kind: Kind, command: &mut Command, signs: &[&str]) -> Result<Self> {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        let mut server = Self { name, kind, authorization: None, address: String::new(), child };
        let (said, lines) = mpsc::channel();
        follow(server.child.stdout.take(), said.clone());
        follow(server.child.stderr.take(), said);
        let mut seen = Vec::new();
        for sign in signs {
            let line = loop {
                match lines.recv_timeout(START_TIMEOUT) {
                    Ok(line) if line.contains(sign) => break line,
                    Ok(line) => seen.push(line),
                    Err(_) => bail!("{} did not start: {}", server.name, seen.join("\n")),
                }
            };
            if server.address.is_empty() {
                let (_, address) = line.split_once("http://").context("no address")?;
                let end = |c: char| c == '/' || c == ',' || c.is_whitespace();
                let address = address.split(end).next().unwrap_or_default();
                server.address = format!("http://{address}");
            }
        }
        Ok(server)
    }

    /// Whether it answers rightly.
    pub(crate) fn check(&self) -> Result<()> {
        let mut request = ureq::get(format!("{}{QUESTION}", self.address));
        if let Some(authorization) = &self.authorization {
            request = request.header("Authorization", authorization);
        }
        let mut reply = request.call().with_context(|| self.name.clone())?;
        let body = reply.body_mut().read_to_string()?;
        ensure!(reply.status() == 200 && body == ANSWER, "{} answers {body}", self.name);
        Ok(())
    }

    /// Seconds of CPU time that the process has used.
    pub(crate) fn cpu(&self) -> Result<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The second field, a name in parentheses, may itself hold spaces and parentheses; user and
        // system time are the 14th and the 15th.
        let (_, fields) = stat.rsplit_once(')').context("/proc/PID/stat")?;
        let times = fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
        let ticks = times.sum::<Result<u64, _>>()?;
        Ok(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has nothing to lose, and may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `tarp` without what the environment says to it.
fn plain(tarp: &Path) -> Command {
    let mut command = Command::new(tarp);
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("TARP_") {
            command.env_remove(name);
        }
    }
    command
}

/// A new token that may call everything.
fn token(tarp: &Path, data: &Path) -> Result<String> {
    let mut create = plain(tarp);
    create.args(["token", "create", "bench", "--allow", "call:*", "--data"]).arg(data);
    let output = create.output().with_context(|| format!("cannot start {}", tarp.display()))?;
    let said = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(said.lines().last().unwrap_or_default().to_owned())
}

/// Hands on what is said, and goes on reading when nobody listens, so that nothing blocks.
fn follow(from: Option<impl Read + Send + 'static>, to: mpsc::Sender<String>) {
    let Some(from) = from else { return };
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            let _ = to.send(line);
        }
    });
}

/// Builds the host as it is released.
pub(crate) fn build_host(places: &Places) -> Result<PathBuf> {
    cargo(places, &["build", "--release", "--workspace", "--bins"])?;
    Ok(places.target.join("release/tarp"))
}

/// Builds the component for `wasmtime serve`.
fn build_component(places: &Places) -> Result<PathBuf> {
    let manifest = "bench/guests/add-http/Cargo.toml";
    cargo(
        places,
        &["build", "--release", "--target", "wasm32-wasip2", "--manifest-path", manifest],
    )?;
    Ok(places.target.join("wasm32-wasip2/release/add_http.wasm"))
}

fn cargo(places: &Places, arguments: &[&str]) -> Result<()> {
    let mut cargo = Command::new("cargo");
    cargo.args(arguments).arg("--target-dir").arg(&places.target).current_dir(&places.root);
    let status = cargo.status().context("cannot start cargo")?;
    ensure!(status.success(), "`cargo {}` failed", arguments.join(" "));
    Ok(())
}

/// `wasmtime` in the tools' folder or on the path.
pub(crate) fn find_wasmtime(places: &Places) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut folders = vec![places.target.join("tools/bin")];
    folders.extend(env::split_paths(&path));
    folders.into_iter().map(|folder| folder.join("wasmtime")).find(|file| file.is_file())
}
