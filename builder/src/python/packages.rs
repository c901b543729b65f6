//! The packages that a project depends on, as far as they are Python: fetched by pip into a folder for
//! just these, and packed.
//!
//! A component runs no compiled code but its own. Where all distributions have a wheel of pure Python,
//! those are taken. Of others the wheel for Linux is, without its compiled parts: many work without
//! them, only slower, and whether one does shows when the module is imported. What has no wheel at all
//! is built from its source.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::analysis::Analysis;
use super::archives;
use super::componentize::GUEST_PYTHON;
use super::project::Project;
use crate::BuildError;
use crate::error::Diagnostic;
use crate::report::{Reporter, Step};
use crate::tools::{Tool, Tools, Venv, pip};

/// The packages of a project.
#[derive(Debug, Default)]
pub(super) struct Packages {
    /// None where there are none.
    pub(super) archive: Option<PathBuf>,
    /// What can be imported, by the top of its name; true where a compiled part was left out.
    pub(super) modules: BTreeMap<String, bool>,
}

/// The platforms whose wheels stand in where there is none of pure Python.
const PLATFORMS: [&str; 5] = [
    "any",
    "manylinux2014_x86_64",
    "manylinux_2_17_x86_64",
    "manylinux_2_28_x86_64",
    "linux_x86_64",
];

/// How many distributions are built from their source before it is given up.
const MAX_BUILT: usize = 20;

/// The packages of the project, if it depends on any.
///
/// # Errors
///
/// When one cannot be had, or cannot be in a component, and when the module imports one that is not
/// among them.
pub(super) fn ensure(
    tools: &Tools,
    project: &Project,
    analysis: &Analysis,
    venv: impl FnOnce() -> Result<Venv, BuildError>,
    reporter: &dyn Reporter,
) -> Result<(Venv, Packages), BuildError> {
    let mut wanted = project.dependencies.clone();
    refuse_compiled(project, analysis)?;
    if analysis.imports_zoneinfo && !wanted.iter().any(|it| normalized(it) == "tzdata") {
        wanted.push("tzdata".into());
    }
    if project.dependencies.is_empty() {
        refuse_unknown(project, analysis, &BTreeMap::new())?;
    }
    let venv = venv()?;
    if wanted.is_empty() {
        return Ok((venv, Packages::default()));
    }
    let mut hasher = DefaultHasher::new();
    (GUEST_PYTHON, archives::PACK, &wanted).hash(&mut hasher);
    let name = format!("python-packages-{:016x}", hasher.finish());
    let folder = tools.ensure(&name, |at| {
        let site = at.join("site");
        fetch(&venv, &wanted, &site, project, analysis, reporter)?;
        let step = Step::begin(reporter, &format!("packing {}, once", wanted.join(", ")));
        archives::packages(&venv, &site, &at.join("packages.archive"), &step)?;
        let modules = serde_json::to_string(&modules_of(&site)?)
            .map_err(|e| BuildError::Internal(e.to_string()))?;
        let list = at.join("modules.json");
        fs::write(&list, modules).map_err(BuildError::io(list))?;
        fs::remove_dir_all(&site).map_err(BuildError::io(site))
    })?;
    let list = folder.join("modules.json");
    let modules = fs::read_to_string(&list).map_err(BuildError::io(&list))?;
    let modules =
        serde_json::from_str(&modules).map_err(|e| BuildError::Internal(e.to_string()))?;
    refuse_unknown(project, analysis, &modules)?;
    Ok((venv, Packages { archive: Some(folder.join("packages.archive")), modules }))
}

/// What is known to need its compiled parts is not even fetched.
fn refuse_compiled(project: &Project, analysis: &Analysis) -> Result<(), BuildError> {
    let fault = |requirement: &String| {
        let why = analysis.compiled.get(&normalized(requirement))?;
        Some(Diagnostic {
            file: project.declared_in.clone(),
            line: line_of(&project.declared_in, requirement),
            message: format!("the dependency `{requirement}`: {why}"),
        })
    };
    let faults: Vec<_> = project.dependencies.iter().filter_map(fault).collect();
    if faults.is_empty() { Ok(()) } else { Err(BuildError::Diagnostics(faults)) }
}

/// What is imported without being there.
fn refuse_unknown(
    project: &Project,
    analysis: &Analysis,
    modules: &BTreeMap<String, bool>,
) -> Result<(), BuildError> {
    let mut faults: Vec<Diagnostic> = Vec::new();
    for import in analysis.imports.iter().filter(|import| !modules.contains_key(&import.name)) {
        let message = project.not_there(&import.name);
        let fault = Diagnostic { message, ..import.at.clone() };
        if !faults.contains(&fault) {
            faults.push(fault);
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(BuildError::Diagnostics(faults)) }
}

fn fetch(
    venv: &Venv,
    wanted: &[String],
    site: &Path,
    project: &Project,
    analysis: &Analysis,
    reporter: &dyn Reporter,
) -> Result<(), BuildError> {
    let step = Step::begin(reporter, &format!("fetching {}", wanted.join(", ")));
    let pure = restricted(pip::command(venv.python(), "install").arg("--quiet"), &["any"], "py")
        .args(["--abi", "none"]);
    let missing = match pip::run(pure.arg("--target").arg(site).args(wanted), reporter, &step) {
        Ok(_) => return Ok(()),
        Err(error) => error,
    };
    if without_wheel(&missing).is_none() {
        return Err(missing);
    }
    let _ = fs::remove_dir_all(site);
    let built = tempfile::tempdir().map_err(BuildError::io("a temporary folder"))?;
    let chosen =
        resolve(venv, wanted, built.path(), reporter, &step).map_err(
            |error| match without_wheel(&error) {
                Some(requirement) => unavailable(project, &requirement, &error),
                None => error,
            },
        )?;
    let refused = chosen
        .iter()
        .find_map(|it| analysis.compiled.get(&normalized(&it.name)).map(|why| (it, why)));
    if let Some((distribution, why)) = refused {
        let text = format!("one of its dependencies needs `{}`: {why}", distribution.name);
        return Err(BuildError::source(&project.declared_in, text));
    }
    let (pure, compiled): (Vec<_>, Vec<_>) = chosen.iter().partition(|it| it.is_pure);
    let pinned = |some: &[&Distribution]| -> Vec<String> {
        some.iter().map(|it| format!("{}=={}", it.name, it.version)).collect()
    };
    let into = |names: Vec<String>, platforms: &[&str], implementation| {
        let pip = pip::command(venv.python(), "install").arg("--quiet").arg("--no-deps");
        let pip = restricted(pip, platforms, implementation).arg("--find-links").arg(built.path());
        pip::run(pip.arg("--target").arg(site).args(names), reporter, &step).map(drop)
    };
    if !pure.is_empty() {
        into(pinned(&pure), &["any"], "py")?;
    }
    for distribution in compiled {
        // Where there are both, the one of pure Python has every module as Python.
        let name = pinned(&[distribution]);
        if into(name.clone(), &["any"], "py").is_err() {
            into(name, &PLATFORMS, "cp")?;
        }
    }
    Ok(())
}

fn restricted(pip: Tool, platforms: &[&str], implementation: &str) -> Tool {
    let pip = pip.args(["--only-binary", ":all:", "--implementation", implementation]);
    let pip = pip.args(["--python-version", GUEST_PYTHON]);
    platforms.iter().fold(pip, |pip, platform| pip.args(["--platform", platform]))
}

/// A distribution that is to be installed.
#[derive(Debug)]
struct Distribution {
    name: String,
    version: String,
    /// Whether its wheel is of pure Python.
    is_pure: bool,
}

/// What the requirements come to, with wheels for Linux among it; what has none is built.
fn resolve(
    venv: &Venv,
    wanted: &[String],
    built: &Path,
    reporter: &dyn Reporter,
    step: &Step<'_>,
) -> Result<Vec<Distribution>, BuildError> {
    let mut last = String::new();
    for _ in 0..MAX_BUILT {
        let pip = pip::command(venv.python(), "install")
            .arg("--quiet")
            .args(["--dry-run", "--ignore-installed"]);
        let pip = restricted(pip, &PLATFORMS, "cp").arg("--find-links").arg(built);
        let pip = pip.args(["--report", "-"]).args(wanted).giving_data();
        let error = match pip::run(pip, reporter, step) {
            Ok(report) => return distributions(&report),
            Err(error) => error,
        };
        let Some(requirement) = without_wheel(&error).filter(|it| *it != last) else {
            return Err(error);
        };
        let wheel = pip::command(venv.python(), "wheel")
            .arg("--quiet")
            .arg("--no-deps")
            .arg("--wheel-dir")
            .arg(built);
        if pip::run(wheel.arg(&requirement), reporter, step).is_err() {
            return Err(error);
        }
        last = requirement;
    }
    Err(BuildError::Internal("too many distributions have no wheel".into()))
}

/// A requirement that can be satisfied in no way, at the line that names it.
fn unavailable(project: &Project, requirement: &str, error: &BuildError) -> BuildError {
    let output = match error {
        BuildError::Tool { output, .. } => output.as_str(),
        _ => "",
    };
    let versions = output.lines().find_map(|line| line.split_once("(from versions: "));
    let versions = versions.map_or("none", |(_, versions)| versions.trim_end_matches(')'));
    let message = format!(
        "the dependency `{requirement}` cannot be had for Python {GUEST_PYTHON}: the index has neither a wheel of it nor a source that pip can build (versions that would do: {versions})"
    );
    let file = project.declared_in.clone();
    let line = line_of(&file, requirement);
    BuildError::Diagnostics(vec![Diagnostic { file, line, message }])
}

fn distributions(report: &str) -> Result<Vec<Distribution>, BuildError> {
    let internal = |what: &dyn std::fmt::Display| {
        BuildError::Internal(format!("the report of pip cannot be read: {what}"))
    };
    let report: Value = serde_json::from_str(report).map_err(|e| internal(&e))?;
    let install = report["install"].as_array().ok_or_else(|| internal(&"no `install`"))?;
    let distribution = |each: &Value| {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        Some(Distribution {
            name: text(&each["metadata"]["name"])?,
            version: text(&each["metadata"]["version"])?,
            is_pure: text(&each["download_info"]["url"])?.ends_with("-none-any.whl"),
        })
    };
    let found: Option<Vec<_>> = install.iter().map(distribution).collect();
    found.ok_or_else(|| internal(&"a distribution has no name, version or address"))
}

/// The requirement that pip found no wheel for.
fn without_wheel(error: &BuildError) -> Option<String> {
    let BuildError::Tool { output, .. } = error else { return None };
    let (_, requirement) = output.split_once("No matching distribution found for ")?;
    let requirement = requirement.lines().next()?;
    Some(requirement.split(" (from").next()?.trim().to_owned())
}

/// What can be imported from a folder with packages, and what of it had compiled parts.
fn modules_of(site: &Path) -> Result<BTreeMap<String, bool>, BuildError> {
    let mut modules = BTreeMap::new();
    let entries = fs::read_dir(site).map_err(BuildError::io(site))?;
    for path in entries.flatten().map(|entry| entry.path()) {
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        let name = file.split('.').next().unwrap_or_default().to_owned();
        if path.is_dir() && !file.contains('.') && !name.starts_with("__") {
            let compiled = has_compiled(&path)?;
            *modules.entry(name).or_default() |= compiled;
        } else if file.ends_with(".py") {
            modules.entry(name).or_default();
        } else if file.ends_with(".so") {
            modules.insert(name, true);
        }
    }
    Ok(modules)
}

fn has_compiled(folder: &Path) -> Result<bool, BuildError> {
    for path in fs::read_dir(folder).map_err(BuildError::io(folder))?.flatten().map(|it| it.path())
    {
        if path.extension().is_some_and(|extension| extension == "so")
            || path.is_dir() && has_compiled(&path)?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The name of a requirement's distribution, as PEP 503 compares them.
fn normalized(requirement: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let name = requirement.trim().split(|c| !is_part(c)).next().unwrap_or_default();
    let words: Vec<_> = name.split(['-', '_', '.']).filter(|word| !word.is_empty()).collect();
    words.join("-").to_lowercase()
}

/// The line of a file that has this requirement in quotes.
fn line_of(file: &Path, requirement: &str) -> Option<usize> {
    let text = fs::read_to_string(file).ok()?;
    let has = |line: &str| {
        [format!("\"{requirement}\""), format!("'{requirement}'")]
            .iter()
            .any(|it| line.contains(it))
    };
    text.lines().position(has).map(|line| line + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_are_compared_by_the_names_of_their_distributions() {
        for (requirement, name) in [
            ("numpy", "numpy"),
            ("Scikit_Learn>=1.4", "scikit-learn"),
            ("ruamel.yaml [jinja2] ~= 0.18", "ruamel-yaml"),
            ("pandas; python_version > '3.8'", "pandas"),
            ("mypkg @ https://example.org/mypkg.whl", "mypkg"),
        ] {
            assert_eq!(normalized(requirement), name);
        }
    }

    #[test]
    fn the_report_of_pip_says_what_is_pure() {
        let report = r#"{"install": [
            {"metadata": {"name": "PyYAML", "version": "6.0"},
             "download_info": {"url": "https://e/pyyaml-6.0-cp314-cp314-manylinux2014_x86_64.whl"}},
            {"metadata": {"name": "six", "version": "1.17"},
             "download_info": {"url": "https://e/six-1.17-py2.py3-none-any.whl"}}]}"#;
        let found = distributions(report).unwrap();
        let found: Vec<_> = found.iter().map(|it| (it.name.as_str(), it.is_pure)).collect();
        assert_eq!(found, [("PyYAML", false), ("six", true)]);
        assert!(distributions("{}").unwrap_err().to_string().contains("install"));
    }

    #[test]
    fn modules_are_those_that_can_be_imported() {
        let site = tempfile::tempdir().unwrap();
        for file in
            ["six.py", "yaml/__init__.py", "yaml/_yaml.so", "a-1.0.dist-info/METADATA", "_c.so"]
        {
            let path = site.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let expected =
            [("_c", true), ("six", false), ("yaml", true)].map(|(n, c)| (n.to_owned(), c));
        assert_eq!(modules_of(site.path()).unwrap(), BTreeMap::from(expected));
    }
}
