//! Has wit-bindgen make its bindings of the world, and gives the exports names that collide with
//! nothing.
//!
//! A function that a world exports is known in the core module by its bare name. That is a symbol
//! as any other: a procedure `exit` would take the place of the libc function, and whoever ends
//! the program calls the procedure. The encoder of components knows a second naming, where the
//! function is `cm32p2||exit`, which no C program can call. wit-bindgen does not write it, so we do.
//!
//! Exports of asynchronous functions are `[async-lift]exit` already, for which the second naming has
//! no word yet. The encoder looks at each name for itself, so a module may have both.

use proc_macro2::{Span, TokenStream};
use syn::Error;
use wit_bindgen_core::wit_parser::{PackageId, Resolve, SourceMap};
use wit_bindgen_core::{Files, WorldGenerator as _};
use wit_bindgen_rust::{Opts, WithOption};

use crate::module::Module;
use crate::procedure::Procedure;
use crate::wit::{self, SHARED_PACKAGE, SHARED_VERSION};

/// The naming of the component model's build targets: 32 bit, the first two versions of the preview.
const NAMING: &str = "cm32p2";

/// Where the generated code finds its runtime.
const RUNTIME: &str = "::tarp_guest::private::rt";

/// The generated code: types, the trait `Guest` and the macro `export!`.
pub(crate) fn generate(module: &Module, source: &str) -> syn::Result<TokenStream> {
    let text = text(module, source).map_err(|message| {
        let span = Span::call_site();
        Error::new(span, format!("this is a fault of #[procedures]: {message}\n\n{source}"))
    })?;
    Ok(text.parse()?)
}

fn text(module: &Module, source: &str) -> Result<String, String> {
    let mut resolve = Resolve::default();
    push_shared(&mut resolve)?;
    let package = resolve.push_source("generated.wit", source).map_err(|e| format!("{e:#}"))?;
    let world = resolve.select_world(&[package], None).map_err(|e| format!("{e:#}"))?;
    let path = |interface: &&str| {
        let name = format!("{SHARED_PACKAGE}/{interface}@{SHARED_VERSION}");
        (name, WithOption::Path(format!("::tarp_guest::{interface}")))
    };
    let options = Opts {
        runtime_path: Some(RUNTIME.into()),
        with: wit::uses(module).keys().map(path).collect(),
        ..Opts::default()
    };
    let mut files = Files::default();
    options.build().generate(&mut resolve, world, &mut files).map_err(|e| format!("{e:#}"))?;
    let (_, bytes) = files.iter().next().ok_or("wit-bindgen wrote no file")?;
    let mut text = String::from_utf8(bytes.to_vec()).map_err(|e| e.to_string())?;
    for procedure in &module.procedures {
        rename(&mut text, procedure)?;
    }
    Ok(text)
}

/// The package with the types of the SDK.
fn push_shared(resolve: &mut Resolve) -> Result<PackageId, String> {
    let mut sources = SourceMap::new();
    sources.push_str("failures.wit", include_str!("../wit/failures.wit"));
    sources.push_str("http.wit", include_str!("../wit/http.wit"));
    sources.push_str("job.wit", include_str!("../wit/job.wit"));
    sources.push_str("web.wit", include_str!("../wit/web.wit"));
    let group = sources.parse().map_err(|(_, e)| e.to_string())?;
    resolve.push_group(group).map_err(|e| e.to_string())
}

/// Gives an export its second name, and what frees its result.
fn rename(text: &mut String, procedure: &Procedure) -> Result<(), String> {
    if procedure.is_async {
        return Ok(());
    }
    let name = procedure.name.kebab();
    let attribute = |name: &str| format!("#[unsafe(export_name = \"{name}\")]");
    let plain = attribute(name);
    if text.matches(&plain).count() != 1 {
        return Err(format!("wit-bindgen no longer writes {plain}"));
    }
    *text = text.replace(&plain, &attribute(&format!("{NAMING}||{name}"))).replace(
        &attribute(&format!("cabi_post_{name}")),
        &attribute(&format!("{NAMING}||{name}_post")),
    );
    Ok(())
}
