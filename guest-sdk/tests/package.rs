//! What is published has the files that its sources name.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// Files that cargo would publish.
fn packaged(package: &str) -> BTreeSet<String> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["package", "--list", "--offline", "--allow-dirty", "--package", package]);
    let listed = cargo.output().expect("cargo starts");
    let said = String::from_utf8_lossy(&listed.stderr);
    assert!(listed.status.success(), "{package}: {said}");
    String::from_utf8_lossy(&listed.stdout).lines().map(str::to_owned).collect()
}

#[test]
fn the_packages_have_the_interfaces() {
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit");
    let interfaces: BTreeSet<_> = std::fs::read_dir(wit)
        .unwrap()
        .map(|file| format!("wit/{}", file.unwrap().file_name().display()))
        .collect();
    assert!(interfaces.contains("wit/web.wit"));
    for package in ["tarp-guest", "tarp-guest-macros"] {
        let missing: Vec<_> = interfaces.difference(&packaged(package)).cloned().collect();
        assert!(missing.is_empty(), "{package} lacks {missing:?}");
    }
}
