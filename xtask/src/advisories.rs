//! Which published advisories concern the crates of Cargo.lock, and why they do no harm.
//!
//! `advisories.toml` is the database: a list of our own, since CI asks nobody on the network.

use std::collections::HashSet;
use std::fs;

use anyhow::{Context as _, Result, bail, ensure};
use semver::{Version, VersionReq};
use toml::{Table, Value};

use crate::project::Project;

/// The database, beside Cargo.lock.
const DATABASE: &str = "advisories.toml";

/// Whether what an advisory speaks of can be used against the host.
const HITS: [&str; 3] = ["no", "perhaps", "yes"];

/// One entry of the database.
struct Advisory {
    id: String,
    package: String,
    affected: Vec<VersionReq>,
    what: String,
    /// Whether it can be used against the host, and why it does no harm.
    verdict: Option<(String, String)>,
}

/// Compares the database with Cargo.lock, and says what is known of the versions in it.
///
/// # Errors
///
/// When an affected version is locked and there is no reason why that does no harm, or the database is
/// not in order.
pub(crate) fn check(project: &Project) -> Result<()> {
    let read = |name: &str| {
        fs::read_to_string(project.root.join(name)).with_context(|| format!("cannot read {name}"))
    };
    let (day, advisories) = parse(&read(DATABASE)?).with_context(|| DATABASE.to_owned())?;
    let locked = locked(&read("Cargo.lock")?).context("Cargo.lock")?;
    eprintln!("{DATABASE}: {} advisories, up to {day}", advisories.len());
    for line in known(&advisories, &locked)? {
        eprintln!("{line}");
    }
    Ok(())
}

/// What is to be said of the versions that are locked.
fn known(advisories: &[Advisory], locked: &[(String, Version)]) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    let mut open = Vec::new();
    for advisory in advisories {
        let Advisory { id, package, what, .. } = advisory;
        let versions = locked.iter().filter(|(name, version)| {
            name == package && advisory.affected.iter().any(|range| range.matches(version))
        });
        for (_, version) in versions {
            match &advisory.verdict {
                Some((hit, reason)) => lines.push(format!(
                    "  {id}, {package} {version}: {what}\n    can be hit: {hit}. {reason}"
                )),
                None => open.push(format!("  {id}, {package} {version}: {what}")),
            }
        }
    }
    ensure!(
        open.is_empty(),
        "these advisories concern locked versions; update the crates, or say in {DATABASE} why they do \
         no harm (`hit` and `reason`):\n{}",
        open.join("\n")
    );
    Ok(lines)
}

/// The day up to which the database goes, and its entries.
fn parse(text: &str) -> Result<(String, Vec<Advisory>)> {
    let table: Table = text.parse()?;
    let day = string(&table, "compiled")?;
    let entries = table.get("advisory").and_then(Value::as_array).context("has no `advisory`")?;
    let mut ids = HashSet::new();
    let mut advisories = Vec::new();
    for entry in entries {
        let entry = entry.as_table().context("`advisory` is to be a table")?;
        let id = string(entry, "id")?;
        let advisory = advisory(entry, &id).with_context(|| format!("the entry {id}"))?;
        ensure!(ids.insert(id), "the entry {} is there twice", advisory.id);
        advisories.push(advisory);
    }
    Ok((day, advisories))
}

fn advisory(entry: &Table, id: &str) -> Result<Advisory> {
    const KEYS: [&str; 7] = ["id", "crate", "affected", "what", "hit", "reason", "source"];
    if let Some(key) = entry.keys().find(|key| !KEYS.contains(&key.as_str())) {
        bail!("`{key}` is none of {}", KEYS.join(", "));
    }
    string(entry, "source")?;
    let ranges = entry.get("affected").and_then(Value::as_array).context("has no `affected`")?;
    ensure!(!ranges.is_empty(), "`affected` is empty");
    let range = |range: &Value| {
        let text = range.as_str().context("a range is a text, as in Cargo.toml")?;
        VersionReq::parse(text).with_context(|| format!("the range {text:?}"))
    };
    let verdict = match (entry.contains_key("hit"), entry.contains_key("reason")) {
        (false, false) => None,
        (true, true) => Some((string(entry, "hit")?, string(entry, "reason")?)),
        _ => bail!("`hit` and `reason` belong together"),
    };
    if let Some((hit, _)) = &verdict {
        ensure!(HITS.contains(&hit.as_str()), "`hit` is to be one of {}", HITS.join(", "));
    }
    Ok(Advisory {
        id: id.to_owned(),
        package: string(entry, "crate")?,
        affected: ranges.iter().map(range).collect::<Result<_>>()?,
        what: string(entry, "what")?,
        verdict,
    })
}

fn string(table: &Table, key: &str) -> Result<String> {
    match table.get(key).and_then(Value::as_str) {
        Some(text) if !text.trim().is_empty() => Ok(text.to_owned()),
        _ => bail!("has no text `{key}`"),
    }
}

/// Names and versions of all packages that a Cargo.lock names.
fn locked(text: &str) -> Result<Vec<(String, Version)>> {
    let table: Table = text.parse()?;
    let packages = table.get("package").and_then(Value::as_array).context("has no `package`")?;
    let package = |package: &Value| {
        let package = package.as_table().context("`package` is to be a table")?;
        Ok((string(package, "name")?, Version::parse(&string(package, "version")?)?))
    };
    packages.iter().map(package).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: &str = r#"
        compiled = "2026-01-01"
        [[advisory]]
        id = "X-1"
        crate = "bad"
        affected = ["<1.2.0", ">=2.0.0, <2.0.3"]
        what = "It is bad."
        source = "https://example.org"
    "#;

    fn check(database: &str, version: &str) -> Result<Vec<String>> {
        let lock = format!("[[package]]\nname = \"bad\"\nversion = \"{version}\"\n");
        known(&parse(database)?.1, &locked(&lock)?)
    }

    #[test]
    fn an_affected_version_needs_a_reason() {
        for version in ["0.9.0", "1.1.9", "2.0.2"] {
            let refused = check(ENTRY, version).unwrap_err().to_string();
            assert!(refused.contains("X-1, bad ") && refused.contains("`reason`"), "{refused}");
        }
        for version in ["1.2.0", "2.0.3", "3.0.0+build"] {
            assert!(check(ENTRY, version).unwrap().is_empty());
        }
        let excused = format!("{ENTRY}\nhit = \"no\"\nreason = \"It is not called.\"");
        assert_eq!(
            check(&excused, "2.0.0").unwrap(),
            ["  X-1, bad 2.0.0: It is bad.\n    can be hit: no. It is not called."]
        );
    }

    #[test]
    fn what_is_not_in_order_is_refused() {
        for (from, to) in [
            ("\"It is bad.\"", "\" \""),
            ("what", "why"),
            ("\"<1.2.0\"", "\"below 1\""),
            ("source = \"https://example.org\"", ""),
            ("compiled = \"2026-01-01\"", ""),
            ("source =", "hit = \"no\"\nsource ="),
            ("source =", "hit = \"maybe\"\nreason = \"x\"\nsource ="),
        ] {
            assert!(check(&ENTRY.replace(from, to), "9.0.0").is_err(), "{from} -> {to}");
        }
        let twice = format!("{ENTRY}{}", ENTRY.replace("compiled = \"2026-01-01\"", ""));
        assert!(check(&twice, "9.0.0").is_err());
    }

    #[test]
    fn the_database_is_in_order_and_has_reasons() {
        let project = Project::find(false).unwrap();
        super::check(&project).unwrap();
    }
}
