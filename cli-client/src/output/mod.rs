//! Results where they are to go: for people on standard output, for programs as one JSON document,
//! or into a file.

mod file;
mod pretty;
pub(crate) mod table;

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use crate::error::{Result, stdout};
use crate::reply::{Content, Reply};
use crate::style::{DIM, painted, printable};
use crate::types::{Told, Type};

/// The flags that say where a result goes.
#[derive(Debug, Clone, Args)]
pub(crate) struct Destination {
    /// Write the result to FILE: as JSON to .json, a table to .csv, numbers and bytes to .npy; bytes and
    /// text to any other as they are; - is standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Destination {
    /// Whether a result of this type can go where it is to go: better known before a long call.
    pub(crate) fn check(&self, ty: Option<Told<&Type>>) -> Result<()> {
        self.file().map_or(Ok(()), |path| file::check(path, ty.and_then(Told::<&Type>::known)))
    }

    /// The file that is asked for, which is none where it is standard output.
    fn file(&self) -> Option<&Path> {
        self.output.as_deref().filter(|path| *path != Path::new("-"))
    }

    /// Delivers a result, for programs where `json` says so. `job` is its ID where it has one.
    pub(crate) fn deliver(
        &self,
        reply: &Reply,
        ty: Option<Told<&Type>>,
        job: Option<&str>,
        json: bool,
    ) -> Result<()> {
        let (known, returns) = (ty.and_then(Told::<&Type>::known), ty.is_some());
        if !json {
            printed(&reply.stdout);
            printed(&reply.stderr);
        }
        if let Some(path) = self.file() {
            if let Err(unfit) = file::write(path, &reply.content, known) {
                // It may have taken hours: rather in the wrong place than lost.
                for_people(&reply.content, returns)?;
                return Err(unfit);
            }
            let path = path.display();
            anstream::eprintln!(
                "{}",
                painted(DIM, &format!("{path}: {}", described(&reply.content)))
            );
        }
        if json {
            let mut document = json!({"result": reply.content.to_json(), "receipt": reply.receipt});
            if let Some(id) = job {
                document["job"] = id.into();
            }
            for (name, text) in [("stdout", &reply.stdout), ("stderr", &reply.stderr)] {
                if !text.is_empty() {
                    document[name] = text.as_str().into();
                }
            }
            return print_json(&document);
        }
        if self.file().is_none() { for_people(&reply.content, returns) } else { Ok(()) }
    }
}

/// Says on standard error what a procedure printed: standard output is for its result alone.
fn printed(text: &str) {
    let is_terminal = std::io::stderr().is_terminal();
    let text = if is_terminal { printable(text) } else { text.into() };
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    // Whoever does not listen wants the result all the same.
    let _ = write!(std::io::stderr().lock(), "{text}{end}");
}

/// Prints one JSON document.
pub(crate) fn print_json(document: &Value) -> Result<()> {
    line(&document.to_string())
}

/// Prints a line, without colours where they are not wanted.
pub(crate) fn line(text: &str) -> Result<()> {
    writeln!(anstream::stdout().lock(), "{text}").map_err(stdout)
}

/// `returns` is whether the procedure returns anything.
fn for_people(content: &Content, returns: bool) -> Result<()> {
    let is_terminal = std::io::stdout().is_terminal();
    match content {
        Content::Bytes(_) if is_terminal => {
            line(&format!("{}; -o FILE saves them, and so does a pipe", described(content)))
        }
        Content::Bytes(bytes) => std::io::stdout().lock().write_all(bytes).map_err(stdout),
        Content::Text(text) if is_terminal => text_line(&printable(text)),
        Content::Text(text) => text_line(text),
        // Nothing to see of a procedure that returns nothing.
        Content::Json(Value::Null) if !returns => Ok(()),
        Content::Json(value) => match table::of_records(value, is_terminal) {
            Some(table) => line(table.trim_end()),
            None => line(&pretty::pretty(value)),
        },
    }
}

/// Not through `anstream`: to a pipe goes what the procedure returned, escapes and all.
fn text_line(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    let end = if text.ends_with('\n') { "" } else { "\n" };
    write!(out, "{text}{end}").map_err(stdout)
}

/// What it is, in a few words.
fn described(content: &Content) -> String {
    let counted = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    match content {
        Content::Bytes(bytes) => {
            let size = counted(bytes.len(), "byte");
            kind(bytes).map_or_else(|| size.clone(), |kind| format!("{size}, {kind}"))
        }
        Content::Text(text) => counted(text.chars().count(), "character"),
        Content::Json(Value::Array(items)) => counted(items.len(), "item"),
        Content::Json(_) => "one value".into(),
    }
}

/// What bytes look like, by how they begin.
fn kind(bytes: &[u8]) -> Option<&'static str> {
    let known: [(&[u8], &str); 8] = [
        (b"\x89PNG\r\n\x1a\n", "a PNG image"),
        (b"\xff\xd8\xff", "a JPEG image"),
        (b"GIF8", "a GIF image"),
        (b"%PDF-", "a PDF document"),
        (b"PK\x03\x04", "a ZIP archive"),
        (b"\x1f\x8b", "gzip"),
        (b"\0asm", "WebAssembly"),
        (crate::npy::MAGIC, "a NumPy array"),
    ];
    known.iter().find(|(magic, _)| bytes.starts_with(magic)).map(|(_, kind)| *kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_described_by_how_they_begin() {
        assert_eq!(described(&Content::Bytes(b"GIF89a".into())), "6 bytes, a GIF image");
        assert_eq!(described(&Content::Bytes(vec![0])), "1 byte");
        assert_eq!(described(&Content::Text("né".into())), "2 characters");
    }
}
