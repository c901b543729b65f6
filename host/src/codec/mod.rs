//! Wire formats to and from [`Value`](crate::value::Value), and values to and from the component
//! model's types.
//!
//! Knows no HTTP and starts no instance.

pub mod base64;
pub mod json;
pub mod neutral;
pub mod number;
pub mod pickle;
pub mod table;
pub mod text;
pub mod types;
