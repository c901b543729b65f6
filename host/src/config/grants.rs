//! What a component may touch: the table `[grants]` of a sidecar, [`GrantsTable`].

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use bytesize::ByteSize;
use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize};

use super::http_grant::HttpGrant;

/// Folders of one component. Each is opened when a call asks for its folders.
const MAX_FOLDERS: usize = 64;

/// Servers of one component, and secrets: each request is compared with all of them.
const MAX_ENTRIES: usize = 100;

/// The table `[grants]` of a sidecar: what a component may touch beside its arguments. Without one
/// there is nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GrantsTable {
    /// Its environment variables.
    #[serde(deserialize_with = "environment")]
    pub environment: BTreeMap<String, String>,
    /// Folders of the machine that it sees.
    #[serde(deserialize_with = "folders")]
    pub folders: Vec<FolderGrant>,
    /// Servers that it may send requests to.
    #[serde(deserialize_with = "servers")]
    pub http: Vec<HttpGrant>,
    /// Secrets that it may use in headers, by the names of the variables that have placeholders for them.
    #[serde(deserialize_with = "secrets")]
    pub secrets: BTreeMap<String, SecretGrant>,
    /// What it reads through `wasi:config`.
    pub config: BTreeMap<String, String>,
}

/// A secret that a component may use and never sees.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretGrant {
    /// Where the host reads it.
    #[serde(deserialize_with = "source")]
    pub from: SecretSource,
    /// The servers that get it.
    #[serde(deserialize_with = "servers_of_secret")]
    pub to: Vec<HttpGrant>,
}

/// Where the host reads a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// In a variable of its own environment.
    Variable(String),
    /// In a file, by its absolute path.
    File(PathBuf),
}

/// A folder of the machine that a component sees.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "FolderTable")]
pub struct FolderGrant {
    /// Where it is on the machine: an absolute path.
    pub host: PathBuf,
    /// Where the component sees it, such as `/spectra`.
    pub guest: String,
    /// What may be done with it.
    pub access: FolderAccess,
}

/// What may be done with a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FolderAccess {
    /// Files in it can be read.
    Read,
    /// They can be written and removed as well.
    Write {
        /// Bytes that the folder may take, whoever wrote them.
        quota: u64,
    },
}

/// A folder as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FolderTable {
    host: PathBuf,
    guest: String,
    access: AccessName,
    quota: Option<ByteSize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum AccessName {
    Read,
    Write,
}

/// A folder that cannot be granted as it is written.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum InvalidFolder {
    #[error(
        "`host` must be an absolute path without `..`, such as \"/data/spectra\", not \"{}\"",
        .0.display()
    )]
    Host(PathBuf),
    #[error("`guest` must be an absolute path below `/`, such as \"/spectra\", not \"{0}\"")]
    Guest(String),
    #[error("`quota` is for `access = \"write\"`; take one of them away")]
    QuotaToRead,
    #[error("`access = \"write\"` needs a `quota`, such as \"1 GiB\"")]
    NoQuota,
}

impl TryFrom<FolderTable> for FolderGrant {
    type Error = InvalidFolder;

    fn try_from(table: FolderTable) -> Result<Self, InvalidFolder> {
        let FolderTable { host, guest, access, quota } = table;
        if !host.is_absolute() || has_dots(&host) {
            return Err(InvalidFolder::Host(host));
        }
        let parts = guest.strip_prefix('/').unwrap_or_default();
        let is_sound = |part: &str| !["", ".", ".."].contains(&part) && !part.contains('\0');
        if !parts.split('/').all(is_sound) {
            return Err(InvalidFolder::Guest(guest));
        }
        let access = match (access, quota) {
            (AccessName::Read, None) => FolderAccess::Read,
            (AccessName::Read, Some(_)) => return Err(InvalidFolder::QuotaToRead),
            (AccessName::Write, Some(ByteSize(quota))) => FolderAccess::Write { quota },
            (AccessName::Write, None) => return Err(InvalidFolder::NoQuota),
        };
        Ok(Self { host, guest, access })
    }
}

fn has_dots(path: &Path) -> bool {
    path.components().any(|part| part == Component::ParentDir)
}

fn folders<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<FolderGrant>, D::Error> {
    let folders = Vec::<FolderGrant>::deserialize(from)?;
    if folders.len() > MAX_FOLDERS {
        return Err(D::Error::custom(format!(
            "there are {} folders; {MAX_FOLDERS} can be granted",
            folders.len()
        )));
    }
    let mut seen = BTreeSet::new();
    match folders.iter().find(|folder| !seen.insert(&folder.guest)) {
        Some(twice) => Err(D::Error::custom(format!(
            "two folders have the `guest` \"{}\"; give each a path of its own",
            twice.guest
        ))),
        None => Ok(folders),
    }
}

fn servers<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<HttpGrant>, D::Error> {
    let servers = Vec::<HttpGrant>::deserialize(from)?;
    if servers.len() > MAX_ENTRIES {
        let count = servers.len();
        return Err(D::Error::custom(format!(
            "there are {count} servers; {MAX_ENTRIES} can be granted"
        )));
    }
    Ok(servers)
}

fn servers_of_secret<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<HttpGrant>, D::Error> {
    let servers = servers(from)?;
    if servers.is_empty() {
        return Err(D::Error::custom("must name the servers that get the secret"));
    }
    Ok(servers)
}

fn source<'de, D: Deserializer<'de>>(from: D) -> Result<SecretSource, D::Error> {
    let text = String::deserialize(from)?;
    let refused = || {
        D::Error::custom(
            "must be a variable of the host, such as \"env:LAB_KEY\", or a file by its absolute path, \
             such as \"file:/etc/tarp/lab.key\"",
        )
    };
    match text.split_once(':') {
        Some(("env", name)) if variable(name).is_ok() => Ok(SecretSource::Variable(name.into())),
        Some(("file", path)) if Path::new(path).is_absolute() => {
            Ok(SecretSource::File(path.into()))
        }
        _ => Err(refused()),
    }
}

fn secrets<'de, D>(from: D) -> Result<BTreeMap<String, SecretGrant>, D::Error>
where
    D: Deserializer<'de>,
{
    let secrets = BTreeMap::<String, SecretGrant>::deserialize(from)?;
    if secrets.len() > MAX_ENTRIES {
        let count = secrets.len();
        return Err(D::Error::custom(format!(
            "there are {count} secrets; {MAX_ENTRIES} can be granted"
        )));
    }
    for name in secrets.keys() {
        variable(name).map_err(D::Error::custom)?;
    }
    Ok(secrets)
}

fn environment<'de, D>(from: D) -> Result<BTreeMap<String, String>, D::Error>
where
    D: Deserializer<'de>,
{
    let variables = BTreeMap::<String, String>::deserialize(from)?;
    for (name, value) in &variables {
        variable(name).map_err(D::Error::custom)?;
        if value.contains('\0') {
            return Err(D::Error::custom(format!("the value of `{name}` has a zero byte in it")));
        }
    }
    Ok(variables)
}

/// Whether something can be the name of an environment variable.
fn variable(name: &str) -> Result<(), InvalidVariable> {
    if name.is_empty() || name.contains(['=', '\0']) {
        return Err(InvalidVariable(name.to_owned()));
    }
    Ok(())
}

/// A text is no name of an environment variable.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{}` cannot be the name of a variable; one has neither `=` nor a zero byte",
    .0.escape_debug()
)]
struct InvalidVariable(String);

impl FolderAccess {
    /// Its name in a sidecar.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write { .. } => "write",
        }
    }
}

/// What is granted, by name: the values of variables, of the configuration, and the paths on the machine
/// are the operator's alone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Granted {
    /// Names of environment variables.
    pub environment: Vec<String>,
    /// Folders as the component sees them.
    pub folders: Vec<GrantedFolder>,
    /// Keys of the configuration.
    pub config: Vec<String>,
    /// Servers that it may send requests to.
    pub http: Vec<String>,
    /// Names of secrets.
    pub secrets: Vec<String>,
}

/// A folder as a component sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GrantedFolder {
    /// Its path there.
    pub guest: String,
    /// `read` or `write`.
    pub access: &'static str,
    /// Bytes that it may take, where it can be written to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota: Option<u64>,
}

impl GrantsTable {
    /// The names in it.
    #[must_use]
    pub fn names(&self) -> Granted {
        let folders = self.folders.iter().map(|folder| GrantedFolder {
            guest: folder.guest.clone(),
            access: folder.access.name(),
            quota: match folder.access {
                FolderAccess::Read => None,
                FolderAccess::Write { quota } => Some(quota),
            },
        });
        Granted {
            environment: self.environment.keys().cloned().collect(),
            folders: folders.collect(),
            config: self.config.keys().cloned().collect(),
            http: self.http.iter().map(ToString::to_string).collect(),
            secrets: self.secrets.keys().cloned().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Sidecar;

    use super::*;

    fn grants(text: &str) -> Result<GrantsTable, String> {
        let sidecar = toml::from_str::<Sidecar>(&format!("[grants]\n{text}"));
        sidecar.map(|sidecar| sidecar.grants).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_written_is_granted() {
        let table = grants(
            "environment = { MODE = 'fast' }\nconfig = { station = 'north' }\nfolders = [\n\
             { host = '/data/spectra', guest = '/spectra', access = 'read' },\n\
             { host = '/data/out', guest = '/results/new', access = 'write', quota = '1 GiB' }]",
        )
        .unwrap();
        assert_eq!(table.environment["MODE"], "fast");
        assert_eq!(table.config["station"], "north");
        assert_eq!(table.folders[0].access, FolderAccess::Read);
        assert_eq!(table.folders[1].access, FolderAccess::Write { quota: 1 << 30 });
        assert_eq!(table.folders[1].guest, "/results/new");
        assert_eq!(grants("").unwrap(), GrantsTable::default());
    }

    #[test]
    fn what_cannot_be_granted_is_refused_with_its_line() {
        let folder = |fields: &str| format!("folders = [{{ {fields} }}]");
        let read = "access = 'read'";
        for (text, words) in [
            ("sockets = true".to_owned(), "sockets"),
            ("http = ['ftp://a.example']".to_owned(), "scheme"),
            ("http = [1]".to_owned(), "a server such as"),
            ("http = [{ to = 'a.example', open = true }]".to_owned(), "open"),
            ("secrets = { K = { from = 'LAB', to = ['a.example'] } }".to_owned(), "env:LAB_KEY"),
            ("secrets = { K = { from = 'file:x', to = ['a.example'] } }".to_owned(), "absolute"),
            ("secrets = { K = { from = 'env:LAB', to = [] } }".to_owned(), "servers"),
            ("secrets = { K = { from = 'env:LAB' } }".to_owned(), "to"),
            ("environment = { MODE = 1 }".to_owned(), "string"),
            ("environment = { 'A=B' = '' }".to_owned(), "`A=B`"),
            ("environment = { A = \"x\\u0000\" }".to_owned(), "zero byte"),
            ("config = { a = true }".to_owned(), "string"),
            (folder(&format!("host = 'data', guest = '/d', {read}")), "\"data\""),
            (folder(&format!("host = '/data/../etc', guest = '/d', {read}")), "without `..`"),
            (folder(&format!("host = '/data', guest = 'd', {read}")), "\"d\""),
            (folder(&format!("host = '/data', guest = '/', {read}")), "below `/`"),
            (folder(&format!("host = '/data', guest = '/a/../b', {read}")), "below `/`"),
            (folder(&format!("host = '/data', guest = '/a/', {read}")), "below `/`"),
            (folder("host = '/data', guest = '/d', access = 'all'"), "`read` or `write`"),
            (folder("host = '/data', guest = '/d'"), "access"),
            (folder("host = '/data', guest = '/d', access = 'write'"), "needs a `quota`"),
            (folder(&format!("host = '/data', guest = '/d', {read}, quota = '1 B'")), "`quota`"),
            (folder(&format!("host = '/data', guest = '/d', {read}, mode = 1")), "mode"),
            (
                format!(
                    "folders = [{0}, {0}]",
                    format_args!("{{ host = '/data', guest = '/d', {read} }}")
                ),
                "two folders",
            ),
        ] {
            let refusal = grants(&text).unwrap_err();
            assert!(refusal.contains("line 2") && refusal.contains(words), "{text}: {refusal}");
        }
    }
}
