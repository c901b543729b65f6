//! Procedures in Rust: whatever cargo makes for `wasm32-wasip2`.
//!
//! Documentation is taken from the folder `wit`, or from what the SDK left in the component, and put
//! where other tools find it too.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tarp_schema::procedure::MetadataMap;

use crate::BuildError;
use crate::docs;
use crate::report::{Reporter, Step};
use crate::request::{BuildRequest, Component, TemplateFile};
use crate::tools::Tool;

const TARGET: &str = "wasm32-wasip2";

/// Builds the component of a project, or of the one that a source file belongs to.
pub(crate) fn build(
    request: &BuildRequest,
    reporter: &dyn Reporter,
) -> Result<Component, BuildError> {
    let project = project(&request.source)?;
    let step = Step::begin(reporter, &format!("compiling {}", project.display()));
    let cargo = Tool::new(
        "cargo",
        "to build procedures in Rust",
        "https://rustup.rs has it, and Debian and Ubuntu have `apt-get install rustup`",
    );
    let cargo = cargo.at(&project).args(["build", "--release", "--target", TARGET]);
    let cargo = cargo.arg("--message-format=json-render-diagnostics").giving_data();
    let said = cargo.run(&step).map_err(|error| diagnostics_alone(without_target(error)));
    let artifact = artifact(&said?, &project)?;
    let bytes = fs::read(&artifact).map_err(BuildError::io(&artifact))?;
    let name = artifact.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let wit = project.join("wit");
    let docs = if wit.is_dir() { docs::of_wit(&wit)? } else { docs::carried(&bytes) };
    let bytes = docs::embed(bytes, &docs, MetadataMap::new())?;
    Ok(Component { name, bytes, inputs: inputs(&artifact) })
}

/// The folder with the manifest.
fn project(source: &Path) -> Result<PathBuf, BuildError> {
    let source = std::path::absolute(source).map_err(BuildError::io(source))?;
    let has_manifest = |folder: &&Path| folder.join("Cargo.toml").is_file();
    source.ancestors().find(has_manifest).map(Path::to_path_buf).ok_or_else(|| {
        BuildError::source(
            &source,
            "belongs to no project: there is no Cargo.toml; `tarp new NAME --lang rust` begins one",
        )
    })
}

/// The one component among the files that cargo says it made.
fn artifact(messages: &str, project: &Path) -> Result<PathBuf, BuildError> {
    let is_component = |message: &Value| {
        message["reason"] == "compiler-artifact"
            && message["target"]["crate_types"]
                .as_array()
                .is_some_and(|types| types.iter().any(|kind| kind == "cdylib" || kind == "bin"))
    };
    let mut components: Vec<PathBuf> = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(is_component)
        .flat_map(|message| message["filenames"].as_array().cloned().unwrap_or_default())
        .filter_map(|file| file.as_str().map(PathBuf::from))
        .filter(|file| file.extension().is_some_and(|extension| extension == "wasm"))
        .collect();
    components.dedup();
    match components.as_slice() {
        [component] => Ok(component.clone()),
        [] => Err(BuildError::source(
            project.join("Cargo.toml"),
            "makes no component; it needs `crate-type = [\"cdylib\"]` under [lib]",
        )),
        _ => Err(BuildError::source(
            project,
            "makes several components; build the folder of one of its packages",
        )),
    }
}

/// What cargo says beside an artifact that it is made of: `include_str!` and the packages of other folders
/// among it.
fn inputs(artifact: &Path) -> Vec<PathBuf> {
    let told = fs::read_to_string(artifact.with_extension("d")).unwrap_or_default();
    told.lines()
        .filter_map(|line| line.split_once(": "))
        .flat_map(|(_, files)| files_in(files))
        .collect()
}

/// The files of a line for make, where a blank inside of a name has a backslash in front.
fn files_in(line: &str) -> Vec<PathBuf> {
    let marked = line.replace("\\ ", "\0");
    marked.split(' ').filter(|it| !it.is_empty()).map(|it| it.replace('\0', " ").into()).collect()
}

fn without_target(error: BuildError) -> BuildError {
    match &error {
        BuildError::Tool { output, .. }
            if output.contains("can't find crate for `core`")
                || output.contains("can't find crate for `std`") =>
        {
            BuildError::MissingTool {
                program: format!("the target {TARGET}"),
                purpose: "to build procedures in Rust".into(),
                state: "is not installed".into(),
                cure: format!("`rustup target add {TARGET}` installs it"),
            }
        }
        _ => error,
    }
}

/// Without the lines in which cargo says what it is doing.
fn diagnostics_alone(error: BuildError) -> BuildError {
    match error {
        BuildError::Tool { command, status, output } => {
            let lines: Vec<_> = output.lines().filter(|line| !is_status(line)).collect();
            BuildError::Tool { command, status, output: lines.join("\n").trim().to_owned() }
        }
        error => error,
    }
}

/// Whether it is one of cargo's lines such as `   Compiling serde v1.0.228`.
fn is_status(line: &str) -> bool {
    const WIDTH: usize = 12;
    line.len() > WIDTH && line.is_char_boundary(WIDTH) && {
        let (verb, rest) = line.split_at(WIDTH);
        let verb = verb.trim_start();
        rest.starts_with(' ')
            && verb.starts_with(|c: char| c.is_ascii_uppercase())
            && verb.chars().all(char::is_alphabetic)
    }
}

/// What a new project begins with: with the SDK where one is at hand, with plain WIT otherwise.
pub(crate) fn template(sdk: Option<&Path>) -> &'static [TemplateFile] {
    if sdk.is_some() { WITH_SDK } else { WITH_WIT }
}

const WITH_SDK: &[TemplateFile] = &[
    (".gitignore", include_str!("../../templates/rust/gitignore")),
    ("Cargo.toml", include_str!("../../templates/rust-sdk/Cargo.toml")),
    ("README.md", include_str!("../../templates/rust-sdk/README.md")),
    ("src/lib.rs", include_str!("../../templates/rust-sdk/lib.rs")),
];

const WITH_WIT: &[TemplateFile] = &[
    (".gitignore", include_str!("../../templates/rust/gitignore")),
    ("Cargo.toml", include_str!("../../templates/rust/Cargo.toml")),
    ("README.md", include_str!("../../templates/rust/README.md")),
    ("src/lib.rs", include_str!("../../templates/rust/lib.rs")),
    ("wit/@name@.wit", include_str!("../../templates/rust/world.wit")),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cargo_says_of_its_inputs_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let told = "/t/a.wasm: /a/src/lib.rs /a/my\\ data.csv\n";
        fs::write(folder.path().join("a.d"), told).unwrap();
        let expected = ["/a/src/lib.rs", "/a/my data.csv"].map(PathBuf::from);
        assert_eq!(inputs(&folder.path().join("a.wasm")), expected);
        assert!(inputs(&folder.path().join("b.wasm")).is_empty());
    }

    #[test]
    fn of_what_cargo_says_the_diagnostics_are_told() {
        let said = "    Updating crates.io index\n   Compiling serde v1.0.228\n\
            error[E0308]: mismatched types\n --> src/lib.rs:3:5\n  |\n3 |     Compiling\n  |     ^^^^^^^^^ expected\n\n\
            error: could not compile `stats` (lib) due to 1 previous error\n";
        let kept: Vec<_> = said.lines().filter(|line| !is_status(line)).collect();
        assert_eq!(kept.len(), 7, "{kept:#?}");
        assert_eq!(kept[0], "error[E0308]: mismatched types");
    }

    #[test]
    fn a_project_without_a_component_hears_how_to_make_one() {
        let rlib = r#"{"reason":"compiler-artifact","target":{"crate_types":["lib"]},"filenames":["/a/liba.rlib"]}"#;
        let error = artifact(rlib, Path::new("a")).unwrap_err().to_string();
        assert!(error.contains("crate-type = [\"cdylib\"]"), "{error}");
        let component = r#"{"reason":"compiler-artifact","target":{"crate_types":["cdylib"]},"filenames":["/a/a.wasm"]}"#;
        assert_eq!(
            artifact(&[rlib, component].join("\n"), Path::new("a")).unwrap(),
            Path::new("/a/a.wasm")
        );
    }
}
