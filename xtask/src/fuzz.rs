//! A short run of the fuzzer, so that it keeps compiling and the codecs meet some fresh input.
//! A long one is described in `host/fuzz/README.md`.

use std::fs;

use anyhow::{Context as _, Result};

use crate::project::Project;
use crate::{rustc, step};

/// The fuzzer's workspace.
pub(crate) const FOLDER: &str = "host/fuzz";

/// What has the compiler count the branches taken, for libFuzzer to see.
const INSTRUMENTATION: &str = "-Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

/// Fuzzes for some twenty seconds.
///
/// # Errors
///
/// When an input makes the codecs fail; it is then in `host/fuzz/artifacts/`.
pub(crate) fn run(project: &Project) -> Result<()> {
    let folder = project.root.join(FOLDER);
    for needed in ["corpus/pickle", "artifacts"] {
        fs::create_dir_all(folder.join(needed))
            .with_context(|| format!("cannot create {FOLDER}/{needed}"))?;
    }
    let rustc = step::read(project.command("rustc").arg("-vV"))?;
    let machine = rustc::field(&rustc, "host")?;
    let mut cargo = step::command("cargo", &folder);
    cargo.env("RUSTFLAGS", INSTRUMENTATION).args(["run", "--release", "--bin", "pickle"]);
    // Naming the target, though it is this machine, keeps the instrumentation off build scripts.
    cargo.args(["--target", &machine]);
    cargo.arg("--target-dir").arg(project.target.join("fuzz"));
    cargo.args(["--", "-dict=pickle.dict", "-artifact_prefix=artifacts/"]);
    cargo.args(["-max_total_time=20", "-max_len=4096", "-timeout=10", "-rss_limit_mb=2048"]);
    cargo.args(["-verbosity=0", "-print_final_stats=1", "corpus/pickle", "seeds/pickle"]);
    step::run(&mut cargo)
}
