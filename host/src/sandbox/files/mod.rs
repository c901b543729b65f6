//! The folders that guests were granted, what they may take, and what calls have open in them.
//!
//! [`wasi_filesystem`](super::wasi_filesystem) shows them to guests.

mod folder;
mod growing;
mod ledger;
mod open;
mod reading;

pub(super) use folder::Folder;
pub use folder::ReservedFolder;
pub(super) use growing::{GrowingFile, Position, write};
pub(super) use ledger::{Change, ENTRY, Inode, Ledgers};
pub(super) use open::{OpenFile, OpenFiles, Permit, TooManyFiles};
pub(super) use reading::ReadFile;
