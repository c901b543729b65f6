//! The names of procedures: WIT's kebab-case outside, snake_case everywhere else, folders in front.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use tarp_schema::documentation::interface_name;
use tarp_schema::snake_case;

/// Attributes of the original Python client, which a procedure of that name would overwrite.
const CLIENT_ATTRIBUTES: [&str; 13] = [
    "server_url",
    "server_key",
    "remoteNames",
    "config",
    "wait",
    "probe",
    "checkAPIresult",
    "loadEndpoints",
    "getEndpoints",
    "postEndpoints",
    "asyncResult",
    "configInfo",
    "client",
];

/// By export, what stands before the names of its functions. Interfaces that have one name get longer
/// ones; the newest version keeps the short one, where one is newer than all others.
pub(super) fn interface_names<'a>(exports: &[&'a str]) -> HashMap<&'a str, String> {
    struct Named<'a> {
        export: &'a str,
        version: Version<'a>,
        long: [String; 3],
    }
    let mut groups: BTreeMap<String, Vec<Named<'a>>> = BTreeMap::new();
    for export in exports {
        let named = Named { export, version: version(export), long: long_names(export) };
        groups.entry(snake_case(interface_name(export))).or_default().push(named);
    }
    let mut names = HashMap::new();
    for (short, mut group) in groups {
        // Newest first; the text decides between packages, so that an order never depends on chance.
        group.sort_by(|a, b| b.version.cmp(&a.version).then(a.export.cmp(b.export)));
        let is_newest = group.get(1).is_none_or(|next| group[0].version > next.version);
        let mut rest = group.as_slice();
        if is_newest && let Some((newest, others)) = rest.split_first() {
            names.insert(newest.export, short);
            rest = others;
        }
        let mut taken = HashSet::new();
        for named in rest {
            // A name that an equal has a right to as well is nobody's.
            let is_contested = |name: &String| {
                rest.iter().any(|other| {
                    other.export != named.export
                        && other.version == named.version
                        && other.long.contains(name)
                })
            };
            let is_free = |name: &&String| !taken.contains(*name) && !is_contested(name);
            let name = named.long.iter().find(is_free).unwrap_or(&named.long[2]);
            taken.insert(name);
            names.insert(named.export, name.clone());
        }
    }
    names
}

/// What an interface may be called where its own name is taken: `stats/summary`,
/// `demo/stats/summary` and `demo/stats/summary/v0_1_0` for `demo:stats/summary@0.1.0`.
fn long_names(export: &str) -> [String; 3] {
    let (path, version) = export.split_once('@').unwrap_or((export, ""));
    let full = snake_case(&path.replace(':', "/"));
    let without_namespace = full.split_once('/').map_or(&*full, |(_, rest)| rest).to_owned();
    let word = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    let versioned = format!("{full}/v{}", version.chars().map(word).collect::<String>());
    [without_namespace, full, versioned]
}

type Version<'a> = (bool, [u64; 3], bool, &'a str);

/// For comparing: an interface without a package is the component's own, and newer than any; a
/// pre-release is older than its release.
fn version(export: &str) -> Version<'_> {
    let Some((_, version)) = export.split_once('@') else {
        return (!export.contains(':'), [0; 3], true, "");
    };
    let version = version.split('+').next().unwrap_or(version);
    let (numbers, pre) = version.split_once('-').unwrap_or((version, ""));
    let mut parts = numbers.split('.').map(|part| part.parse().unwrap_or(0));
    let numbers = std::array::from_fn(|_| parts.next().unwrap_or(0));
    (false, numbers, pre.is_empty(), pre)
}

/// What stands before the names of a file in a subfolder: `lab/data` for `Lab/data/x.wasm`, nothing
/// for `x.wasm`.
pub(super) fn folder_prefix(file: &Path) -> String {
    let part = |name: &std::ffi::OsStr| {
        let name = name.to_string_lossy().to_lowercase();
        name.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect::<String>()
    };
    let folders = file.parent().into_iter().flat_map(Path::iter);
    folders.map(part).collect::<Vec<_>>().join("/")
}

/// A name with what stands before it.
pub(super) fn prefixed(prefix: &str, name: &str) -> String {
    if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") }
}

/// The one path component under which the original client calls a procedure.
pub(super) fn flat(name: &str) -> Option<String> {
    name.contains('/').then(|| name.replace('/', "_"))
}

/// What the original client cannot do with a procedure of this name and these parameters.
pub(super) fn client_warning<'a>(
    name: &str,
    mut parameters: impl Iterator<Item = &'a str>,
) -> Option<String> {
    let flat = name.replace('/', "_");
    if CLIENT_ATTRIBUTES.contains(&&*flat) {
        return Some(format!(
            "the procedure `{name}` hides the attribute `{flat}` of the original Python client; rename it, or set a prefix in the sidecar"
        ));
    }
    parameters.any(|parameter| parameter == "name").then(|| {
        format!(
            "the parameter `name` of `{name}` cannot be passed by name with the original Python client, which takes it for the procedure's; rename it"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_package_version_and_dashes() {
        assert_eq!(snake_case("my-function"), "my_function");
        assert_eq!(interface_name("demo:stats/summary@0.1.0"), "summary");
        assert_eq!(interface_name("summary"), "summary");
        assert_eq!(folder_prefix(Path::new("Lab 2/raw-data/x.wasm")), "lab_2/raw_data");
        assert_eq!(prefixed(&folder_prefix(Path::new("x.wasm")), "add"), "add");
        assert_eq!(flat("summary/mean").as_deref(), Some("summary_mean"));
        assert_eq!(flat("mean"), None);
    }

    #[test]
    fn interfaces_of_one_name_get_longer_ones() {
        let named = |exports: &[&str], expected: &[&str]| {
            let names = interface_names(exports);
            let names: Vec<_> = exports.iter().map(|export| &*names[export]).collect();
            assert_eq!(names, expected, "{exports:?}");
        };
        named(&["demo:math/stats@1.0.0", "stats-of"], &["stats", "stats_of"]);
        named(&["a:one/stats@1.0.0", "a:two/stats@1.0.0"], &["one/stats", "two/stats"]);
        named(&["a:one/stats@0.9.0", "b:two/stats@0.10.0"], &["one/stats", "stats"]);
        named(&["a:one/stats@2.0.0-rc.1", "a:one/stats@2.0.0"], &["one/stats", "stats"]);
        named(&["a:one/stats@9.0.0", "stats"], &["one/stats", "stats"]);
        named(
            &["a:one/stats@1.0.0", "b:one/stats@1.0.0", "a:two/stats"],
            &["a/one/stats", "b/one/stats", "two/stats"],
        );
        named(
            &["a:one/s@3.0.0", "a:one/s@2.0.0", "a:one/s@1.0.0", "a:one/s@0.1.0"],
            &["s", "one/s", "a/one/s", "a/one/s/v0_1_0"],
        );
    }

    #[test]
    fn names_that_break_the_original_client_are_warned_of() {
        assert!(client_warning("wait", [].into_iter()).unwrap().contains("prefix"));
        assert!(client_warning("server/key", [].into_iter()).is_some());
        assert!(client_warning("add", ["x", "name"].into_iter()).unwrap().contains("`name`"));
        assert_eq!(client_warning("add", ["x", "y"].into_iter()), None);
    }
}
