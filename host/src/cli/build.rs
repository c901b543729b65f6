//! `tarp build`: a component from source.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use tarp_workbench::docs::Mode;
use tarp_workbench::report::{Reporter, Silent, to_stderr};
use tarp_workbench::tools::Tools;
use tarp_workbench::{BuildError, BuildRequest, Built, Language};

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
        let tools = match self.tools {
            Some(root) => Tools::at(root),
            None => Tools::of_user()?,
        };
        let request =
            BuildRequest { source: self.source, language: self.lang, output: self.output, tools };
        let reporter: Box<dyn Reporter> = if self.json { Box::new(Silent) } else { to_stderr() };
        let built = match tarp_workbench::build(&request, &*reporter) {
            Ok(built) => built,
            Err(error) => {
                if self.json {
                    println!("{}", as_json(&error));
                }
                return failed(&request, error);
            }
        };
        if self.json {
            println!("{}", serde_json::to_string(&built)?);
        } else {
            print(&built);
        }
        Ok(())
    }
}

/// Faults on lines of their own, as compilers write them and editors read them.
fn failed(request: &BuildRequest, error: BuildError) -> Result<()> {
    let BuildError::Faults(faults) = error else { return Err(error.into()) };
    for fault in &faults {
        eprintln!("{fault}");
    }
    bail!("{} cannot be built", request.source.display())
}

fn as_json(error: &BuildError) -> serde_json::Value {
    let faults = match error {
        BuildError::Faults(faults) => faults.as_slice(),
        _ => &[],
    };
    serde_json::json!({ "error": error.to_string(), "faults": faults })
}

fn print(built: &Built) {
    let size = match built.size {
        size if size < 1 << 20 => format!("{} KiB", size.div_ceil(1 << 10)),
        size => format!("{:.1} MiB", size as f64 / f64::from(1 << 20)),
    };
    println!("{} ({size})", built.component.display());
    for procedure in &built.procedures {
        let mode = if procedure.mode == Some(Mode::Async) { "  (async)" } else { "" };
        println!("  {}{}{mode}", procedure.name, procedure.signature);
        let first = procedure.description.as_deref().and_then(|text| text.lines().next());
        if let Some(line) = first {
            println!("      {line}");
        }
    }
}
