//! A wheel of the Python client, made of its sources. A wheel of pure Python is an archive of its files with
//! a list of their hashes, so it takes no Python to make one; the same sources always give the same bytes.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rawzip::time::UtcDateTime;
use rawzip::{CompressionMethod, ZipArchiveWriter};
use sha2::{Digest as _, Sha256};
use toml::{Table, Value};

use crate::codec::base64::Engine as _;

/// The client as it is in the repository.
pub(super) struct Sources {
    pub(super) pyproject: &'static str,
    pub(super) readme: &'static str,
    pub(super) license: &'static str,
    /// By their names in the wheel.
    pub(super) modules: &'static [(&'static str, &'static [u8])],
}

/// What pip installs.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wheel {
    /// The distribution, such as `tarp-client`.
    pub(super) name: String,
    pub(super) version: String,
    pub(super) requires_python: String,
    /// The name of the file, which pip reads.
    pub(super) file: String,
    pub(super) content: Vec<u8>,
    /// Of the content, in hexadecimal.
    pub(super) sha256: String,
}

/// Why there is no wheel: the sources are not as they are expected here.
#[derive(Debug, thiserror::Error)]
pub(super) enum WheelError {
    #[error("pyproject.toml: {0}")]
    Toml(#[from] toml::de::Error),
    #[error("pyproject.toml has no table [project]")]
    NoProject,
    #[error("`{0}` of [project] is not known")]
    Unknown(String),
    #[error("`{0}` is no text")]
    NoText(String),
    #[error("`{0}` is no list of texts")]
    NoTexts(String),
    #[error("{0} has a marker already")]
    Marker(String),
    #[error("{0} has several lines")]
    Lines(&'static str),
    #[error("the archive cannot be written: {0}")]
    Archive(#[from] io::Error),
}

type Result<T, E = WheelError> = std::result::Result<T, E>;

impl Wheel {
    /// Makes the wheel.
    ///
    /// # Errors
    ///
    /// What `pyproject.toml` says that this does not know, or does not say.
    pub(super) fn of(sources: &Sources) -> Result<Self> {
        let pyproject: Table = sources.pyproject.parse()?;
        let project = pyproject.get("project").and_then(Value::as_table);
        let project = project.ok_or(WheelError::NoProject)?;
        let name = text(project, "name")?;
        let version = text(project, "version")?;
        let distribution = format!("{}-{version}", name.replace('-', "_"));
        let info = format!("{distribution}.dist-info");

        let own = |name: &str, text: String| (format!("{info}/{name}"), text.into_bytes());
        let modules = sources.modules.iter();
        let mut files: Vec<_> =
            modules.map(|(name, content)| ((*name).to_owned(), content.to_vec())).collect();
        files.push(own("METADATA", metadata(project, sources.readme)?));
        files.push(own("WHEEL", WHEEL.to_owned()));
        files.push(own("licenses/LICENSE", sources.license.to_owned()));
        let record = record(&files, &info);
        files.push(own("RECORD", record));

        let content = archive(&files)?;
        Ok(Self {
            name: name.to_owned(),
            version: version.to_owned(),
            requires_python: text(project, "requires-python")?.to_owned(),
            file: format!("{distribution}-py3-none-any.whl"),
            sha256: Sha256::digest(&content).iter().fold(String::new(), |mut text, byte| {
                let _ = write!(text, "{byte:02x}");
                text
            }),
            content,
        })
    }
}

const WHEEL: &str = concat!(
    "Wheel-Version: 1.0\nGenerator: tarp ",
    env!("CARGO_PKG_VERSION"),
    "\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
);

/// What [`metadata`] writes of `[project]`.
const KEYS: [&str; 11] = [
    "name",
    "version",
    "description",
    "readme",
    "license",
    "license-files",
    "requires-python",
    "keywords",
    "classifiers",
    "dependencies",
    "optional-dependencies",
];

/// The core metadata of the packaging specifications, version 2.4, with the README.
fn metadata(project: &Table, readme: &str) -> Result<String> {
    // What is added there must not be missing here in silence.
    if let Some(key) = project.keys().find(|key| !KEYS.contains(&&***key)) {
        return Err(WheelError::Unknown(key.clone()));
    }
    let mut headers = vec![("Metadata-Version", "2.4".to_owned())];
    let mut add = |header, value: &str| headers.push((header, value.to_owned()));
    add("Name", text(project, "name")?);
    add("Version", text(project, "version")?);
    add("Summary", text(project, "description")?);
    add("License-Expression", text(project, "license")?);
    texts(project, "license-files")?.iter().for_each(|file| add("License-File", file));
    add("Keywords", &sorted(texts(project, "keywords")?).join(","));
    for classifier in sorted(texts(project, "classifiers")?) {
        add("Classifier", classifier);
    }
    add("Requires-Python", text(project, "requires-python")?);
    texts(project, "dependencies")?.iter().for_each(|wanted| add("Requires-Dist", wanted));
    let extras = project.get("optional-dependencies").and_then(Value::as_table);
    for (extra, wanted) in extras.into_iter().flatten() {
        add("Provides-Extra", extra);
        for wanted in texts_of(wanted).ok_or_else(|| WheelError::NoTexts(extra.clone()))? {
            if wanted.contains(';') {
                return Err(WheelError::Marker(wanted.to_owned()));
            }
            add("Requires-Dist", &format!("{wanted}; extra == '{extra}'"));
        }
    }
    add("Description-Content-Type", "text/markdown");
    let mut metadata = String::new();
    for (header, value) in headers {
        if value.contains('\n') {
            return Err(WheelError::Lines(header));
        }
        let _ = writeln!(metadata, "{header}: {value}");
    }
    Ok(format!("{metadata}\n{readme}"))
}

fn text<'a>(table: &'a Table, key: &str) -> Result<&'a str> {
    table.get(key).and_then(Value::as_str).ok_or_else(|| WheelError::NoText(key.to_owned()))
}

fn texts<'a>(table: &'a Table, key: &str) -> Result<Vec<&'a str>> {
    table.get(key).and_then(texts_of).ok_or_else(|| WheelError::NoTexts(key.to_owned()))
}

fn texts_of(list: &Value) -> Option<Vec<&str>> {
    list.as_array()?.iter().map(Value::as_str).collect()
}

fn sorted(mut texts: Vec<&str>) -> Vec<&str> {
    texts.sort_unstable();
    texts
}

/// Every file with its hash and size, but for this list itself.
fn record(files: &[(String, Vec<u8>)], info: &str) -> String {
    let mut record = String::new();
    for (name, content) in files {
        let hash = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(content));
        let _ = writeln!(record, "{name},sha256={hash},{}", content.len());
    }
    let _ = writeln!(record, "{info}/RECORD,,");
    record
}

/// The files in an archive, not compressed: 200 KB, sent once to whoever installs it.
fn archive(files: &[(String, Vec<u8>)]) -> io::Result<Vec<u8>> {
    let mut archive = ZipArchiveWriter::new(Vec::new());
    // Archives know no time before 1980; this one is that of hatchling.
    let time = UtcDateTime::from_components(2020, 2, 2, 0, 0, 0, 0)
        .ok_or_else(|| io::Error::other("no time"))?;
    for (name, content) in files {
        let (mut entry, config) = archive
            .new_file(name)
            .compression_method(CompressionMethod::STORE)
            .last_modified(time)
            .unix_permissions(0o644)
            .start()
            .map_err(io::Error::other)?;
        let mut writer = config.wrap(&mut entry);
        writer.write_all(content)?;
        let (_, written) = writer.finish().map_err(io::Error::other)?;
        entry.finish(written).map_err(io::Error::other)?;
    }
    archive.finish().map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PYPROJECT: &str = r#"
        [project]
        name = "a-b"
        version = "1.2"
        description = "Short."
        readme = "README.md"
        license = "MIT"
        license-files = ["LICENSE"]
        requires-python = ">=3.9"
        keywords = ["z", "a"]
        classifiers = ["B", "A"]
        dependencies = ["x>=1"]
        [project.optional-dependencies]
        more = ["y>=2"]
    "#;

    fn wheel(pyproject: &'static str) -> Result<Wheel> {
        Wheel::of(&Sources {
            pyproject,
            readme: "# Title\n",
            license: "Free.",
            modules: &[("a_b/__init__.py", b"x = 1\n")],
        })
    }

    #[test]
    fn the_same_sources_give_the_same_wheel() {
        let made = wheel(PYPROJECT).unwrap();
        assert_eq!(made.file, "a_b-1.2-py3-none-any.whl");
        assert_eq!(made, wheel(PYPROJECT).unwrap());
        let project: Table = PYPROJECT.parse().unwrap();
        let metadata = metadata(project["project"].as_table().unwrap(), "# Title\n").unwrap();
        assert_eq!(
            metadata,
            "Metadata-Version: 2.4\nName: a-b\nVersion: 1.2\nSummary: Short.\n\
             License-Expression: MIT\nLicense-File: LICENSE\nKeywords: a,z\nClassifier: A\n\
             Classifier: B\nRequires-Python: >=3.9\nRequires-Dist: x>=1\nProvides-Extra: more\n\
             Requires-Dist: y>=2; extra == 'more'\nDescription-Content-Type: text/markdown\n\n\
             # Title\n"
        );
    }

    #[test]
    fn what_is_not_known_is_not_left_out() {
        let more = PYPROJECT.replace("keywords", "urls = []\n        keywords").leak();
        assert_eq!(wheel(more).unwrap_err().to_string(), "`urls` of [project] is not known");
        let less = PYPROJECT.replace("version", "keywords2").leak();
        assert!(wheel(less).is_err());
    }
}
