//! Puts the sources of the Python client into the host, which makes a wheel of them for those who install
//! it from there (`src/front/client/`).

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

fn main() {
    let client = Path::new(env!("CARGO_MANIFEST_DIR")).join("../clients/python");
    let mut modules = Vec::new();
    find(&client.join("src/tarp"), "tarp", &mut modules);
    modules.sort();
    let mut sources = String::from("Sources {\n");
    for (field, file) in
        [("pyproject", "pyproject.toml"), ("readme", "README.md"), ("license", "LICENSE")]
    {
        let path = client.join(file);
        writeln!(sources, "    {field}: include_str!({path:?}),").expect("writing into memory");
        watch(&path);
    }
    sources.push_str("    modules: &[\n");
    for (name, path) in &modules {
        writeln!(sources, "        ({name:?}, include_bytes!({path:?})),")
            .expect("writing into memory");
        watch(path);
    }
    sources.push_str("    ],\n}\n");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("OUT_DIR"));
    fs::write(out.join("client_sources.rs"), sources).expect("OUT_DIR can be written to");
    println!("cargo::rerun-if-changed=build.rs");
}

/// The modules below a folder, and the mark that they are typed, with their names in the wheel.
fn find(folder: &Path, name: &str, modules: &mut Vec<(String, PathBuf)>) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        let own = path.file_name().and_then(|name| name.to_str()).expect("a name in UTF-8");
        let full = format!("{name}/{own}");
        if path.is_dir() && own != "__pycache__" {
            find(&path, &full, modules);
        } else if own == "py.typed" || path.extension().is_some_and(|extension| extension == "py") {
            modules.push((full, path));
        }
    }
}

/// Runs this again when the file has changed. Files one by one: in their folders Python leaves what it has
/// compiled, with which everything would be built again after every use of the client.
fn watch(path: &Path) {
    println!("cargo::rerun-if-changed={}", path.display());
}
