//! A type in WIT together with what it is to callers: [`Both`].

use tarp_schema::types::Type as Known;

use super::{Plain, Type};

/// A type on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Both {
    /// In WIT.
    pub(crate) wit: Type,
    /// As its author wrote it.
    pub(crate) known: Known,
}

impl Both {
    /// One that both have.
    pub(crate) fn plain(plain: Plain) -> Self {
        Self { wit: Type::Plain(plain), known: plain.known() }
    }

    /// A list of it.
    pub(crate) fn list(self) -> Self {
        Self { wit: Type::list(self.wit), known: Known::List(Box::new(self.known)) }
    }

    /// A set of it, or a list where a set cannot have such items.
    pub(crate) fn set(self) -> Self {
        if !self.known.is_member() {
            return self.list();
        }
        Self { wit: Type::list(self.wit), known: Known::Set(Box::new(self.known)) }
    }

    /// A map between these, or a list of pairs where a map cannot have such keys.
    pub(crate) fn map(key: Self, value: Self) -> Self {
        if !key.known.is_key() {
            return Self::tuple(vec![key, value]).list();
        }
        Self {
            wit: Type::list(Type::Tuple(vec![key.wit, value.wit])),
            known: Known::Map { key: Box::new(key.known), value: Box::new(value.known) },
        }
    }

    /// A tuple of them.
    pub(crate) fn tuple(parts: Vec<Self>) -> Self {
        let (wit, known) = parts.into_iter().map(|part| (part.wit, part.known)).unzip();
        Self { wit: Type::Tuple(wit), known: Known::Tuple(known) }
    }

    /// It or nothing.
    pub(crate) fn option(self) -> Self {
        Self { wit: Type::option(self.wit), known: Known::Option(Box::new(self.known)) }
    }
}
