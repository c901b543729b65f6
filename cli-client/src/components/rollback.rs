//! `tarp rollback`: a running host returns to a version of a component that it has kept.

use std::process::ExitCode;

use clap::Args;
use reqwest::Method;

use super::{page, show, take_address};
use crate::address::Connection;
use crate::client::Client;
use crate::error::{Error, Result};
use crate::output::print_json;
use crate::run;

/// Return to the version of a component before the one that a running host serves.
///
/// Once more returns to the one before that. `tarp versions NAME` lists those that are kept.
#[derive(Debug, Args)]
#[command(override_usage = "tarp rollback [OPTIONS] [ADDRESS] NAME")]
pub struct Rollback {
    /// The host's address, if the first of two words is one; the component
    #[arg(value_name = "NAME", num_args = 1..=2, required = true)]
    words: Vec<String>,
    #[command(flatten)]
    connection: Connection,
    /// The version to return to, older or newer: its digest, or eight digits or more of its beginning
    #[arg(long, value_name = "DIGEST")]
    to: Option<String>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

impl Rollback {
    /// Runs the command.
    #[must_use]
    pub fn run(mut self) -> ExitCode {
        if self.words.len() > 1 {
            take_address(&mut self.words, &mut self.connection);
        }
        run::to_end(&self.connection, self.json, async |client| self.roll_back(client).await)
    }

    async fn roll_back(&self, client: &Client) -> Result<()> {
        let [name] = &*self.words else {
            let why =
                format!("`{}` is no address of a host, and one name is enough", self.words[0]);
            return Err(Error::Usage(why));
        };
        let mut url = page(client, name, &["rollback"]);
        if let Some(to) = &self.to {
            url.query_pairs_mut().append_pair("to", to);
        }
        let told = client.json(client.at(Method::POST, url)).await?;
        if self.json { print_json(&told) } else { show("returned to", &told) }
    }
}
