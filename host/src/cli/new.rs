//! `tarp new`: a project to begin with.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use tarp_builder::{Language, NewRequest};

use super::screen::{BOLD, painted, print, print_json};

/// Begin a project with procedures.
///
/// Writes a project that builds, with a test and a README, into a new folder.
#[derive(Debug, Args)]
pub(crate) struct New {
    /// The new folder; its last part is the project's name
    folder: PathBuf,
    /// python, rust, javascript or c
    #[arg(long, short, value_name = "LANGUAGE")]
    lang: Language,
    /// The folder of the crate tarp-guest, for a Rust project that uses it in place of plain WIT
    #[arg(long, env = "TARP_SDK", value_name = "DIR")]
    sdk: Option<PathBuf>,
    /// Say what was written in JSON, for programs
    #[arg(long)]
    json: bool,
}

impl New {
    /// Writes the project.
    ///
    /// # Errors
    ///
    /// When the folder is taken, or its name is none for a project.
    pub(crate) fn run(self) -> Result<()> {
        let sdk = self.sdk.map(std::path::absolute).transpose()?;
        let request = NewRequest { folder: self.folder, language: self.lang, sdk };
        let files = tarp_builder::new(&request)?;
        let folder = request.folder.display();
        if self.json {
            let written = serde_json::json!({ "folder": request.folder, "files": files });
            return print_json(&written);
        }
        for file in files {
            print(request.folder.join(file).display())?;
        }
        print(format_args!("\nnow: {}", painted(BOLD, &format!("cd {folder} && tarp build"))))
    }
}
