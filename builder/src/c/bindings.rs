//! C declarations for a world, and the documentation in it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tarp_schema::snake_case;
use wit_bindgen_core::wit_parser::{
    Function, FunctionKind, PackageId, Resolve, SourceMap, WorldId, WorldItem,
};
use wit_bindgen_core::{AsyncFilterSet, Files};

use super::project::{BINDINGS, Project};
use crate::BuildError;
use crate::error::Diagnostic;
use crate::request::inside;

/// The package that is known without being there: what a procedure may ask of its host.
const OURS: [(&str, &str); 4] = [
    ("failures.wit", include_str!("../../../wit/failures.wit")),
    ("http.wit", include_str!("../../../wit/http.wit")),
    ("job.wit", include_str!("../../../wit/job.wit")),
    ("web.wit", include_str!("../../../wit/web.wit")),
];

/// Of one world.
#[derive(Debug)]
pub(super) struct Bindings {
    /// The world's name, as in names of files: that of the component.
    pub(super) name: String,
    /// By the procedure's name, as the host has it.
    pub(super) docs: BTreeMap<String, String>,
    /// What wit-bindgen made: the name of the file, and what is in it.
    files: Vec<(String, Vec<u8>)>,
    wit: PathBuf,
}

impl Bindings {
    /// For the WIT in a file or a folder.
    ///
    /// # Errors
    ///
    /// When it has mistakes, or something that cannot be said in C.
    pub(super) fn of(wit: &Path) -> Result<Self, BuildError> {
        let refuse = |message: String| {
            BuildError::Diagnostics(vec![Diagnostic { file: wit.to_owned(), line: None, message }])
        };
        let (mut resolve, world) = read(wit).map_err(|error| refuse(error.to_string()))?;
        if let Some(name) = asynchronous(&resolve, world) {
            let message = format!(
                "`{name}` is an `async func`, which C cannot be built with yet; make it a `func`, and let it be called as a job with `mode = \"async\"` in the sidecar"
            );
            return Err(refuse(message));
        }
        let mut files = Files::default();
        let options =
            wit_bindgen_c::Opts { async_: AsyncFilterSet::default(), ..Default::default() };
        options
            .build()
            .generate(&mut resolve, world, &mut files)
            .map_err(|e| refuse(format!("{e:#}")))?;
        Ok(Self {
            name: snake_case(&resolve.worlds[world].name),
            docs: documentation(&resolve, world),
            files: files.iter().map(|(name, bytes)| (name.to_owned(), bytes.to_vec())).collect(),
            wit: wit.to_owned(),
        })
    }

    /// Writes them into the project's folder, where the author's editor finds them. A file that has
    /// not changed is not touched, or whoever watches the folder would build for ever.
    ///
    /// # Errors
    ///
    /// When that is not possible.
    pub(super) fn write(&self, folder: &Path) -> Result<(), BuildError> {
        let folder = inside(folder, BINDINGS);
        fs::create_dir_all(&folder).map_err(BuildError::io(&folder))?;
        for (name, bytes) in &self.files {
            let file = folder.join(name);
            if !fs::read(&file).is_ok_and(|old| old == *bytes) {
                fs::write(&file, bytes).map_err(BuildError::io(file))?;
            }
        }
        Ok(())
    }

    /// What has to be compiled and linked, as files in the project's folder: C, and an object.
    pub(super) fn parts(&self, folder: &Path) -> Vec<PathBuf> {
        let parts = self.files.iter().map(|(name, _)| inside(folder, BINDINGS).join(name));
        parts.filter(|file| file.extension().is_some_and(|it| it == "c" || it == "o")).collect()
    }

    /// Turns the linker's words about a procedure that nobody wrote into ours.
    pub(super) fn explain(&self, error: BuildError, project: &Project) -> BuildError {
        let BuildError::Tool { output, .. } = &error else { return error };
        let missing = output.lines().filter_map(|line| line.split_once("undefined symbol: "));
        let missing = missing.map(|(_, symbol)| symbol.trim());
        let mut faults = Vec::new();
        for symbol in missing.filter(|symbol| self.declares(symbol)) {
            let message = format!(
                "`{symbol}` is not written yet; {} has its declaration",
                inside(&project.folder, BINDINGS).join(format!("{}.h", self.name)).display()
            );
            let fault = Diagnostic { file: self.wit.clone(), line: None, message };
            if !faults.contains(&fault) {
                faults.push(fault);
            }
        }
        if faults.is_empty() { error } else { BuildError::Diagnostics(faults) }
    }

    fn declares(&self, symbol: &str) -> bool {
        let header = self.files.iter().find(|(name, _)| name.ends_with(".h"));
        header
            .is_some_and(|(_, text)| String::from_utf8_lossy(text).contains(&format!(" {symbol}(")))
    }
}

/// What is wrong with WIT, in the words of who reads it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct WitError(String);

fn read(wit: &Path) -> Result<(Resolve, WorldId), WitError> {
    let (resolve, package) = match resolved(wit, Resolve::default()) {
        Ok(found) => found,
        // The author may have a copy of our package beside the own one; only then is ours too much.
        Err(error) => {
            let mut with_ours = Resolve::default();
            push_ours(&mut with_ours)?;
            resolved(wit, with_ours).map_err(|_| error)?
        }
    };
    let world = resolve.select_world(&[package], None);
    let world = world.map_err(|error| WitError(format!("{error:#}")))?;
    Ok((resolve, world))
}

fn resolved(wit: &Path, mut resolve: Resolve) -> Result<(Resolve, PackageId), WitError> {
    match resolve.push_path(wit) {
        Ok((package, _files)) => Ok((resolve, package)),
        Err(error) => Err(WitError(resolve.render_error(&error))),
    }
}

fn push_ours(resolve: &mut Resolve) -> Result<PackageId, WitError> {
    let mut sources = SourceMap::new();
    for (name, text) in OURS {
        sources.push_str(name, text);
    }
    let group = sources.parse().map_err(|(_, error)| WitError(error.to_string()))?;
    resolve.push_group(group).map_err(|error| WitError(error.to_string()))
}

/// The first exported function that is asynchronous.
fn asynchronous(resolve: &Resolve, world: WorldId) -> Option<String> {
    let is_async = |it: &&Function| matches!(it.kind, FunctionKind::AsyncFreestanding);
    functions(resolve, world).into_iter().map(|(_, it)| it).find(is_async).map(|it| it.name.clone())
}

fn documentation(resolve: &Resolve, world: WorldId) -> BTreeMap<String, String> {
    let docs = functions(resolve, world).into_iter();
    docs.filter_map(|(name, function)| Some((name, function.docs.contents.clone()?))).collect()
}

/// What the world exports, with its names as the host has them.
fn functions(resolve: &Resolve, world: WorldId) -> Vec<(String, &Function)> {
    let mut found = Vec::new();
    for (key, item) in &resolve.worlds[world].exports {
        match item {
            WorldItem::Function(function) => found.push((snake_case(&function.name), function)),
            WorldItem::Interface { id, .. } => {
                let key = resolve.name_world_key(key);
                let interface = key.rsplit('/').next().and_then(|it| it.split('@').next());
                let interface = snake_case(interface.unwrap_or_default());
                for (name, function) in &resolve.interfaces[*id].functions {
                    found.push((format!("{interface}/{}", snake_case(name)), function));
                }
            }
            WorldItem::Type { .. } => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Bindings, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("w.wit");
        fs::write(&file, text).unwrap();
        Bindings::of(&file).map_err(|error| error.to_string())
    }

    #[test]
    fn documentation_is_known_by_the_names_of_the_host() {
        let bindings = of("package a:b;
            interface sums { /// Adds.
              add-up: func(); }
            world my-w { export sums; /// One.
              export one-more: func(); export bare: func(); }");
        let bindings = bindings.unwrap();
        let docs: Vec<_> = bindings.docs.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert_eq!(docs, [("one_more", "One."), ("sums/add_up", "Adds.")]);
        assert_eq!(bindings.name, "my_w");
        assert!(bindings.declares("exports_my_w_one_more"));
        assert!(!bindings.declares("one_more"));
    }

    #[test]
    fn the_hosts_own_package_need_not_be_there() {
        let used = "package a:b; world w { import tarp:procedure/job@0.1.0; export f: func(); }";
        assert!(of(used).is_ok());
        let unknown = "package a:b; world w { import other:thing/x; export f: func(); }";
        assert!(of(unknown).unwrap_err().contains("other:thing"));
    }

    #[test]
    fn asynchronous_functions_are_refused_with_another_way() {
        let error = of("package a:b; world w { export f: async func(); }").unwrap_err();
        assert!(error.contains("`f`") && error.contains("mode = \"async\""), "{error}");
    }
}
