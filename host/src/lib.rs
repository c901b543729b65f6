//! The host of TARP: procedures are WebAssembly components in a folder, called over HTTP.
//!
//! The way of a call, one module a station:
//!
//! | module | what it does | what it does not know |
//! |---|---|---|
//! | [`front`] | sockets, TLS, HTTP, limits on requests, status codes | wasm |
//! | [`codec`] | pickle, JSON, form and text to and from [`Value`](value::Value); values to and from WIT types | HTTP, instances |
//! | [`budget`] | the memory that everything takes together | HTTP, wasm |
//! | [`catalog`] | what can be called at this moment, kept true to the folder | HTTP |
//! | [`call`] | the narrow waist: everything that runs a guest goes through it | where the call came from |
//! | [`jobs`] | calls that nobody waits for: durable, queued, followed | HTTP |
//! | [`metrics`] | counts what happens, and tells of it | HTTP |
//! | [`sandbox`] | one call in one instance, within its limits | HTTP, wire formats |
//!
//! [`Host`] puts them together; the binary `tarp` adds a command line.

pub mod budget;
pub mod call;
pub mod catalog;
pub mod codec;
pub mod config;
pub mod error;
pub mod front;
mod host;
pub mod jobs;
mod machine;
pub mod metrics;
pub mod sandbox;
pub mod value;

pub use host::{Host, StartError};
