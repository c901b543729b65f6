//! Types as a host tells them, which may be newer than this program.

use std::fmt;

use serde::{Deserialize, Deserializer};
use serde_json::Value;
pub(crate) use tarp_schema::types::{Case, Field, Type};

/// A type as a host tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told<T = Type> {
    /// One that this program knows.
    Known(T),
    /// One that only a newer host has, or that holds such a one; its values are taken as JSON.
    Newer,
}

impl Told {
    pub(crate) fn as_ref(&self) -> Told<&Type> {
        match self {
            Self::Known(ty) => Told::Known(ty),
            Self::Newer => Told::Newer,
        }
    }

    /// The type, where it is known.
    pub(crate) fn known(&self) -> Option<&Type> {
        self.as_ref().known()
    }
}

impl<'a> Told<&'a Type> {
    /// The type, where it is known.
    pub(crate) fn known(self) -> Option<&'a Type> {
        match self {
            Self::Known(ty) => Some(ty),
            Self::Newer => None,
        }
    }
}

impl<'de> Deserialize<'de> for Told {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let told = Value::deserialize(from)?;
        Ok(serde_json::from_value(told).map_or(Self::Newer, Self::Known))
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(ty) => ty.fmt(f),
            Self::Newer => f.write_str("a JSON value"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_type_from_the_future_is_taken_as_json() {
        let read = |told| serde_json::from_value::<Told>(told).unwrap();
        assert_eq!(read(json!({"list": {"stream": "u8"}})), Told::Newer);
        assert_eq!(read(json!("u8")), Told::Known(Type::U8));
    }
}
