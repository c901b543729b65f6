//! The commands about the components of a running host: [`Deploy`], [`Rollback`] and [`Versions`].

mod deploy;
mod form;
mod rollback;
mod versions;

use serde_json::Value;

use crate::address::{Connection, is_address};
use crate::client::Client;
use crate::output::line;
use crate::style::{BAD, GOOD, WARN, one_line, painted, printable};

pub use deploy::Deploy;
pub use rollback::Rollback;
pub use versions::Versions;

/// The address of all components.
const PAGE: &str = "/-/components";

/// Digits of a digest that are shown to people.
const SHOWN_DIGITS: usize = 12;

/// Takes the host's address from the words, if the first one is one.
fn take_address(words: &mut Vec<String>, connection: &mut Connection) {
    // A file may be called anything; the only word is the one that is needed.
    if words.first().is_some_and(|word| is_address(word)) {
        connection.url = Some(words.remove(0));
    }
}

/// The URL of one component, and what is below it.
fn page(client: &Client, name: &str, below: &[&str]) -> reqwest::Url {
    let mut url = client.address.page(PAGE);
    if let Ok(mut segments) = url.path_segments_mut() {
        // A component in a subfolder is one segment.
        segments.push(name).extend(below);
    }
    url
}

/// A version for people: the beginning of its digest, and that of its sidecar's.
fn short(version: &str) -> String {
    match version.split_once('.') {
        Some((digest, sidecar)) => format!("{}.{}", beginning(digest), beginning(sidecar)),
        None => beginning(version).to_owned(),
    }
}

fn beginning(digest: &str) -> &str {
    digest.get(..SHOWN_DIGITS).unwrap_or(digest)
}

/// Shows what a change has brought.
fn show(done: &str, told: &Value) -> crate::error::Result<()> {
    let text = |name: &str| told[name].as_str().unwrap_or_default();
    let procedures = told["procedures"].as_array().map_or(0, Vec::len);
    let s = if procedures == 1 { "" } else { "s" };
    let mut head = format!(
        "{} {} {}: {procedures} procedure{s}",
        painted(GOOD, done),
        one_line(text("file")),
        short(text("version")),
    );
    if let Some(mount) = told["mount"].as_str() {
        head.push_str(&format!(", mounted at /{}/", one_line(mount)));
    }
    if let Some(previous) = told["previous"].as_str() {
        head.push_str(&format!(", in place of {}", short(previous)));
    }
    line(&head)?;
    let changes = &told["changes"];
    for (sign, style, kind) in [("+", GOOD, "added"), ("-", BAD, "removed")] {
        for shown in changes[kind].as_array().into_iter().flatten().filter_map(Value::as_str) {
            line(&format!("  {} {}", painted(style, sign), one_line(shown)))?;
        }
    }
    for changed in changes["changed"].as_array().into_iter().flatten() {
        let text = |name: &str| one_line(changed[name].as_str().unwrap_or_default());
        line(&format!("  {} {}", painted(BAD, "-"), text("before")))?;
        line(&format!("  {} {}", painted(GOOD, "+"), text("after")))?;
    }
    for problem in told["problems"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        anstream::eprintln!("{} {}", painted(WARN, "warning:"), printable(problem));
    }
    Ok(())
}
