//! Where the project's files are. Knows no other program than cargo, and nothing of the tasks.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::step;

/// The workspace of the examples: what a user would copy.
pub(crate) const EXAMPLES: &str = "examples/guests";

/// The target that cargo builds components for.
pub(crate) const WASIP2: &str = "wasm32-wasip2";

/// The target that cargo-component builds for.
pub(crate) const WASIP1: &str = "wasm32-wasip1";

/// All targets that the guests together need.
pub(crate) const WASM_TARGETS: [&str; 2] = [WASIP2, WASIP1];

/// The places that the tasks share.
pub(crate) struct Project {
    /// The root of the repository.
    pub(crate) root: PathBuf,
    /// The folder for everything built, of all workspaces.
    pub(crate) target: PathBuf,
    /// Whether the user allows changes of the machine outside of the target folder.
    pub(crate) install: bool,
    /// The sysroot with WebAssembly's standard library, where the compiler's own has none.
    sysroot: OnceCell<PathBuf>,
}

impl Project {
    /// The project that this program was built from, with `install` as the user has it.
    ///
    /// # Errors
    ///
    /// When cargo cannot read the workspace.
    pub(crate) fn find(install: bool) -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask/ has a parent")?;
        let mut project =
            Self { root: root.into(), target: PathBuf::new(), install, sysroot: OnceCell::new() };
        let metadata = project.metadata("Cargo.toml")?;
        let target = metadata["target_directory"].as_str().context("cargo metadata: no target")?;
        project.target = target.into();
        Ok(project)
    }

    /// The `tarp` of the development profile.
    pub(crate) fn host(&self) -> PathBuf {
        self.target.join("debug/tarp")
    }

    /// Where the tests find the example procedures.
    pub(crate) fn test_guests(&self) -> PathBuf {
        self.target.join("test-guests")
    }

    /// A program of the tests' virtual environment.
    pub(crate) fn venv_program(&self, name: &str) -> PathBuf {
        self.target.join("venv/bin").join(name)
    }

    /// A command in the root of the repository.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = step::command(program, &self.root);
        self.point_at_sysroot(&mut command);
        command
    }

    /// Has everything that is compiled for WebAssembly from now on use this sysroot.
    pub(crate) fn use_sysroot(&self, sysroot: PathBuf) {
        // The first one stays; there is one place for it.
        let _ = self.sysroot.set(sysroot);
    }

    /// Lets a command, and the cargo that it may call, find WebAssembly's standard library.
    pub(crate) fn point_at_sysroot(&self, command: &mut Command) {
        if let Some(sysroot) = self.sysroot.get() {
            for target in WASM_TARGETS {
                let target = target.to_uppercase().replace('-', "_");
                let flags = format!("--sysroot={}", sysroot.display());
                command.env(format!("CARGO_TARGET_{target}_RUSTFLAGS"), flags);
            }
        }
    }

    /// Cargo, for one of its subcommands.
    pub(crate) fn cargo(&self, subcommand: &str) -> Command {
        let mut cargo = self.command("cargo");
        cargo.arg(subcommand);
        cargo
    }

    /// What cargo knows of the workspace with this manifest, without its dependencies.
    ///
    /// # Errors
    ///
    /// When cargo cannot read it.
    pub(crate) fn metadata(&self, manifest: &str) -> Result<Value> {
        let mut cargo = self.cargo("metadata");
        cargo.args(["--no-deps", "--format-version", "1", "--manifest-path", manifest]);
        serde_json::from_str(&step::read(&mut cargo)?).context("cargo metadata: not JSON")
    }
}
