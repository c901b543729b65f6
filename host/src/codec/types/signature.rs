//! Signatures as the host has them: their defaults are [`Value`]s.

use std::fmt;

use serde::{Serialize, Serializer};
pub use tarp_schema::types::{Case, Field, Type};

use crate::codec::json::{Json, to_string};
use crate::value::Value;

/// What a procedure takes and returns.
pub type Signature = tarp_schema::types::Signature<DefaultValue>;

/// A parameter of a procedure.
pub type Parameter = tarp_schema::types::Parameter<DefaultValue>;

/// What an argument is where the caller leaves it out. In documents it is JSON, as in a call.
#[derive(Debug, Clone, PartialEq)]
pub struct DefaultValue(pub Value);

impl Serialize for DefaultValue {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        Json(&self.0).serialize(to)
    }
}

impl fmt::Display for DefaultValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&to_string(&self.0))
    }
}
