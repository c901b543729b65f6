//! The commands of `tarp` that talk to a running host: [`List`], [`Call`], [`Jobs`], [`Deploy`],
//! [`Rollback`] and [`Versions`].
//!
//! They know the host by its HTTP interface alone, and nothing of WebAssembly.
//!
//! | module | what it does |
//! |---|---|
//! | `address`, `client` | where the host is, and requests to it |
//! | `catalog`, `types` | what it serves, with types |
//! | `arguments` | words of the command line as arguments of those types |
//! | `list`, `call`, `jobs` | the commands |
//! | `components` | what changes the host's components |
//! | `help` | what a procedure takes, for a person |
//! | `completion` | what a shell may complete that only the host knows |
//! | `events`, `follow`, `progress` | a job's events: read, followed through lost connections, shown as a bar |
//! | `answer`, `reply`, `error_reply` | what came back, and what it says a call gave |
//! | `output` | results for people, programs and files |
//! | [`style`] | colours, and text of strangers made safe for a terminal |
//! | [`words`] | what a parser of options would misread |
//! | `error` | every way to end, and its exit code |

mod address;
mod answer;
mod arguments;
mod call;
mod catalog;
mod client;
mod completion;
mod components;
mod error;
mod error_reply;
mod events;
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
pub mod words;

pub use call::Call;
pub use components::{Deploy, Rollback, Versions};
pub use jobs::Jobs;
pub use list::List;
