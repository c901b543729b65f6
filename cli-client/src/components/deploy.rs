//! `tarp deploy`: a component is sent to a running host, which serves it from then on.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, IF_MATCH, IF_NONE_MATCH};

use super::form::{Form, form};
use super::{page, show, take_address};
use crate::address::Connection;
use crate::client::Client;
use crate::error::{Error, Result};
use crate::output::print_json;
use crate::run;

const WASM: &str = "application/wasm";

/// Put a component into the folder of a running host.
///
/// The host loads it first, as it would a file that is dropped into the folder. What cannot be served replaces
/// nothing. Calls that run go on with their version; when the command ends, the new one is served.
#[derive(Debug, Args)]
#[command(
    override_usage = "tarp deploy [OPTIONS] [ADDRESS] FILE",
    after_help = "The host asks for a token with the right `deploy`, unless it has none and serves with --allow-deploy. \
                  A sidecar that grants something new needs `admin`. Exit codes are those of `tarp call`; 2 if the \
                  host refuses the component."
)]
pub struct Deploy {
    /// The host's address, if the first of two words is one; the component
    #[arg(value_name = "FILE", num_args = 1..=2, required = true, value_hint = clap::ValueHint::FilePath)]
    words: Vec<String>,
    #[command(flatten)]
    connection: Connection,
    /// The name to deploy it under [default: that of the file]
    #[arg(long)]
    name: Option<String>,
    /// The sidecar to put beside it; without one, a sidecar that is there stays
    #[arg(long, value_name = "FILE.toml")]
    sidecar: Option<PathBuf>,
    /// Only in place of the version with this digest
    #[arg(long, value_name = "DIGEST", conflicts_with = "new")]
    if_match: Option<String>,
    /// Only if there is no component of this name
    #[arg(long)]
    new: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

impl Deploy {
    /// Runs the command.
    #[must_use]
    pub fn run(mut self) -> ExitCode {
        if self.words.len() > 1 {
            take_address(&mut self.words, &mut self.connection);
        }
        run::to_end(&self.connection, self.json, async |client| self.deploy(client).await)
    }

    async fn deploy(&self, client: &Client) -> Result<()> {
        let [file] = &*self.words else {
            let why =
                format!("`{}` is no address of a host, and one file is enough", self.words[0]);
            return Err(Error::Usage(why));
        };
        let file = Path::new(file);
        let name = match &self.name {
            Some(name) => name.clone(),
            None => file.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        };
        let component = read(file)?;
        let mut request = client.at(Method::PUT, page(client, &name, &[]));
        request = match &self.sidecar {
            None => request.header(CONTENT_TYPE, WASM).body(component),
            Some(sidecar) => {
                let sidecar = read(sidecar)?;
                let Form { content_type, body } = form(&[
                    ("component", WASM, &component),
                    ("sidecar", "application/toml", &sidecar),
                ]);
                request.header(CONTENT_TYPE, content_type).body(body)
            }
        };
        if let Some(digest) = &self.if_match {
            let is_digest = digest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.');
            if !is_digest {
                let why = format!("--if-match takes the digest of a version, not {digest:?}");
                return Err(Error::Usage(why));
            }
            request = request.header(IF_MATCH, format!("\"{digest}\""));
        }
        if self.new {
            request = request.header(IF_NONE_MATCH, "*");
        }
        let told = client.json(request).await?;
        if self.json { print_json(&told) } else { show("deployed", &told) }
    }
}

fn read(file: &Path) -> Result<Vec<u8>> {
    std::fs::read(file)
        .map_err(|error| Error::Usage(format!("cannot read {}: {error}", file.display())))
}
