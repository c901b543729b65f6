//! What the script in `analysis/` says of a module, and running it.
//!
//! The script is Python because only Python reads Python; it runs in the author's own interpreter
//! and imports nothing of the author's.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::BuildError;
use crate::error::Diagnostic;
use crate::report::Step;
use crate::tools::system_python;

const SCRIPT: [(&str, &str); 11] = [
    ("__main__.py", include_str!("analysis/__main__.py")),
    ("calls.py", include_str!("analysis/calls.py")),
    ("classes.py", include_str!("analysis/classes.py")),
    ("defaults.py", include_str!("analysis/defaults.py")),
    ("faults.py", include_str!("analysis/faults.py")),
    ("functions.py", include_str!("analysis/functions.py")),
    ("hints.py", include_str!("analysis/hints.py")),
    ("limits.py", include_str!("analysis/limits.py")),
    ("modules.py", include_str!("analysis/modules.py")),
    ("notebook.py", include_str!("analysis/notebook.py")),
    ("reach.py", include_str!("analysis/reach.py")),
];

/// A module without faults. It goes on into the component, with the names that were found for it.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Analysis {
    /// The name by which the module is imported, with the packages that it is in.
    pub(super) module: String,
    /// The component's name.
    pub(super) name: String,
    pub(super) docs: Option<String>,
    pub(super) functions: Vec<Function>,
    pub(super) definitions: Vec<Definition>,
    #[serde(skip_serializing)]
    pub(super) warnings: Vec<Diagnostic>,
    #[serde(skip_serializing)]
    pub(super) imports_guest: bool,
    /// Whether it may send requests, by `urllib.request`.
    #[serde(skip_serializing)]
    pub(super) imports_urllib: bool,
    #[serde(skip_serializing)]
    pub(super) imports_zoneinfo: bool,
    /// The packages that it cannot do without.
    #[serde(skip_serializing)]
    pub(super) imports: Vec<Import>,
    /// The folders of the project that modules are looked for in.
    #[serde(skip_serializing)]
    pub(super) roots: Vec<String>,
    /// What of the author's goes into the component.
    #[serde(skip_serializing)]
    pub(super) files: Vec<File>,
    /// Distributions that cannot be in a component, by their normalized names, and why.
    #[serde(skip_serializing)]
    pub(super) compiled: BTreeMap<String, String>,
}

/// A package that is imported.
#[derive(Debug, Deserialize)]
pub(super) struct Import {
    /// The top of its name.
    pub(super) name: String,
    /// Where, with an empty message.
    pub(super) at: Diagnostic,
}

/// A file of the author's.
#[derive(Debug, Deserialize)]
pub(super) struct File {
    /// Its path in the project, as the component has it.
    pub(super) name: String,
    pub(super) path: PathBuf,
    /// As its author knows it.
    pub(super) shown: PathBuf,
    /// The module's text, where that is not what is in the file.
    pub(super) text: Option<String>,
    /// Of a notebook: the first line of each cell in that text, and the cell's number.
    pub(super) cells: Vec<(usize, usize)>,
    /// Whether it is there because the module mentions it.
    pub(super) mentioned: bool,
}

impl File {
    /// Something about a line of it.
    pub(super) fn diagnostic(&self, line: Option<usize>, message: String) -> Diagnostic {
        let file = self.shown.clone();
        let cell = line.and_then(|line| {
            let (first, number) = self.cells.iter().rev().find(|(first, _)| *first <= line)?;
            Some(format!("cell {number}, line {}: {message}", line - first + 1))
        });
        match cell {
            Some(message) => Diagnostic { file, line: None, message },
            None => Diagnostic { file, line, message },
        }
    }
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Function {
    pub(super) name: String,
    #[serde(skip_serializing)]
    pub(super) line: usize,
    #[serde(skip_serializing)]
    pub(super) docs: Option<String>,
    #[serde(rename = "async")]
    pub(super) is_async: bool,
    pub(super) parameters: Vec<Parameter>,
    pub(super) result: Option<Type>,
    #[serde(skip_serializing)]
    pub(super) options: Map<String, Value>,
    /// The method that componentize-py calls.
    #[serde(default)]
    pub(super) export: String,
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Parameter {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) ty: Type,
    pub(super) keyword: bool,
    /// Its default, where JSON has it.
    #[serde(skip_serializing)]
    pub(super) default: Option<Default>,
    /// Whether it has a default that only the function itself knows.
    #[serde(default)]
    pub(super) own_default: bool,
}

/// Wrapped, so that a default of `null` differs from none.
#[derive(Debug, Deserialize)]
pub(super) struct Default {
    pub(super) value: Value,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(super) enum Type {
    Int,
    Float,
    Bool,
    Str,
    Bytes,
    ByteArray,
    Complex,
    Date,
    DateTime,
    Decimal,
    /// Any value, as JSON.
    Json,
    Path,
    Time,
    TimeDelta,
    Uuid,
    /// A Literal of numbers.
    Choice {
        of: Box<Type>,
        values: Vec<Value>,
    },
    Request,
    Response,
    List {
        of: Box<Type>,
        #[serde(rename = "as")]
        class: String,
    },
    Tuple {
        of: Vec<Type>,
    },
    Dict {
        key: Box<Type>,
        of: Box<Type>,
    },
    Option {
        of: Box<Type>,
    },
    Named {
        name: String,
        module: String,
    },
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Definition {
    pub(super) name: String,
    /// Where its class is; empty for one without a class.
    pub(super) module: String,
    #[serde(skip_serializing)]
    pub(super) docs: Option<String>,
    #[serde(flatten)]
    pub(super) shape: Shape,
    /// The class that componentize-py makes for it.
    #[serde(default)]
    pub(super) generated: String,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(super) enum Shape {
    Record { python: String, fields: Vec<Field> },
    Enum { cases: Vec<String> },
    Flags { cases: Vec<String> },
    Literal { cases: Vec<String> },
    Variant { cases: Vec<Type> },
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Field {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) ty: Type,
    pub(super) optional: bool,
}

#[derive(Deserialize)]
struct Diagnostics {
    faults: Vec<Diagnostic>,
    /// The version that could not read the module at all.
    python: Option<String>,
}

/// Reads a module.
///
/// # Errors
///
/// Every fault of the module, or that there is no Python.
pub(super) fn analyse(
    module: &Path,
    project: &Path,
    step: &Step<'_>,
) -> Result<Analysis, BuildError> {
    let folder = tempfile::tempdir().map_err(BuildError::io("a temporary folder"))?;
    for (name, text) in SCRIPT {
        let file = folder.path().join(name);
        fs::write(&file, text).map_err(BuildError::io(file))?;
    }
    let absolute = |path: &Path| {
        // The current folder has no name of its own.
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        std::path::absolute(path).map_err(BuildError::io(path))
    };
    let script = folder.path().join("__main__.py");
    let python = system_python().arg("-IB").arg(script).arg(absolute(module)?).arg(module);
    let said = python.arg(absolute(project)?).giving_data().run(step)?;
    let unreadable =
        |e: serde_json::Error| BuildError::Internal(format!("the analysis of Python: {e}"));
    let Diagnostics { mut faults, python } = serde_json::from_str(&said).map_err(unreadable)?;
    if let Some(version) = python {
        for fault in &mut faults {
            fault.message += &format!(" (as Python {version} reads it; TARP_PYTHON names another)");
        }
    }
    if !faults.is_empty() {
        return Err(BuildError::Diagnostics(faults));
    }
    serde_json::from_str(&said).map_err(unreadable)
}
