//! `tarp list`: what a host serves.

use std::process::ExitCode;

use clap::Args;

use crate::address::{Connection, is_address};
use crate::catalog::{Catalog, Procedure, matches};
use crate::client::Client;
use crate::completion;
use crate::error::{Error, Result};
use crate::output::{line, print_json};
use crate::run;
use crate::style::{BOLD, DIM, one_line, painted};

/// List the procedures of a running host.
#[derive(Debug, Args)]
#[command(
    override_usage = "tarp list [OPTIONS] [ADDRESS] [PATTERN]",
    after_help = "A pattern without * and ? is looked for anywhere in a name: `tarp list mean`. With them it is for \
                  the whole name: `tarp list 'statistics/*'`. Exit codes are those of `tarp call`; 2 if no \
                  procedure matches."
)]
pub struct List {
    /// The host's address, if the first word is one; which procedures: a part of their names, or a pattern
    /// with * and ?
    #[arg(value_name = "PATTERN", num_args = 0..=2, add = completion::patterns::<List>())]
    words: Vec<String>,
    #[command(flatten)]
    connection: Connection,
    /// Print one JSON document: {"procedures": […]}, as the host describes them
    #[arg(long)]
    json: bool,
}

impl List {
    /// Runs the command.
    #[must_use]
    pub fn run(mut self) -> ExitCode {
        if self.words.first().is_some_and(|word| is_address(word)) {
            self.connection.url = Some(self.words.remove(0));
        }
        run::to_end(&self.connection, self.json, async |client| self.list(client).await)
    }

    async fn list(&self, client: &Client) -> Result<()> {
        let pattern = match &*self.words {
            [] => None,
            [pattern] => Some(pattern.as_str()),
            [first, ..] => {
                let why = format!("`{first}` is no address of a host, and one pattern is enough");
                return Err(Error::Usage(why));
            }
        };
        let told = client.json(client.get("/-/procedures")).await?;
        let catalog = Catalog::read(&told, client)?;
        let is_listed = |name: &str| pattern.is_none_or(|pattern| matches(pattern, name));
        if self.json {
            let all = told["procedures"].as_array().into_iter().flatten();
            let listed: Vec<_> =
                all.filter(|one| one["name"].as_str().is_some_and(is_listed)).collect();
            return print_json(&serde_json::json!({"procedures": listed}));
        }
        let listed: Vec<_> =
            catalog.procedures.iter().filter(|procedure| is_listed(&procedure.name)).collect();
        for procedure in &listed {
            line(&shown(procedure))?;
        }
        if !catalog.complete {
            anstream::eprintln!("{} is still loading its components", client.address);
        }
        match (listed.len(), pattern) {
            (0, Some(pattern)) => Err(catalog.unknown(pattern, &client.address.to_string())),
            (0, None) => {
                let problems = catalog.problems();
                anstream::eprintln!("{} serves no procedures{problems}", client.address);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// Its name and types, and the first line of what it does.
fn shown(procedure: &Procedure) -> String {
    let name = painted(BOLD, &one_line(&procedure.name));
    let kind = procedure.kind().map_or(String::new(), |kind| format!(" ({kind})"));
    let signature = if procedure.web.is_some() { "" } else { &procedure.signature };
    let head = format!("{name}{}{kind}", one_line(signature));
    match procedure.documentation.lines().find(|line| !line.trim().is_empty()) {
        Some(first) => format!("{head}\n    {}", painted(DIM, &one_line(first.trim()))),
        None => head,
    }
}
