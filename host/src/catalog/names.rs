//! The names of procedures: WIT's kebab-case outside, snake_case everywhere else, folders in front.

use std::path::Path;

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

/// `my-function` is `my_function`.
pub(super) fn snake_case(kebab: &str) -> String {
    kebab.replace('-', "_").to_ascii_lowercase()
}

/// The interface's own name: `summary` of `demo:stats/summary@0.1.0`.
pub(super) fn interface(export: &str) -> &str {
    let unversioned = export.split('@').next().unwrap_or(export);
    unversioned.rsplit('/').next().unwrap_or(unversioned)
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
pub(super) fn alias(name: &str) -> Option<String> {
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
        assert_eq!(interface("demo:stats/summary@0.1.0"), "summary");
        assert_eq!(interface("summary"), "summary");
        assert_eq!(folder_prefix(Path::new("Lab 2/raw-data/x.wasm")), "lab_2/raw_data");
        assert_eq!(prefixed(&folder_prefix(Path::new("x.wasm")), "add"), "add");
        assert_eq!(alias("summary/mean").as_deref(), Some("summary_mean"));
        assert_eq!(alias("mean"), None);
    }

    #[test]
    fn names_that_break_the_original_client_are_warned_of() {
        assert!(client_warning("wait", [].into_iter()).unwrap().contains("prefix"));
        assert!(client_warning("server/key", [].into_iter()).is_some());
        assert!(client_warning("add", ["x", "name"].into_iter()).unwrap().contains("`name`"));
        assert_eq!(client_warning("add", ["x", "y"].into_iter()), None);
    }
}
