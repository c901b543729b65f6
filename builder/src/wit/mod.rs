//! A world as data, for the languages whose types become WIT, and its text.
//!
//! A [`World`] has exported functions, the types that they speak of, and imports. [`World::define`]
//! takes a named type once. Knows no language: names come in whatever style the author wrote them, and
//! become kebab-case here, where no two in one scope are the same.

mod both;
mod names;
mod reflect;
mod text;

pub(crate) use both::Both;
pub use names::{NameError, kebab};
use tarp_schema::wit_names::Names;
pub(crate) use tarp_schema::wit_names::{distinct, lossy};

/// A type as it stands in a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// One that WIT names itself: `bool`, `s64`, `string`.
    Plain(Plain),
    /// `list<T>`
    List(Box<Type>),
    /// `tuple<A, B>`
    Tuple(Vec<Type>),
    /// `option<T>`
    Option(Box<Type>),
    /// `result<T, E>`, either of which may be missing.
    Result(Option<Box<Type>>, Option<Box<Type>>),
    /// One that was defined, by its name in kebab-case.
    Named(String),
}

/// The types that WIT names itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "their names say it")]
pub enum Plain {
    Bool,
    S8,
    S16,
    S32,
    S64,
    U8,
    U16,
    U32,
    U64,
    F32,
    F64,
    Char,
    String,
}

/// A field, or a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// In kebab-case.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// What it is for.
    pub docs: Option<String>,
}

/// A case of a variant, an enum or of flags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// In kebab-case.
    pub name: String,
    /// What it carries; only in a variant.
    pub ty: Option<Type>,
    /// What it means.
    pub docs: Option<String>,
}

/// What a named type is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// Named fields.
    Record(Vec<Field>),
    /// One of several cases, each with a value or without.
    Variant(Vec<Case>),
    /// One of several cases.
    Enum(Vec<Case>),
    /// Any of several cases.
    Flags(Vec<Case>),
    /// Another name for a type.
    Alias(Type),
}

/// A named type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// In kebab-case.
    pub name: String,
    /// What its author calls it.
    pub author: String,
    /// What it is.
    pub shape: Shape,
    /// What it is for.
    pub docs: Option<String>,
}

/// An exported function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// In kebab-case.
    pub name: String,
    /// Whether it is an `async func`.
    pub is_async: bool,
    /// Its parameters, in their order.
    pub parameters: Vec<Field>,
    /// What it gives, if anything.
    pub result: Option<Type>,
    /// What it does.
    pub docs: Option<String>,
}

/// Types of another package's interface that a world speaks of: `use from.{names};`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// Such as `tarp:procedure/web@0.1.0`.
    pub from: String,
    /// Such as `request`.
    pub names: Vec<String>,
}

/// A world with all that it exports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct World {
    /// In kebab-case.
    pub name: String,
    /// What it is for.
    pub docs: Option<String>,
    /// Interfaces, such as `tarp:procedure/job@0.1.0`.
    pub imports: Vec<String>,
    /// Types of other packages.
    pub uses: Vec<Use>,
    /// Types of its own.
    pub definitions: Vec<Definition>,
    /// The procedures.
    pub functions: Vec<Function>,
    /// Those of its functions and types, which share one space.
    scope: Names,
}

impl Type {
    /// `list<T>`
    #[must_use]
    pub fn list(of: Type) -> Self {
        Self::List(Box::new(of))
    }

    /// `option<T>`
    #[must_use]
    pub fn option(of: Type) -> Self {
        Self::Option(Box::new(of))
    }
}

impl World {
    /// A world without anything in it; the name in any style. `reserved` are names in kebab-case that
    /// none of its functions and types may have.
    #[must_use]
    pub fn new(name: &str, reserved: &[&str]) -> Self {
        Self {
            name: lossy(name, "module"),
            docs: None,
            imports: Vec::new(),
            uses: Vec::new(),
            definitions: Vec::new(),
            functions: Vec::new(),
            scope: Names::without(reserved),
        }
    }

    /// A name for a function, which nothing else of the world has, from one in kebab-case.
    pub fn name_function(&mut self, wanted: &str) -> String {
        self.scope.give(wanted, None)
    }

    /// Speaks of types of another package's interface, whose names are taken then.
    pub fn use_from(&mut self, from: &str, names: Vec<String>) {
        for name in &names {
            self.scope.give(name, None);
        }
        self.uses.push(Use { from: from.to_owned(), names });
    }

    /// Takes a type that its author has a name for, and gives it as a type. One that is there already is not
    /// taken again. Where something else has the name, it gets another one in WIT, with `kind` behind it.
    pub fn define(
        &mut self,
        author: &str,
        kind: Option<&str>,
        shape: Shape,
        docs: Option<String>,
    ) -> Type {
        let is_it = |known: &&Definition| {
            known.author == author && known.shape == shape && known.docs == docs
        };
        if let Some(known) = self.definitions.iter().find(is_it) {
            return Type::Named(known.name.clone());
        }
        let name = self.scope.give(&lossy(author, "type"), kind);
        let author = author.to_owned();
        self.definitions.push(Definition { name: name.clone(), author, shape, docs });
        Type::Named(name)
    }
}
