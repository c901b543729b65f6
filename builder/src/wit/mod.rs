//! A world as data, for the languages whose types become WIT, and its text.
//!
//! A [`World`] has exported functions, the types that they speak of, and imports. [`World::define`]
//! takes a named type once; the same name for another type is refused. Knows no language: names come
//! in whatever style the author wrote them, and become kebab-case here.

mod names;
mod text;

pub use names::{NameError, kebab};

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

/// Two different types have one name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("two different types are called `{0}`")]
pub struct SameName(String);

/// A world with all that it exports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct World {
    /// Such as `local:stats`.
    pub package: String,
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
    /// A world without anything in it; the name in any style.
    ///
    /// # Errors
    ///
    /// When the name cannot be one in WIT; says why.
    pub fn new(name: &str) -> Result<Self, NameError> {
        let name = kebab(name)?;
        Ok(Self {
            package: format!("local:{name}"),
            name,
            docs: None,
            imports: Vec::new(),
            uses: Vec::new(),
            definitions: Vec::new(),
            functions: Vec::new(),
        })
    }

    /// Takes a named type and gives it as a type. One that is there already is not taken again.
    ///
    /// # Errors
    ///
    /// When the name is taken by another type, or by a function: a world has one space for both.
    pub fn define(&mut self, definition: Definition) -> Result<Type, SameName> {
        let name = definition.name.clone();
        match self.definitions.iter().find(|known| known.name == name) {
            Some(known) if *known == definition => {}
            Some(_) => return Err(SameName(name)),
            None => self.definitions.push(definition),
        }
        Ok(Type::Named(name))
    }
}
