//! `tarp build`: a component from source.

use std::fmt;
use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use tarp_builder::{BuildError, BuildRequest, Built, Language};
use tarp_schema::procedure::Mode;

use super::local::{reporter, size, tools};
use super::screen::{BOLD, DIM, painted, print, print_json, printable};

/// Build a component from source.
///
/// What turns the language into WebAssembly is fetched the first time, into a directory of its own.
#[derive(Debug, Args)]
pub(crate) struct Build {
    /// A source file, or a project's folder
    #[arg(default_value = ".")]
    source: PathBuf,
    /// The component, or an existing folder for it [default: beside the source]
    #[arg(long, short, value_name = "FILE|DIR")]
    output: Option<PathBuf>,
    /// The language, where neither file nor folder tells: python, rust, javascript or c
    #[arg(long, short, value_name = "LANGUAGE")]
    lang: Option<Language>,
    /// The directory for the languages' tools [default: in the user's cache directory]
    #[arg(long, env = "TARP_TOOLS", value_name = "DIR")]
    tools: Option<PathBuf>,
    /// Say what was built in JSON, for programs, and nothing else
    #[arg(long)]
    json: bool,
}

impl Build {
    /// Builds the component.
    ///
    /// # Errors
    ///
    /// Says what the author has to change or to install.
    pub(crate) fn run(self) -> Result<()> {
        let tools = tools(self.tools)?;
        let request =
            BuildRequest { source: self.source, language: self.lang, output: self.output, tools };
        match tarp_builder::build(&request, &*reporter(self.json)) {
            Ok(built) if self.json => print_json(&built),
            Ok(built) => print(Summary(&built)),
            Err(error) => {
                if self.json {
                    print_json(&as_json(&error))?;
                }
                failed(&request, error)
            }
        }
    }
}

/// Diagnostics on lines of their own, as compilers write them and editors read them.
fn failed(request: &BuildRequest, error: BuildError) -> Result<()> {
    let BuildError::Diagnostics(faults) = error else { return Err(error.into()) };
    for fault in &faults {
        eprintln!("{fault}");
    }
    bail!("{} cannot be built", request.source.display())
}

fn as_json(error: &BuildError) -> serde_json::Value {
    serde_json::json!({ "error": error.to_string(), "faults": error.diagnostics() })
}

/// What was built, for people.
struct Summary<'a>(&'a Built);

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(built) = self;
        let component = built.component.display().to_string();
        write!(f, "{} ({})", painted(BOLD, &component), size(built.size))?;
        for procedure in &built.procedures {
            let (name, signature) = (painted(BOLD, &procedure.name), &procedure.signature);
            let mode = if procedure.mode == Some(Mode::Async) { " (asynchronous)" } else { "" };
            write!(f, "\n  {name}{signature}{mode}")?;
            let first = procedure.description.as_deref().and_then(|text| text.lines().next());
            if let Some(line) = first {
                write!(f, "\n      {}", painted(DIM, &printable(line)))?;
            }
        }
        Ok(())
    }
}
