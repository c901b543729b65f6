//! The host of TARP: procedures are WebAssembly components in a folder, called over HTTP.
//!
//! The way of a call, one module a station:
//!
//! | module | what it does | what it does not know |
//! |---|---|---|
//! | `front` | sockets, TLS, HTTP, limits on requests, status codes | wasm |
//! | [`codec`] | pickle, JSON, form and text to and from [`Value`](value::Value); values to and from WIT types | HTTP, instances |
//! | [`audit`] | tells a file who did what | HTTP |
//! | [`auth`] | who may call what: tokens and rights | HTTP |
//! | [`budget`] | the memory that everything takes together | HTTP, wasm |
//! | [`catalog`] | what can be called at this moment, kept true to the folder | HTTP |
//! | [`call`] | the narrow waist: everything that runs a guest goes through it | where the call came from |
//! | [`jobs`] | calls that nobody waits for: durable, queued, followed | HTTP |
//! | [`metrics`] | counts what happens, and tells of it | HTTP |
//! | [`sandbox`] | one call in one instance, within its limits | HTTP, wire formats |
//!
//! [`Host`] puts them together; the binary `tarp` adds a command line.
//!
//! A program that embeds a host makes a [`HostConfig`](config::HostConfig), and has
//! [`Host::serve`] serve a listener of its own until a future of its own completes.

pub mod config;
#[expect(clippy::disallowed_types, reason = "it alone knows status codes")]
mod front;
mod host;
mod machine;
mod shutdown;

pub use audit::AuditError;
pub use auth::TokenStoreError;
pub use catalog::{CacheError, Catalog, Mount, Problem, Procedure, Source};
pub use front::TlsError;
pub use host::{Host, StartError};
pub use jobs::store::{OpenError, StoreError};

// No part of the interface, but the binary and the tests, which are crates of their own, need them.
#[doc(hidden)]
pub mod audit;
#[doc(hidden)]
pub mod auth;
#[doc(hidden)]
pub mod budget;
#[doc(hidden)]
pub mod call;
#[doc(hidden)]
pub mod catalog;
#[doc(hidden)]
pub mod codec;
#[doc(hidden)]
pub mod confinement;
#[doc(hidden)]
pub mod error;
#[doc(hidden)]
pub mod files;
#[doc(hidden)]
pub mod jobs;
#[doc(hidden)]
pub mod metrics;
#[doc(hidden)]
pub mod sandbox;
#[doc(hidden)]
pub mod value;
