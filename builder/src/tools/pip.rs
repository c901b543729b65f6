//! pip, of a private environment: it gives up soon where there is no network, and says so.

use super::{Tool, no_answer};
use crate::BuildError;
use crate::report::{Event, Reporter, Step};

/// Seconds to wait for an answer, and how often to ask again.
const PATIENCE: [&str; 4] = ["--timeout", "10", "--retries", "2"];

/// A command of the pip that this Python has.
pub(crate) fn command(python: Tool, command: &str) -> Tool {
    let pip = python.args(["-m", "pip", "--disable-pip-version-check", "--no-input"]);
    pip.arg(command).args(PATIENCE)
}

/// Runs it, and tells who waits that nobody answers.
///
/// # Errors
///
/// As [`Tool::run`]; where the index cannot be reached, with what to do about it.
pub(crate) fn run(
    pip: Tool,
    reporter: &dyn Reporter,
    step: &Step<'_>,
) -> Result<String, BuildError> {
    let mut told = false;
    let stderr = |line: &str| {
        step.output(line);
        if is_silence(line) && !told {
            told = true;
            let text = "the package index (PyPI) does not answer; trying again";
            reporter.report(Event::Warning(text));
        }
    };
    let stdout = |line: &str| {
        if let Some((done, total)) = progress(line) {
            step.bytes(done, total);
        }
    };
    pip.run_with_both(stdout, stderr).map_err(unreachable)
}

/// What pip says when it tries again.
fn is_silence(line: &str) -> bool {
    line.contains("WARNING: Retrying (")
}

/// pip calls it a distribution that does not exist.
fn unreachable(error: BuildError) -> BuildError {
    match &error {
        BuildError::Tool { output, .. } if output.lines().any(is_silence) => {
            no_answer("the package index of Python (PyPI)", "in PIP_INDEX_URL")
        }
        _ => error,
    }
}

/// pip's raw progress: `Progress 123 of 456`.
fn progress(line: &str) -> Option<(u64, u64)> {
    let (done, total) = line.trim().strip_prefix("Progress ")?.split_once(" of ")?;
    Some((done.parse().ok()?, total.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pip_says_how_far_it_has_come() {
        assert_eq!(progress("Progress 262144 of 39845888"), Some((262_144, 39_845_888)));
        assert_eq!(progress("Progress 12"), None);
        assert_eq!(progress("Collecting componentize-py"), None);
    }
}
