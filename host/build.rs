//! Puts the sources of the Python client into the host, which makes a wheel of them for those who install
//! it from there (`src/front/client/`).
//!
//! Paths are relative to this package, so that a checkout that was moved or copied together with its
//! target folder is built of its own files.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

const CLIENT: &str = "../clients/python";

fn main() {
    let mut modules = Vec::new();
    find(&format!("{CLIENT}/src/tarp"), "tarp", &mut modules);
    modules.sort();
    let mut sources = String::from("Sources {\n");
    for (field, file) in
        [("pyproject", "pyproject.toml"), ("readme", "README.md"), ("license", "LICENSE")]
    {
        let path = format!("{CLIENT}/{file}");
        writeln!(sources, "    {field}: include_str!({}),", in_package(&path))
            .expect("writing into memory");
        watch(&path);
    }
    sources.push_str("    modules: &[\n");
    for (name, path) in &modules {
        writeln!(sources, "        ({name:?}, include_bytes!({})),", in_package(path))
            .expect("writing into memory");
        watch(path);
    }
    sources.push_str("    ],\n}\n");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("OUT_DIR"));
    fs::write(out.join("client_sources.rs"), sources).expect("OUT_DIR can be written to");
    println!("cargo::rerun-if-changed=build.rs");
}

/// The modules below a folder, and the mark that they are typed, with their names in the wheel.
fn find(folder: &str, name: &str, modules: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let entry = entry.expect("an entry");
        let own = entry.file_name().into_string().expect("a name in UTF-8");
        let (path, full) = (format!("{folder}/{own}"), format!("{name}/{own}"));
        if Path::new(&path).is_dir() && own != "__pycache__" {
            find(&path, &full, modules);
        } else if own == "py.typed" || own.ends_with(".py") {
            modules.push((full, path));
        }
    }
}

/// The expression of Rust for a file's path.
fn in_package(path: &str) -> String {
    format!(r#"concat!(env!("CARGO_MANIFEST_DIR"), {:?})"#, format!("/{path}"))
}

/// Runs this again when the file has changed. Files one by one: in their folders Python leaves what it has
/// compiled, with which everything would be built again after every use of the client.
fn watch(path: &str) {
    println!("cargo::rerun-if-changed={path}");
}
