//! A disk that fails on demand: a test runs again in a process of its own, into which `faults.c` is
//! loaded.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const TRIGGERS: &str = "TARP_FAULTS";

/// Where the store is, in the process with the faults.
const STORE: &str = "TARP_FAULTS_STORE";

/// Runs `scenario` in another process, with faults on the store's file whose name ends so, and then
/// `after` here. `test` is the calling test's name.
pub(crate) fn with_faults(test: &str, on: &str, scenario: fn(&Path), after: fn(&Path)) {
    if let Some(store) = std::env::var_os(STORE) {
        return scenario(Path::new(&store));
    }
    let directory = tempfile::tempdir().unwrap();
    let library = directory.path().join("faults.so");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/job_store/sqlite/faults.c");
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-Wall", "-o"])
        .args([library.as_os_str(), source.as_ref(), "-ldl".as_ref()])
        .status();
    assert!(compiled.expect("a C compiler").success());
    let store = directory.path().join("store");
    let triggers = directory.path().join("triggers");
    fs::create_dir(&triggers).unwrap();
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env("LD_PRELOAD", library)
        .env("TARP_FAULTS_ON", on)
        .env(TRIGGERS, triggers)
        .env(STORE, &store)
        .status();
    assert!(status.unwrap().success(), "the scenario failed, see above");
    after(&store);
}

/// A fault, until it is dropped.
pub(crate) struct Fault(PathBuf);

impl Fault {
    pub(crate) fn of(kind: &str, content: &str) -> Self {
        let path = Path::new(&std::env::var_os(TRIGGERS).unwrap()).join(kind);
        fs::write(&path, content).unwrap();
        Self(path)
    }
}

impl Drop for Fault {
    fn drop(&mut self) {
        fs::remove_file(&self.0).unwrap();
    }
}
