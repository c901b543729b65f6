//! Running other programs so that a reader of the output can repeat what was run.
//!
//! Knows nothing of what the programs do, nor of the project.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use anyhow::{Context as _, Result, bail};

/// A command in the directory `at`, without what `cargo run` left in the environment: some build
/// scripts watch those variables, and would be built again after each change between `cargo
/// xtask` and plain cargo.
pub(crate) fn command(program: impl AsRef<OsStr>, at: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(at);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}

/// Prints the command and runs it, its output going where ours goes.
///
/// # Errors
///
/// Names the command when it cannot be started or does not end with 0.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    eprintln!("$ {}", line(command));
    let status = command.status().with_context(|| cannot_start(command))?;
    if !status.success() {
        bail!("`{}` failed: {status}", line(command));
    }
    Ok(())
}

/// Runs the command unseen and gives what it wrote to its standard output.
///
/// # Errors
///
/// Names the command when it cannot be started or does not end with 0, and gives what it wrote to
/// its standard error.
pub(crate) fn read(command: &mut Command) -> Result<String> {
    let Output { status, stdout, stderr } =
        command.stdin(Stdio::null()).output().with_context(|| cannot_start(command))?;
    if !status.success() {
        let said = String::from_utf8_lossy(&stderr);
        bail!("`{}` failed: {status}\n{}", line(command), said.trim());
    }
    Ok(String::from_utf8_lossy(&stdout).into_owned())
}

/// Whether the command can be started and ends with 0; what it writes is dropped.
pub(crate) fn works(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

fn cannot_start(command: &Command) -> String {
    format!("cannot start `{}`; is it installed?", command.get_program().display())
}

/// The command as one would type it in a shell.
fn line(command: &Command) -> String {
    let mut line = String::new();
    if let (Some(at), Ok(here)) = (command.get_current_dir(), std::env::current_dir())
        && at != here
    {
        let _ = write!(line, "cd {} && ", quoted(at.strip_prefix(here).unwrap_or(at).as_os_str()));
    }
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            let _ = write!(line, "{}={} ", name.display(), quoted(value));
        }
    }
    line += &quoted(command.get_program());
    for argument in command.get_args() {
        line.push(' ');
        line += &quoted(argument);
    }
    line
}

fn quoted(word: &OsStr) -> Cow<'_, str> {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word
    } else {
        format!("'{}'", word.replace('\'', r"'\''")).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printed_line_can_be_pasted_into_a_shell() {
        let mut command = command("echo", &std::env::current_dir().unwrap().join("src"));
        command.env("WORDS", "two words").args(["a'b", "", "--c=d"]);
        assert_eq!(line(&command), r"cd src && WORDS='two words' echo 'a'\''b' '' --c=d");
    }

    #[test]
    fn a_failure_names_the_command_and_what_it_said() {
        let here = Path::new(".");
        let script = "echo because >&2; exit 3";
        let error = read(command("sh", here).args(["-c", script])).unwrap_err().to_string();
        assert!(error.contains("exit 3") && error.ends_with("because"), "{error}");
        let error = run(&mut command("no-such-program", here)).unwrap_err().to_string();
        assert!(error.contains("`no-such-program`"), "{error}");
    }
}
