//! What the macro makes of the modules in `tests/golden/`: `NAME.rs` goes in, `NAME.wit` and, where
//! there is something that WIT cannot say, `NAME.json` come out.
//!
//! With `UPDATE_GOLDEN=1` the files are written instead of compared.

use std::fs;
use std::path::{Path, PathBuf};

use quote::ToTokens as _;

use crate::{expand, metadata, module, wit};

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut sources: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect();
    sources.sort();
    sources
}

fn read(source: &Path) -> syn::ItemMod {
    syn::parse_str(&fs::read_to_string(source).unwrap()).unwrap()
}

/// Compares with a file that is there exactly if there is a text.
fn compare(file: &Path, text: Option<&str>) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        match text {
            Some(text) => fs::write(file, text).unwrap(),
            None => drop(fs::remove_file(file)),
        }
    }
    let known = fs::read_to_string(file).ok();
    // The order of keys is that of serde_json's features, which other crates of a build choose.
    let json = |text: Option<&str>| serde_json::from_str::<serde_json::Value>(text?).ok();
    match (json(known.as_deref()), json(text)) {
        (Some(known), Some(found)) => assert_eq!(known, found, "{}", file.display()),
        _ => assert_eq!(known.as_deref(), text, "{}", file.display()),
    }
}

#[test]
fn wit_and_metadata() {
    let cases = cases();
    assert!(!cases.is_empty());
    for source in cases {
        let module = module::read(&mut read(&source)).unwrap();
        compare(&source.with_extension("wit"), Some(&wit::source(&module)));
        let json = metadata::text(&module).map(|text| {
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            format!("{value:#}\n")
        });
        compare(&source.with_extension("json"), json.as_deref());
    }
}

#[test]
fn wit_bindgen_takes_it_and_no_attribute_of_ours_is_left() {
    for source in cases() {
        let module = read(&source).into_token_stream();
        let code = expand::procedures(proc_macro2::TokenStream::new(), &module);
        let file: syn::File = syn::parse2(code).unwrap();
        let text = prettyplease::unparse(&file);
        assert!(!text.contains("compile_error"), "{}: {text}", source.display());
        for ours in ["#[procedure", "#[default", "#[flags"] {
            assert!(!text.contains(ours), "{} in {}", ours, source.display());
        }
    }
}

#[test]
fn exports_have_names_that_no_c_library_has() {
    let names = ["exit", "malloc", "read_file", "hand_back"];
    let functions = names.map(|name| format!("pub fn {name}(text: String) -> String {{ text }}"));
    let source: syn::ItemMod =
        syn::parse_str(&format!("mod c {{ {} pub async fn aside() {{}} }}", functions.join(" ")))
            .unwrap();
    let code = expand::procedures(proc_macro2::TokenStream::new(), &source.into_token_stream());
    let code = code.to_string();
    let exported =
        code.split("export_name = \"").skip(1).map(|rest| rest.split('"').next().unwrap());
    let mut exported: Vec<_> = exported.collect();
    exported.sort_unstable();
    assert_eq!(
        exported,
        [
            "[async-lift]aside",
            "[callback][async-lift]aside",
            "cm32p2||exit",
            "cm32p2||exit_post",
            "cm32p2||hand-back",
            "cm32p2||hand-back_post",
            "cm32p2||malloc",
            "cm32p2||malloc_post",
            "cm32p2||read-file",
            "cm32p2||read-file_post",
        ]
    );
}
