//! The structs and enums of the annotated module, as far as procedures use them.

use proc_macro2::Ident;
use syn::{Attribute, Error, Fields, Generics, Item, ItemEnum, ItemStruct};

use crate::docs;
use crate::names::{self, Name};
use crate::types::{self, Place, Scope, Type};

const FLAGS: &str =
    "flags are a struct with a named `bool` for each, as in `struct Marks { bold: bool }`";

/// A type with a name.
#[derive(Debug)]
pub(crate) struct Declared {
    pub(crate) ident: Ident,
    pub(crate) name: Name,
    pub(crate) docs: String,
    pub(crate) shape: Shape,
}

/// What kind of type it is.
#[derive(Debug)]
pub(crate) enum Shape {
    /// A struct with named fields.
    Record(Vec<Field>),
    /// A struct around one value, `struct Meters(f64)`.
    Newtype(Type),
    /// A struct of `bool`s that is marked `#[flags]`.
    Flags(Vec<Field>),
    /// An enum; in WIT an `enum` where no case holds anything.
    Cases(Vec<Case>),
}

/// A field; of flags, one flag.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) ident: Ident,
    pub(crate) name: Name,
    pub(crate) docs: String,
    pub(crate) of: Type,
}

/// A case of an enum.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) ident: Ident,
    pub(crate) name: Name,
    pub(crate) docs: String,
    pub(crate) holds: Holds,
}

/// What a case holds.
#[derive(Debug)]
pub(crate) enum Holds {
    Nothing,
    /// Each is a type of `Case(A, B)`.
    Values(Vec<Type>),
    /// Those of `Case { a: A }`, and the name of the record that they are in WIT.
    Fields(Vec<Field>, Name),
}

impl Holds {
    /// The types in it.
    fn types(&self) -> Vec<&Type> {
        match self {
            Self::Nothing => Vec::new(),
            Self::Values(types) => types.iter().collect(),
            Self::Fields(fields, _) => fields.iter().map(|field| &field.of).collect(),
        }
    }

    pub(crate) fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }
}

impl Declared {
    /// Reads a struct or an enum of the module.
    pub(crate) fn read(
        item: &Item,
        flags: Option<&Attribute>,
        scope: &dyn Scope,
    ) -> syn::Result<Self> {
        let (ident, attributes, shape) = match item {
            Item::Struct(item) => {
                (&item.ident, &item.attrs, structure(item, flags.is_some(), scope)?)
            }
            Item::Enum(item) if flags.is_some() => {
                return Err(Error::new(item.ident.span(), FLAGS));
            }
            Item::Enum(item) => (&item.ident, &item.attrs, enumeration(item, scope)?),
            other => unreachable!("only structs and enums are declared types: {other:?}"),
        };
        let name = Name::of_type(ident);
        if name.bound_type() == "Option" || name.bound_type() == "Result" {
            let message =
                format!("`{ident}` cannot be the name of a type here: it would hide Rust's own");
            return Err(Error::new(ident.span(), message));
        }
        Ok(Self { ident: ident.clone(), name, docs: docs::of(attributes), shape })
    }

    /// The types that it holds.
    pub(crate) fn inner(&self) -> Vec<&Type> {
        match &self.shape {
            Shape::Record(fields) => fields.iter().map(|field| &field.of).collect(),
            Shape::Newtype(inner) => vec![inner],
            Shape::Flags(_) => Vec::new(),
            Shape::Cases(cases) => cases.iter().flat_map(|case| case.holds.types()).collect(),
        }
    }

    /// The names that types of WIT have on its account: its own, and those of records of its cases.
    pub(crate) fn all_names(&self) -> Vec<(&Name, &Ident)> {
        let records = self.cases().iter().filter_map(|case| match &case.holds {
            Holds::Fields(_, name) => Some((name, &case.ident)),
            Holds::Nothing | Holds::Values(_) => None,
        });
        [(&self.name, &self.ident)].into_iter().chain(records).collect()
    }

    /// The same, to be changed.
    pub(crate) fn all_names_mut(&mut self) -> Vec<(&mut Name, &Ident)> {
        let mut names = vec![(&mut self.name, &self.ident)];
        if let Shape::Cases(cases) = &mut self.shape {
            names.extend(cases.iter_mut().filter_map(|case| match &mut case.holds {
                Holds::Fields(_, name) => Some((name, &case.ident)),
                Holds::Nothing | Holds::Values(_) => None,
            }));
        }
        names
    }

    fn cases(&self) -> &[Case] {
        match &self.shape {
            Shape::Cases(cases) => cases,
            Shape::Record(_) | Shape::Newtype(_) | Shape::Flags(_) => &[],
        }
    }
}

/// Whether a value that fits the type in WIT may be none of the author's: a list of another length than an array's,
/// a number beyond `usize`. `types` are those of the module.
pub(crate) fn may_refuse(of: &Type, types: &[Declared]) -> bool {
    let inner = |of: &Type| may_refuse(of, types);
    match of {
        Type::Size { .. } | Type::Array(..) => true,
        Type::Primitive { .. }
        | Type::String
        | Type::StaticStr
        | Type::Displayed(_)
        | Type::Shared(_) => false,
        Type::List(of) | Type::Set(of) | Type::Option(of) => inner(of),
        Type::Result(ok, error) => ok.iter().chain(error).any(|of| inner(of)),
        Type::Tuple(of) => of.iter().any(inner),
        Type::Map(pair) => inner(&pair.0) || inner(&pair.1),
        Type::Declared(ident) => find(types, ident).inner().into_iter().any(inner),
    }
}

/// The declared type of that name.
pub(crate) fn find<'a>(types: &'a [Declared], ident: &Ident) -> &'a Declared {
    types.iter().find(|declared| declared.ident == *ident).expect("every used type was read")
}

fn structure(item: &ItemStruct, is_flags: bool, scope: &dyn Scope) -> syn::Result<Shape> {
    no_generics(&item.generics, &item.ident)?;
    match &item.fields {
        Fields::Named(named) if !named.named.is_empty() => {
            let fields = named.named.iter().map(|field| read_field(field, scope));
            let mut fields = fields.collect::<syn::Result<Vec<_>>>()?;
            names::distinct(fields.iter_mut().map(|field| (&mut field.name, &field.ident)))?;
            if !is_flags {
                return Ok(Shape::Record(fields));
            }
            for (field, syntax) in fields.iter().zip(&named.named) {
                if !matches!(field.of, Type::Primitive { rust: "bool", .. }) {
                    return Err(Error::new_spanned(&syntax.ty, "each field of flags is a `bool`"));
                }
            }
            Ok(Shape::Flags(fields))
        }
        Fields::Unnamed(unnamed) if unnamed.unnamed.len() == 1 && !is_flags => {
            Ok(Shape::Newtype(types::read(&unnamed.unnamed[0].ty, Place::Inside, scope)?))
        }
        _ if is_flags => Err(Error::new(item.ident.span(), FLAGS)),
        Fields::Unnamed(unnamed) if !unnamed.unnamed.is_empty() => Err(Error::new(
            item.ident.span(),
            "callers know the fields of a struct by their names; give them some, or use a tuple",
        )),
        _ => Err(Error::new(
            item.ident.span(),
            format!("`{}` holds nothing, so there is nothing to pass", item.ident),
        )),
    }
}

fn read_field(field: &syn::Field, scope: &dyn Scope) -> syn::Result<Field> {
    let ident = field.ident.clone().expect("fields of this struct have names");
    Ok(Field {
        name: Name::of_value(&ident)?,
        docs: docs::of(&field.attrs),
        of: types::read(&field.ty, Place::Inside, scope)?,
        ident,
    })
}

fn enumeration(item: &ItemEnum, scope: &dyn Scope) -> syn::Result<Shape> {
    no_generics(&item.generics, &item.ident)?;
    if item.variants.is_empty() {
        let message = format!("`{}` has no cases, so there is nothing to pass", item.ident);
        return Err(Error::new(item.ident.span(), message));
    }
    let case = |variant: &syn::Variant| {
        let holds = match &variant.fields {
            fields if fields.is_empty() => Holds::Nothing,
            Fields::Unit => Holds::Nothing,
            Fields::Unnamed(unnamed) => {
                let types = unnamed.unnamed.iter();
                Holds::Values(
                    types
                        .map(|field| types::read(&field.ty, Place::Inside, scope))
                        .collect::<syn::Result<_>>()?,
                )
            }
            Fields::Named(named) => {
                let fields = named.named.iter().map(|field| read_field(field, scope));
                let mut fields = fields.collect::<syn::Result<Vec<_>>>()?;
                names::distinct(fields.iter_mut().map(|field| (&mut field.name, &field.ident)))?;
                Holds::Fields(fields, Name::of_case_record(&item.ident, &variant.ident))
            }
        };
        let (name, docs) = (Name::of_type(&variant.ident), docs::of(&variant.attrs));
        Ok(Case { ident: variant.ident.clone(), name, docs, holds })
    };
    let mut cases = item.variants.iter().map(case).collect::<syn::Result<Vec<_>>>()?;
    names::distinct(cases.iter_mut().map(|case| (&mut case.name, &case.ident)))?;
    Ok(Shape::Cases(cases))
}

fn no_generics(generics: &Generics, ident: &Ident) -> syn::Result<()> {
    if generics.params.is_empty() {
        return Ok(());
    }
    let message =
        format!("`{ident}` has parameters, and callers cannot; write one type for each use");
    Err(Error::new_spanned(generics, message))
}
