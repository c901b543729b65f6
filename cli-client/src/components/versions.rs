//! `tarp versions`: the components of a running host, or the versions of one that it has kept.

use std::process::ExitCode;

use clap::Args;
use reqwest::Method;
use serde_json::Value;

use super::{PAGE, beginning, page, short, take_address};
use crate::address::Connection;
use crate::client::Client;
use crate::error::{Error, Result};
use crate::output::table::Table;
use crate::output::{line, print_json};
use crate::run;
use crate::style::{GOOD, one_line, painted};

/// List the components of a running host, or the versions of one that can be returned to.
#[derive(Debug, Args)]
#[command(override_usage = "tarp versions [OPTIONS] [ADDRESS] [NAME]")]
pub struct Versions {
    /// The host's address, if the first word is one; the component
    #[arg(value_name = "NAME", num_args = 0..=2)]
    words: Vec<String>,
    #[command(flatten)]
    connection: Connection,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

impl Versions {
    /// Runs the command.
    #[must_use]
    pub fn run(mut self) -> ExitCode {
        take_address(&mut self.words, &mut self.connection);
        run::to_end(&self.connection, self.json, async |client| self.list(client).await)
    }

    async fn list(&self, client: &Client) -> Result<()> {
        let url = match &*self.words {
            [] => client.address.page(PAGE),
            [name] => page(client, name, &[]),
            [first, ..] => {
                let why = format!("`{first}` is no address of a host, and one name is enough");
                return Err(Error::Usage(why));
            }
        };
        let told = client.json(client.at(Method::GET, url)).await?;
        if self.json {
            return print_json(&told);
        }
        let table = match &told["components"] {
            Value::Array(components) => all(components),
            _ => one(&told),
        };
        line(table.to_string().trim_end())
    }
}

fn all(components: &[Value]) -> Table {
    let mut table = Table::new(&["NAME", "VERSION", "PROCEDURES", "KEPT", "MODIFIED"]);
    for component in components {
        let count = |name: &str| component[name].as_array().map_or(0, Vec::len).to_string();
        table.push(vec![
            text(component, "name"),
            short(&text(component, "version")),
            count("procedures"),
            count("versions"),
            text(component, "modified"),
        ]);
    }
    table
}

fn one(component: &Value) -> Table {
    let mut table = Table::new(&["DIGEST", "SIDECAR", "SINCE", "FROM", "BY", ""]);
    for version in component["versions"].as_array().into_iter().flatten() {
        let is_current = version["current"] == true;
        table.push(vec![
            beginning(&text(version, "digest")).to_owned(),
            beginning(&text(version, "sidecar")).to_owned(),
            text(version, "since"),
            text(version, "origin"),
            text(version, "by"),
            if is_current { painted(GOOD, "served") } else { String::new() },
        ]);
    }
    table
}

fn text(of: &Value, name: &str) -> String {
    one_line(of[name].as_str().unwrap_or_default())
}
