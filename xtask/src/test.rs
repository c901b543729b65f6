//! Every test there is, in steps that can also be run one by one.
//!
//! Knows the order, what needs what, and what to say when a step fails; what a step does is in its own
//! module.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::project::{Project, WASM_TARGETS};
use crate::{
    book, browser, checks, fuzz, guests, languages, nginx, node, python, pythons, rust_tests,
    wasm_target,
};

/// One step.
#[derive(Clone, Copy)]
struct Step {
    /// As named on the command line.
    name: &'static str,
    /// What it does, for its heading.
    about: &'static str,
    /// The steps without which it cannot go well.
    needs: &'static [&'static str],
    /// Whether it is left to CI, unless it is named: it checks style, and takes a while.
    only_in_ci: bool,
    run: fn(&Project) -> Result<()>,
}

/// Cheap ones first, except that what others need comes before them.
const STEPS: [Step; 22] = [
    step("format", "the format of the Rust code", checks::format),
    step("spelling", "the spelling", checks::spelling),
    step(
        "dependencies",
        "licences, origins and advisories of the dependencies",
        checks::dependencies,
    ),
    step("wasm", "the standard library for WebAssembly", |project| {
        wasm_target::ensure(project, &WASM_TARGETS)
    }),
    step("venv", "a Python environment for the tests", python::venv),
    step("languages", "what procedures in other languages need", languages::ensure),
    step("node", "TypeScript, for clients and the console", node::ensure),
    step("browser", "a browser for the tests", browser::ensure),
    step("nginx", "a proxy for the tests", nginx::ensure),
    step("ruff", "style and format of the Python code", python::ruff).in_ci().after(&["venv"]),
    step("book", "building the book and checking its links", book::check),
    step("host", "building the host and its tests (minutes, the first time)", rust_tests::build),
    step("guests", "building the example procedures", guests::for_tests).after(&[
        "wasm",
        "languages",
        "host",
    ]),
    step("rust", "the Rust tests", rust_tests::run).after(&["venv", "host", "guests"]),
    step("docs", "the examples in the documentation", rust_tests::documentation).after(&["host"]),
    step("units", "the example procedures' own tests", rust_tests::guests).after(&["guests"]),
    step("pytest", "the tests against a running host", python::pytest)
        .after(&["venv", "node", "browser", "nginx", "host", "guests"]),
    step("client", "the tests of the Python client", python::client)
        .after(&["venv", "host", "guests"]),
    step("pythons", "the Python client's wheel on every Python", pythons::client)
        .in_ci()
        .after(&["venv", "host", "guests"]),
    step("types", "the types of the Python client", python::types).in_ci().after(&["venv"]),
    step("fuzz", "fuzzing the codecs for a short while", fuzz::run),
    step("clippy", "lints of the Rust code", checks::clippy).in_ci().after(&["wasm"]),
];

const fn step(name: &'static str, about: &'static str, run: fn(&Project) -> Result<()>) -> Step {
    Step { name, about, needs: &[], only_in_ci: false, run }
}

impl Step {
    const fn in_ci(mut self) -> Self {
        self.only_in_ci = true;
        self
    }

    const fn after(mut self, needs: &'static [&'static str]) -> Self {
        self.needs = needs;
        self
    }
}

/// What became of a step.
enum Outcome {
    Passed(Duration),
    Failed(anyhow::Error),
    /// Because the step of this name failed, or was skipped itself.
    Skipped(&'static str),
}

/// The names of all steps, in their order.
pub(crate) fn names() -> [&'static str; STEPS.len()] {
    STEPS.map(|step| step.name)
}

/// Runs the steps of these names, or all of them, and sums up.
///
/// # Errors
///
/// When a step failed; the summary has said which.
pub(crate) fn run(project: &Project, names: &[String]) -> Result<()> {
    let in_ci = std::env::var_os("CI").is_some();
    let (chosen, left): (Vec<_>, Vec<_>) = STEPS.iter().partition(|step| {
        if names.is_empty() {
            in_ci || !step.only_in_ci
        } else {
            names.iter().any(|n| n == step.name)
        }
    });
    let outcomes = run_all(project, &chosen);
    eprint!("\n{}", summary(&outcomes, project.install));
    if names.is_empty() && !left.is_empty() {
        let left: Vec<_> = left.iter().map(|step| step.name).collect();
        eprintln!("left to CI: {0} (`cargo xtask test {0}` runs them here)", left.join(" "));
    }
    let bad = outcomes.iter().filter(|(_, outcome)| !matches!(outcome, Outcome::Passed(_))).count();
    if bad > 0 {
        bail!("{bad} of {} steps did not pass", outcomes.len());
    }
    Ok(())
}

fn run_all(project: &Project, chosen: &[&Step]) -> Vec<(&'static str, Outcome)> {
    let mut outcomes: Vec<(&'static str, Outcome)> = Vec::new();
    for (done, step) in chosen.iter().enumerate() {
        eprintln!("\n[{}/{}] {}: {}", done + 1, chosen.len(), step.name, step.about);
        let missing = outcomes.iter().find(|(name, outcome)| {
            step.needs.contains(name) && !matches!(outcome, Outcome::Passed(_))
        });
        let outcome = if let Some((name, _)) = missing {
            eprintln!("skipped: it needs the step {name}");
            Outcome::Skipped(name)
        } else {
            let start = Instant::now();
            match (step.run)(project) {
                Ok(()) => Outcome::Passed(start.elapsed()),
                Err(error) => {
                    eprintln!("failed: {error:#}");
                    Outcome::Failed(error)
                }
            }
        };
        outcomes.push((step.name, outcome));
    }
    outcomes
}

/// A line for each step, and for each failure what it said and the command that runs it again.
fn summary(outcomes: &[(&'static str, Outcome)], install: bool) -> String {
    let flag = if install { " --install" } else { "" };
    let line = |(name, outcome): &(&'static str, Outcome)| match outcome {
        Outcome::Passed(time) => format!("  {name:<14}passed in {}\n", rounded(*time)),
        Outcome::Failed(error) => {
            let error = format!("{error:#}").replace('\n', "\n      ");
            format!(
                "  {name:<14}FAILED: {error}\n      run it again: cargo xtask test{flag} {name}\n"
            )
        }
        Outcome::Skipped(needed) => format!(
            "  {name:<14}SKIPPED: it needs {needed}\n      run both: cargo xtask test{flag} {needed} {name}\n"
        ),
    };
    outcomes.iter().map(line).collect()
}

fn rounded(time: Duration) -> String {
    match time.as_secs() {
        0..60 => format!("{:.1} s", time.as_secs_f64()),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_need_steps_that_come_before_them() {
        for (place, step) in STEPS.iter().enumerate() {
            for needed in step.needs {
                let found = STEPS[..place].iter().any(|earlier| earlier.name == *needed);
                assert!(found, "{} needs {needed}, which does not come before it", step.name);
            }
        }
    }

    #[test]
    fn a_failure_skips_what_needs_it_and_nothing_else() {
        let steps = [
            step("one", "fails", |_| bail!("it broke")),
            step("two", "needs it", |_| Ok(())).after(&["one"]),
            step("three", "needs what needs it", |_| Ok(())).after(&["two"]),
            step("four", "needs nothing", |_| Ok(())),
            step("five", "fails too", |_| bail!("so did it")),
        ];
        let project = Project::find(false).unwrap();
        let outcomes = run_all(&project, &steps.iter().collect::<Vec<_>>());
        let text = summary(&outcomes, false);
        for words in [
            "one           FAILED: it broke",
            "cargo xtask test one\n",
            "two           SKIPPED: it needs one",
            "cargo xtask test one two\n",
            "three         SKIPPED: it needs two",
            "four          passed",
            "five          FAILED: so did it",
        ] {
            assert!(text.contains(words), "{words}: {text}");
        }
        assert!(summary(&outcomes, true).contains("cargo xtask test --install five\n"));
    }
}
