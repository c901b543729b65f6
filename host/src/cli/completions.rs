//! `tarp completions`: what a shell needs to complete this command line.
//!
//! The script that a shell gets asks `tarp` itself at each key, since only the host knows its procedures
//! and jobs.

use std::io::Write as _;

use anyhow::{Context as _, Result};
use clap::{Args, CommandFactory, ValueEnum};
use clap_complete::env::{CompleteEnv, Shells};

/// The variable by which a shell's script says that it asks, and which shell it is.
const VARIABLE: &str = "TARP_COMPLETE";

/// Print a script by which a shell completes `tarp`.
///
/// In bash, `source <(tarp completions bash)` in ~/.bashrc; in zsh, the same in ~/.zshrc, behind compinit;
/// in fish, `tarp completions fish > ~/.config/fish/completions/tarp.fish`. Procedures, their parameters and
/// jobs are those of the host of TARP_URL, or of the command line; a host that does not answer within a
/// second completes nothing.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Shell {
    Bash,
    Elvish,
    Fish,
    Powershell,
    Zsh,
}

impl Completions {
    /// Prints the script.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub(crate) fn run(self) -> Result<()> {
        let name = self.shell.to_possible_value().map(|value| value.get_name().to_owned());
        let name = name.unwrap_or_default();
        let shells = Shells::builtins();
        let shell = shells.completer(&name).with_context(|| format!("no script for {name}"))?;
        let mut script = Vec::new();
        shell.write_registration(VARIABLE, "tarp", "tarp", "tarp", &mut script)?;
        std::io::stdout().write_all(&script).context("cannot write the script")
    }
}

/// Answers a shell that asks, and ends; does nothing for anybody else.
pub(super) fn answer<C: CommandFactory>() {
    CompleteEnv::with_factory(C::command).var(VARIABLE).complete();
}
