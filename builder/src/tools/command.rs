//! Running a program of a tool chain: what it says goes to the reporter and, where it fails, into
//! the error.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use crate::BuildError;
use crate::report::Step;

/// How much of what a program says is kept for an error: the end, where the reasons are.
const KEPT: usize = 16 << 10;

/// A program to run.
#[derive(Debug)]
pub struct Tool {
    command: Command,
    what_for: &'static str,
    cure: &'static str,
    /// Whether its standard output is for a program.
    gives_data: bool,
}

impl Tool {
    /// A program, what it is needed for ("to build procedures in Python"), and how its user gets it,
    /// should it be missing.
    pub fn new(program: impl AsRef<OsStr>, what_for: &'static str, cure: &'static str) -> Self {
        let mut command = Command::new(program);
        command.stdin(Stdio::null());
        // No tool shall colour what ends up in an error or a JSON string.
        command.env("NO_COLOR", "1").env_remove("CLICOLOR_FORCE").env_remove("FORCE_COLOR");
        Self { command, what_for, cure, gives_data: false }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(mut self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.command.args(arguments);
        self
    }

    /// Sets a variable of its environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Removes a variable from its environment.
    #[must_use]
    pub fn without_env(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// Runs it in this directory.
    #[must_use]
    pub fn at(mut self, directory: &Path) -> Self {
        self.command.current_dir(directory);
        self
    }

    /// What it writes to its standard output is for us to read, and no part of an error.
    #[must_use]
    pub fn giving_data(mut self) -> Self {
        self.gives_data = true;
        self
    }

    /// Runs it, and gives what it wrote to its standard output. Every line of its standard error is
    /// reported as the step's output.
    ///
    /// # Errors
    ///
    /// When it is not installed, or fails: then with the end of all that it said.
    pub fn run(self, step: &Step<'_>) -> Result<String, BuildError> {
        self.run_with(|line| step.output(line))
    }

    /// As [`Tool::run`], with a function for the lines of its standard error.
    ///
    /// # Errors
    ///
    /// As [`Tool::run`].
    pub fn run_with(self, stderr: impl FnMut(&str) + Send) -> Result<String, BuildError> {
        self.run_with_both(|_| {}, stderr)
    }

    /// As [`Tool::run`], with functions for the lines of both its outputs, as they come.
    ///
    /// # Errors
    ///
    /// As [`Tool::run`].
    pub fn run_with_both(
        mut self,
        mut stdout: impl FnMut(&str),
        stderr: impl FnMut(&str) + Send,
    ) -> Result<String, BuildError> {
        self.command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = match self.command.spawn() {
            Ok(child) => child,
            Err(error) => return Err(self.cannot_start(error)),
        };
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let (wrote, said) = thread::scope(|scope| {
            let said = scope.spawn(move || each_line(err, stderr));
            (each_line(out, &mut stdout), said.join().unwrap_or_default())
        });
        let status = child.wait().map_err(BuildError::io(self.command.get_program()))?;
        if status.success() {
            return Ok(wrote);
        }
        let output = if self.gives_data { said } else { [wrote.trim(), said.trim()].join("\n") };
        Err(BuildError::Tool {
            command: self.line(),
            status,
            // Some tools say by an indent what a line is.
            output: end_of(output.trim_end().trim_start_matches('\n'), KEPT).to_owned(),
        })
    }

    fn cannot_start(&self, error: std::io::Error) -> BuildError {
        let program = self.command.get_program();
        if error.kind() != std::io::ErrorKind::NotFound {
            return BuildError::io(program)(error);
        }
        BuildError::MissingTool {
            program: program.to_string_lossy().into_owned(),
            purpose: self.what_for.into(),
            state: "is not installed".into(),
            cure: self.cure.into(),
        }
    }

    /// As one would type it in a shell.
    fn line(&self) -> String {
        let words = [self.command.get_program()].into_iter().chain(self.command.get_args());
        words.map(|word| quoted(&word.into())).collect::<Vec<_>>().join(" ")
    }
}

/// Gives every line to the function, and all of them at the end.
fn each_line(pipe: Option<impl Read>, mut line: impl FnMut(&str)) -> String {
    let mut all = String::new();
    for bytes in pipe.map(BufReader::new).into_iter().flat_map(|pipe| pipe.split(b'\n')).flatten() {
        let text = String::from_utf8_lossy(&bytes);
        let text = text.trim_end();
        line(text);
        all += text;
        all.push('\n');
    }
    all
}

fn quoted(word: &OsString) -> String {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.into_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

fn end_of(text: &str, most: usize) -> &str {
    let mut start = text.len().saturating_sub(most);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    &text[start..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_is_named_with_its_cure() {
        let tool = Tool::new("no-such-program", "to test this", "there is no cure");
        let error = tool.run_with(|_| {}).unwrap_err().to_string();
        assert_eq!(
            error,
            "no-such-program is needed to test this, and is not installed; there is no cure"
        );
    }

    #[test]
    fn a_failure_has_the_command_and_both_outputs() {
        let mut lines = Vec::new();
        let tool = Tool::new("sh", "", "").args(["-c", "echo out; echo err >&2; exit 3"]);
        let error = tool.run_with(|line| lines.push(line.to_owned())).unwrap_err().to_string();
        assert!(error.starts_with("`sh -c 'echo out; echo err >&2; exit 3'` failed"), "{error}");
        assert!(error.ends_with("out\nerr"), "{error}");
        assert_eq!(lines, ["err"]);
        let tool = Tool::new("sh", "", "").args(["-c", "echo out; echo '  err' >&2; exit 3"]);
        let error = tool.giving_data().run_with(|_| {}).unwrap_err().to_string();
        assert!(error.ends_with("(exit status: 3):\n  err"), "{error}");
    }
}
