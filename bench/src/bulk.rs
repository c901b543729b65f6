//! A list of a million `f64`, pickled, there and back.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use crate::Places;
use crate::server::Server;

/// Calls of each kind a round.
pub(crate) const CALLS: usize = 10;

/// What a caller can send: the file that `pickles.py` makes of it, its content type, and in words.
const KINDS: [(&str, &str, &str); 3] = [
    ("list.json", "application/json", "a list, RPC"),
    ("numpy.json", "application/json", "a numpy array, RPC"),
    ("numpy.pickle", "application/vnd.tarp.pickle", "a numpy array, raw pickle"),
];

/// A request with its million numbers.
pub(crate) struct Request {
    /// What it is, in words.
    pub(crate) kind: &'static str,
    name: &'static str,
    content_type: &'static str,
    body: Vec<u8>,
}

/// The Python that makes and reads pickles, and the folder for them.
pub(crate) struct Pickles<'a> {
    python: PathBuf,
    script: PathBuf,
    folder: &'a Path,
}

impl<'a> Pickles<'a> {
    pub(crate) fn new(places: &Places, python: Option<&Path>, folder: &'a Path) -> Self {
        let of_the_tests = places.target.join("venv/bin/python");
        let python = match python {
            Some(python) => python.into(),
            None if of_the_tests.exists() => of_the_tests,
            None => "python3".into(),
        };
        Self { python, script: places.root.join("bench/pickles.py"), folder }
    }

    /// Makes the requests, before anything is timed.
    ///
    /// # Errors
    ///
    /// When Python cannot make them.
    pub(crate) fn requests(&self) -> Result<Vec<Request>> {
        self.run("make", None)?;
        let made = KINDS.into_iter().filter_map(|(name, content_type, kind)| {
            let body = fs::read(self.folder.join(name)).ok()?;
            Some(Request { kind, name, content_type, body })
        });
        Ok(made.collect())
    }

    fn check(&self, request: &Request, reply: &[u8]) -> Result<()> {
        fs::write(self.folder.join("reply"), reply)?;
        self.run("check", Some(request.name))
    }

    fn run(&self, task: &str, name: Option<&str>) -> Result<()> {
        let mut command = Command::new(&self.python);
        let status = command.arg(&self.script).arg(task).arg(self.folder).args(name).status();
        let status = status.with_context(|| format!("cannot start {}", self.python.display()))?;
        ensure!(status.success(), "{} {task} failed", self.script.display());
        Ok(())
    }
}

/// One connection to a server, over which a request is sent again and again.
pub(crate) struct Caller<'a> {
    agent: ureq::Agent,
    url: String,
    request: &'a Request,
}

impl<'a> Caller<'a> {
    /// Makes one call, and checks what comes back.
    ///
    /// # Errors
    ///
    /// When it fails or the reply is wrong.
    pub(crate) fn new(
        server: &Server,
        request: &'a Request,
        pickles: &Pickles<'_>,
    ) -> Result<Self> {
        let url = format!("{}/scale", server.address);
        let caller = Self { agent: ureq::agent(), url, request };
        let reply = caller.call().with_context(|| format!("{}: scale", server.name))?;
        pickles.check(request, &reply)?;
        Ok(caller)
    }

    /// How long one call takes, from the request's first byte to the reply's last.
    ///
    /// # Errors
    ///
    /// When it fails.
    pub(crate) fn time(&self) -> Result<Duration> {
        let start = Instant::now();
        self.call()?;
        Ok(start.elapsed())
    }

    fn call(&self) -> Result<Vec<u8>> {
        let request = self.agent.post(&self.url).content_type(self.request.content_type);
        let mut reply =
            request.header("accept", self.request.content_type).send(&self.request.body[..])?;
        Ok(reply.body_mut().with_config().limit(1 << 30).read_to_vec()?)
    }
}
