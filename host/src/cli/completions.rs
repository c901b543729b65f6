//! `tarp completions`: what a shell needs to complete this command line.

use std::io::Write as _;

use anyhow::{Context as _, Result};
use clap::{Args, CommandFactory};
use clap_complete::Shell;

/// Print a script by which a shell completes `tarp`.
///
/// In bash, `source <(tarp completions bash)` in ~/.bashrc; in zsh, the script as `_tarp` in a folder of
/// $fpath; in fish, `tarp completions fish > ~/.config/fish/completions/tarp.fish`.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    /// Prints the script for this command line.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub(crate) fn run<C: CommandFactory>(self) -> Result<()> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut C::command(), "tarp", &mut script);
        std::io::stdout().write_all(&script).context("cannot write the script")
    }
}
