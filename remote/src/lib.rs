//! The commands of `tarp` that talk to a running host: [`List`], [`Call`] and [`Jobs`].
//!
//! They know the host by its HTTP interface alone, and nothing of WebAssembly.
//!
//! | module | what it does |
//! |---|---|
//! | `address`, `client` | where the host is, and requests to it |
//! | `catalog`, `types` | what it serves, with types |
//! | `arguments` | words of the command line as arguments of those types |
//! | `list`, `call`, `jobs` | the commands |
//! | `help` | what a procedure takes, for a person |
//! | `completion` | what a shell may complete that only the host knows |
//! | `events`, `follow`, `progress` | a job's events: read, followed through lost connections, shown as a bar |
//! | `reply`, `failure` | what a call gave |
//! | `output` | results for people, programs and files |
//! | [`style`] | colours, and text of strangers made safe for a terminal |
//! | `error` | every way to end, and its exit code |

mod address;
mod arguments;
mod call;
mod catalog;
mod client;
mod completion;
mod error;
mod events;
mod failure;
mod follow;
mod help;
mod job;
mod jobs;
mod list;
mod npy;
mod output;
mod progress;
mod reply;
mod run;
pub mod style;
mod tls;
mod types;
mod web;

pub use call::Call;
pub use jobs::Jobs;
pub use list::List;
