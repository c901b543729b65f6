//! Components and their versions as programs see them.

use std::time::SystemTime;

use serde::Serialize;

use crate::catalog::{
    Catalog, Component, ComponentName, Installed, KeptVersion, Origin, Problem, Version,
};

/// All of them.
#[derive(Serialize)]
pub(super) struct List<'a> {
    pub(super) components: Vec<Entry<'a>>,
    /// Whether nothing else may be served.
    pub(super) locked: bool,
}

/// A component that is served, or was.
#[derive(Serialize)]
pub(super) struct Entry<'a> {
    name: &'a str,
    file: &'a str,
    #[serde(flatten)]
    served: Option<Served<'a>>,
    problems: Vec<&'a str>,
    versions: Vec<Kept>,
}

/// What is served of a component.
#[derive(Serialize)]
struct Served<'a> {
    version: String,
    digest: &'a str,
    sidecar: Option<&'a str>,
    modified: String,
    procedures: Vec<&'a str>,
    mount: Option<&'a str>,
}

/// A version that can be returned to.
#[derive(Serialize)]
struct Kept {
    version: String,
    digest: String,
    sidecar: Option<String>,
    since: String,
    origin: Origin,
    by: Option<String>,
    /// Whether it is the one that is served.
    current: bool,
}

/// What came of a deployment.
#[derive(Serialize)]
pub(super) struct Deployed<'a> {
    name: &'a str,
    file: &'a str,
    #[serde(flatten)]
    served: Served<'a>,
    previous: Option<String>,
    changes: Changes<'a>,
    problems: &'a [String],
}

#[derive(Serialize)]
struct Changes<'a> {
    added: &'a [String],
    removed: &'a [String],
    changed: Vec<Changed<'a>>,
}

#[derive(Serialize)]
struct Changed<'a> {
    before: &'a str,
    after: &'a str,
}

impl<'a> Entry<'a> {
    /// The component of that file: what is served of it, what is kept, and what is wrong with it.
    pub(super) fn new(
        file: &'a str,
        served: Option<&'a Component>,
        kept: Vec<KeptVersion>,
        catalog: &'a Catalog,
    ) -> Self {
        let current = served.map(|component| &component.version);
        let problems = catalog.problems().iter().filter(|problem| problem.file == file);
        let problems = problems.map(|problem: &Problem| &*problem.message).collect();
        let versions = kept.into_iter().map(|kept| Kept::new(kept, current)).collect();
        let name = ComponentName::of_file(file);
        Self { name, file, served: served.map(Served::from), problems, versions }
    }

    /// Whether there is no such component, and was none.
    pub(super) fn says_nothing(&self) -> bool {
        self.served.is_none() && self.problems.is_empty() && self.versions.is_empty()
    }
}

impl Kept {
    fn new(kept: KeptVersion, current: Option<&Version>) -> Self {
        let KeptVersion { version, since, origin, by, .. } = kept;
        Self {
            current: current == Some(&version),
            version: version.to_string(),
            digest: version.digest,
            sidecar: version.sidecar,
            since: time(since),
            origin,
            by,
        }
    }
}

impl<'a> From<&'a Component> for Served<'a> {
    fn from(component: &'a Component) -> Self {
        Self {
            version: component.version.to_string(),
            digest: &component.version.digest,
            sidecar: component.version.sidecar.as_deref(),
            modified: time(component.modified),
            procedures: component.procedures.iter().map(|name| &**name).collect(),
            mount: component.mount.as_deref(),
        }
    }
}

impl<'a> Deployed<'a> {
    pub(super) fn new(installed: &'a Installed) -> Self {
        let changes = &installed.changes;
        let changed = changes.changed.iter().map(|(before, after)| Changed { before, after });
        Self {
            name: ComponentName::of_file(&installed.component.file),
            file: &installed.component.file,
            served: Served::from(&*installed.component),
            previous: installed.previous.as_ref().map(ToString::to_string),
            changes: Changes {
                added: &changes.added,
                removed: &changes.removed,
                changed: changed.collect(),
            },
            problems: &installed.problems,
        }
    }
}

fn time(at: SystemTime) -> String {
    humantime::format_rfc3339_seconds(at.max(SystemTime::UNIX_EPOCH)).to_string()
}
