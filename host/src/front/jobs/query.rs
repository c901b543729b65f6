//! Queries of the pages about jobs. What is misspelt in one must not count as left out.

use std::borrow::Cow;

use axum::extract::FromRequestParts;
use http::request::Parts;

use crate::error::{CallError, excerpt};
use crate::front::response::ErrorResponse;

/// The parameters of a query, none of which has an unknown name.
pub(super) struct Query<'q>(Vec<(Cow<'q, str>, Cow<'q, str>)>);

impl<'q> Query<'q> {
    /// Reads a query.
    ///
    /// # Errors
    ///
    /// For a parameter that is not among those that are known, with their names.
    pub(super) fn read(query: &'q str, known: &[&str]) -> Result<Self, CallError> {
        let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
        let Some((name, _)) = pairs.iter().find(|(name, _)| !known.contains(&&**name)) else {
            return Ok(Self(pairs));
        };
        let there = match known {
            [] => "there are none".to_owned(),
            [only] => format!("there is {only}"),
            [others @ .., last] => format!("there are {} and {last}", others.join(", ")),
        };
        let name = excerpt(name);
        Err(CallError::bad_request(format!("there is no parameter {name:?}; {there}")))
    }

    /// The value of a parameter.
    ///
    /// # Errors
    ///
    /// Where it came twice.
    pub(super) fn one(&self, name: &str) -> Result<Option<&str>, CallError> {
        let mut values = self.all(name);
        match (values.next(), values.next()) {
            (_, Some(_)) => {
                Err(CallError::bad_request(format!("the parameter {name:?} came twice")))
            }
            (value, None) => Ok(value),
        }
    }

    /// All values of a parameter that may come several times.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(known, _)| *known == name).map(|(_, value)| &**value)
    }
}

/// Refuses the query of an address that takes none.
pub(super) struct NoQuery;

impl<S: Sync> FromRequestParts<S> for NoQuery {
    type Rejection = ErrorResponse;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ErrorResponse> {
        Query::read(parts.uri.query().unwrap_or_default(), &[])?;
        Ok(Self)
    }
}
