//! What an author does before a component is served: begin a project, and build it.
//!
//! | module | what |
//! |---|---|
//! | [`build`](mod@build) | one call for every language: source in, component out |
//! | [`new`](mod@new) | a project from a template |
//! | [`language`] | which languages there are, and which one a source is in |
//! | `python`, `rust`, `javascript`, `c` | what each of them takes |
//! | [`wit`] | a model of a world, and its text |
//! | [`docs`] | what WIT cannot say, and documentation, put into the finished component |
//! | [`component`] | what a finished component offers |
//! | [`tools`] | other people's tool chains, in a directory of our own |
//! | `request` | what a language is asked for, and what it gives |
//! | [`report`] | what is going on, for people and for programs |
//! | [`error`] | why it did not work, and what to do about it |
//!
//! It knows neither the host nor the command line, and runs no component.

pub mod build;
mod c;
pub mod component;
pub mod docs;
pub mod error;
mod javascript;
pub mod language;
pub mod new;
mod python;
pub mod report;
mod request;
mod rust;
pub mod tools;
pub mod wit;

pub use build::{Built, build};
pub use error::{BuildError, Diagnostic};
pub use language::{Language, UnknownLanguage};
pub use new::{NewRequest, new};
pub use request::BuildRequest;
