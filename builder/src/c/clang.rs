//! clang with all that it takes for WebAssembly: a linker, wasi-libc and the compiler's own runtime.
//!
//! The author's, or that of a WASI SDK, which has all of it, in the folder that `WASI_SDK_PATH` names.
//! Knows nothing of WIT.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::bindings::Bindings;
use super::project::{BINDINGS, Project};
use crate::BuildError;
use crate::report::Step;
use crate::request::inside;
use crate::tools::Tool;

/// What is asked for, newest first: clang before version 18 knows only the last.
const TARGETS: [&str; 2] = ["wasm32-wasip1", "wasm32-wasi"];

const FOR: &str = "to build procedures in C";

/// Where the pieces are to be had. The names of packages differ with every system, so only those that
/// were tried are told; the SDK is the same everywhere.
const INSTALL_HINT: &str = "on Debian `apt-get install clang lld wasi-libc \
    libclang-rt-dev-wasm32` brings all of it; elsewhere unpack a WASI SDK from \
    https://github.com/WebAssembly/wasi-sdk/releases and name its folder in the environment variable \
    WASI_SDK_PATH";

/// A clang that can make WebAssembly.
#[derive(Debug)]
pub(super) struct Clang {
    program: PathBuf,
    target: &'static str,
}

impl Clang {
    /// The one to use: of the SDK, `CLANG`, or `clang` on the path.
    ///
    /// # Errors
    ///
    /// Says which of its parts is missing, and how to get it.
    pub(super) fn find() -> Result<Self, BuildError> {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let program = match (variable("WASI_SDK_PATH"), variable("CLANG")) {
            (Some(sdk), _) => PathBuf::from(sdk).join("bin/clang"),
            (None, Some(clang)) => clang.into(),
            (None, None) => "clang".into(),
        };
        let targets = TARGETS.iter().copied();
        let reactor = |target: &&str| asked(&program, target, "-print-file-name=crt1-reactor.o");
        let mut target = None;
        for candidate in targets {
            if reactor(&candidate)?.is_file() {
                target = Some(candidate);
                break;
            }
        }
        let Some(target) = target else { return Err(missing("wasi-libc")) };
        if !asked(&program, target, "-print-libgcc-file-name")?.is_file() {
            return Err(missing("clang's own library for wasm32 (libclang_rt.builtins)"));
        }
        if !asked(&program, target, "-print-prog-name=wasm-ld")?.is_file() {
            return Err(missing("wasm-ld (lld)"));
        }
        Ok(Self { program, target })
    }

    /// The core module, and what clang warns of. Flags in `CFLAGS` and `LDFLAGS` are taken as make
    /// does.
    ///
    /// # Errors
    ///
    /// clang's own words, where the author's files have mistakes.
    pub(super) fn compile(
        &self,
        project: &Project,
        bindings: &Bindings,
        step: &Step<'_>,
    ) -> Result<(Vec<u8>, String), BuildError> {
        let work = tempfile::tempdir().map_err(BuildError::io(std::env::temp_dir()))?;
        let include = inside(&project.folder, BINDINGS);
        let mut warnings = String::new();
        let mut objects = Vec::new();
        for (index, source) in project.sources.iter().enumerate() {
            let object = work.path().join(format!("{index}.o"));
            let clang = self.tool().args(["-c", "-O2", "-Wall", "-Wextra"]).arg("-I").arg(&include);
            let clang = clang.args(flags("CFLAGS")).arg(source).arg("-o").arg(&object);
            clang.run_with(|line| {
                step.output(line);
                warnings += line;
                warnings.push('\n');
            })?;
            objects.push(object);
        }
        let core = work.path().join("core.wasm");
        // What is generated is not the author's to mend.
        let clang = self.tool().args(["-O2", "-w", "-mexec-model=reactor"]).args(objects);
        let clang = clang.args(bindings.parts(&project.folder)).args(flags("LDFLAGS"));
        clang.arg("-o").arg(&core).run(step)?;
        let bytes = fs::read(&core).map_err(BuildError::io(core))?;
        Ok((bytes, warnings.trim_end().to_owned()))
    }

    fn tool(&self) -> Tool {
        Tool::new(&self.program, FOR, INSTALL_HINT).arg(format!("--target={}", self.target))
    }
}

/// A path that clang knows for a target; a bare name where there is no such file.
fn asked(program: &Path, target: &str, question: &str) -> Result<PathBuf, BuildError> {
    let mut command = Command::new(program);
    let answer = command.arg(format!("--target={target}")).arg(question).output();
    let answer = answer.map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => missing(&program.display().to_string()),
        _ => BuildError::io(program)(error),
    })?;
    Ok(PathBuf::from(String::from_utf8_lossy(&answer.stdout).trim()))
}

fn missing(part: &str) -> BuildError {
    BuildError::MissingTool {
        program: part.into(),
        purpose: FOR.into(),
        state: "is not installed".into(),
        cure: INSTALL_HINT.into(),
    }
}

/// The flags in a variable of the environment, as make has them.
fn flags(variable: &str) -> Vec<String> {
    let flags = std::env::var(variable).unwrap_or_default();
    flags.split_whitespace().map(Into::into).collect()
}
