//! The types of parameters, results and fields, as they are written in Rust.

use proc_macro2::{Ident, Span};
use syn::spanned::Spanned;
use syn::{Error, GenericArgument, PathArguments, ReturnType, Type as Syntax, TypePath};

/// A type that a procedure can take or give.
#[derive(Clone, Debug)]
pub(crate) enum Type {
    /// `bool`, `char`, a number: the name in Rust and in WIT.
    Primitive {
        rust: &'static str,
        wit: &'static str,
    },
    /// `usize`, `isize`: a number of 64 bits in WIT, as no caller knows the size of the component's.
    Size {
        signed: bool,
    },
    String,
    /// `&'static str`, in a result.
    StaticStr,
    /// The error of a function's result that is no value: callers get its text, and that of its causes.
    Displayed(Span),
    List(Box<Type>),
    /// `[T; N]`: a list whose length is checked. The length, where it is a plain number.
    Array(Box<Type>, Option<usize>),
    /// Any crate's `HashSet` or `BTreeSet`: a list.
    Set(Box<Type>),
    Option(Box<Type>),
    /// `None` stands for `()`.
    Result(Option<Box<Type>>, Option<Box<Type>>),
    Tuple(Vec<Type>),
    /// A map from any crate's `HashMap` or `BTreeMap`: a list of pairs.
    Map(Box<(Type, Type)>),
    /// A type of the annotated module, by its name there.
    Declared(Ident),
    /// A type of this SDK.
    Shared(Shared),
}

/// Types that the package `tarp:procedure` has, in Rust those of `tarp_guest`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shared {
    Failure,
    Request,
    Response,
}

impl Shared {
    /// Its interface, its name in WIT, and its module in `tarp_guest`.
    pub(crate) fn place(self) -> (&'static str, &'static str) {
        match self {
            Self::Failure => ("failures", "failure"),
            Self::Request => ("web", "request"),
            Self::Response => ("web", "response"),
        }
    }
}

impl Type {
    /// Whether such a value is in it, other than inside of a declared type.
    pub(crate) fn holds(&self, shared: Shared) -> bool {
        match self {
            Self::Primitive { .. }
            | Self::Size { .. }
            | Self::String
            | Self::StaticStr
            | Self::Displayed(_)
            | Self::Declared(_) => false,
            Self::List(inner) | Self::Array(inner, _) | Self::Set(inner) | Self::Option(inner) => {
                inner.holds(shared)
            }
            Self::Result(ok, error) => ok.iter().chain(error).any(|inner| inner.holds(shared)),
            Self::Tuple(inner) => inner.iter().any(|inner| inner.holds(shared)),
            Self::Map(pair) => pair.0.holds(shared) || pair.1.holds(shared),
            Self::Shared(this) => *this == shared,
        }
    }

    /// The types of the annotated module that are named in it.
    pub(crate) fn declared(&self) -> Vec<&Ident> {
        match self {
            Self::Primitive { .. }
            | Self::Size { .. }
            | Self::String
            | Self::StaticStr
            | Self::Displayed(_)
            | Self::Shared(_) => Vec::new(),
            Self::Declared(ident) => vec![ident],
            Self::List(inner) | Self::Array(inner, _) | Self::Set(inner) | Self::Option(inner) => {
                inner.declared()
            }
            Self::Result(ok, error) => {
                ok.iter().chain(error).flat_map(|inner| inner.declared()).collect()
            }
            Self::Tuple(inner) => inner.iter().flat_map(Self::declared).collect(),
            Self::Map(pair) => [&pair.0, &pair.1].into_iter().flat_map(Self::declared).collect(),
        }
    }

    /// The types of the SDK that are named in it.
    pub(crate) fn shared(&self) -> Vec<Shared> {
        [Shared::Failure, Shared::Request, Shared::Response]
            .into_iter()
            .filter(|shared| self.holds(*shared))
            .collect()
    }
}

const PRIMITIVES: [(&str, &str); 12] = [
    ("bool", "bool"),
    ("char", "char"),
    ("f32", "f32"),
    ("f64", "f64"),
    ("i8", "s8"),
    ("i16", "s16"),
    ("i32", "s32"),
    ("i64", "s64"),
    ("u8", "u8"),
    ("u16", "u16"),
    ("u32", "u32"),
    ("u64", "u64"),
];

/// What the names in a type can stand for.
pub(crate) trait Scope {
    /// Whether the annotated module has a struct or an enum of that name.
    fn declares(&self, name: &Ident) -> bool;

    /// What a `type` of the annotated module stands for.
    fn alias(&self, name: &Ident) -> Option<&syn::ItemType>;
}

/// Where a type stands decides about references, and about errors that are displayed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// What a function returns.
    Returned,
    /// A part of what a function returns.
    Result,
    Inside,
}

impl Place {
    /// The place of a part.
    fn part(self) -> Self {
        match self {
            Self::Returned | Self::Result => Self::Result,
            Self::Inside => Self::Inside,
        }
    }
}

/// Reads a type.
pub(crate) fn read(syntax: &Syntax, place: Place, scope: &dyn Scope) -> syn::Result<Type> {
    let inside = |syntax: &Syntax| read(syntax, place.part(), scope).map(Box::new);
    match syntax {
        Syntax::Paren(inner) => read(&inner.elem, place, scope),
        Syntax::Group(inner) => read(&inner.elem, place, scope),
        Syntax::Tuple(tuple) if tuple.elems.is_empty() => Err(Error::new_spanned(
            tuple,
            "`()` is no value that can be passed; it stands only for the result of a function, or \
             in a `Result`",
        )),
        Syntax::Tuple(tuple) => Ok(Type::Tuple(
            tuple.elems.iter().map(|e| read(e, place.part(), scope)).collect::<syn::Result<_>>()?,
        )),
        Syntax::Reference(reference) if place != Place::Inside && is_str(&reference.elem) => {
            Ok(Type::StaticStr)
        }
        Syntax::Reference(reference) => Err(Error::new_spanned(
            reference,
            "a reference can only be a whole parameter, as in `values: &[f64]`; own the value here",
        )),
        Syntax::Array(array) => Ok(Type::Array(inside(&array.elem)?, length(&array.len))),
        Syntax::Path(path) if path.qself.is_none() => {
            let segment = path.path.segments.last().expect("a path has a segment");
            let name = &segment.ident;
            let arguments = arguments(&segment.arguments);
            let count = |expected: usize, example: &str| {
                if arguments.len() == expected {
                    return Ok(());
                }
                let message =
                    format!("`{name}` needs its types written out here, as in `{example}`");
                Err(Error::new_spanned(path, message))
            };
            let single = path.path.segments.len() == 1;
            if single && scope.declares(name) {
                return Ok(Type::Declared(name.clone()));
            }
            let text = name.to_string();
            if text == "Result" && place == Place::Returned {
                return returned(path, &arguments, scope);
            }
            if single && let Some(alias) = scope.alias(name) {
                if !alias.generics.params.is_empty() {
                    let message = format!("`{name}` has parameters; write out what it stands for");
                    return Err(Error::new_spanned(path, message));
                }
                return read(&alias.ty, place, scope);
            }
            if let Some((rust, wit)) = PRIMITIVES.iter().find(|(rust, _)| text == *rust) {
                return Ok(Type::Primitive { rust, wit });
            }
            match text.as_str() {
                "usize" => Ok(Type::Size { signed: false }),
                "isize" => Ok(Type::Size { signed: true }),
                "String" => Ok(Type::String),
                "Vec" => {
                    count(1, "Vec<f64>")?;
                    Ok(Type::List(inside(arguments[0])?))
                }
                "Option" => {
                    count(1, "Option<f64>")?;
                    Ok(Type::Option(inside(arguments[0])?))
                }
                "Result" => {
                    count(2, "Result<f64, String>")?;
                    let side = |syntax: &Syntax| {
                        if is_unit(syntax) { Ok(None) } else { inside(syntax).map(Some) }
                    };
                    Ok(Type::Result(side(arguments[0])?, side(arguments[1])?))
                }
                "HashMap" | "BTreeMap" => {
                    count(2, &format!("{text}<String, f64>"))?;
                    Ok(Type::Map(Box::new((
                        read(arguments[0], place.part(), scope)?,
                        read(arguments[1], place.part(), scope)?,
                    ))))
                }
                "HashSet" | "BTreeSet" => {
                    count(1, &format!("{text}<String>"))?;
                    Ok(Type::Set(inside(arguments[0])?))
                }
                "Failure" => Ok(Type::Shared(Shared::Failure)),
                "Request" => Ok(Type::Shared(Shared::Request)),
                "Response" => Ok(Type::Shared(Shared::Response)),
                _ => Err(unknown(&text, path)),
            }
        }
        other => {
            Err(Error::new_spanned(other, "a procedure cannot take or give a value of such a type"))
        }
    }
}

/// Reads a `Result` that a function returns. An alias of one parameter, such as `anyhow::Result<T>`, has an error
/// that no signature shows, so that it is displayed, as any other that is no value.
fn returned(path: &TypePath, arguments: &[&Syntax], scope: &dyn Scope) -> syn::Result<Type> {
    let side = |syntax: &Syntax| {
        if is_unit(syntax) {
            return Ok(None);
        }
        read(syntax, Place::Result, scope).map(|of| Some(Box::new(of)))
    };
    match arguments {
        [ok] => Ok(Type::Result(side(ok)?, Some(Box::new(displayed(path))))),
        [ok, error] => {
            let error = match side(error) {
                Err(_) if may_be_displayed(error, scope) => Some(Box::new(displayed(error))),
                read => read?,
            };
            Ok(Type::Result(side(ok)?, error))
        }
        _ => {
            let message = "`Result` needs its types written out here, as in `Result<f64, String>`";
            Err(Error::new_spanned(path, message))
        }
    }
}

/// Whether a type that is no value may have a text: one of another module, `Box<dyn Error>`, `impl Error`.
fn may_be_displayed(syntax: &Syntax, scope: &dyn Scope) -> bool {
    match syntax {
        Syntax::Path(path) => {
            let last = path.path.segments.last().expect("a path has a segment");
            let is_value =
                ["Vec", "Option", "Result", "HashMap", "BTreeMap", "HashSet", "BTreeSet"];
            !scope.declares(&last.ident) && !is_value.iter().any(|name| last.ident == name)
        }
        Syntax::ImplTrait(_) | Syntax::TraitObject(_) => true,
        Syntax::Paren(inner) => may_be_displayed(&inner.elem, scope),
        Syntax::Group(inner) => may_be_displayed(&inner.elem, scope),
        _ => false,
    }
}

fn displayed(syntax: &impl Spanned) -> Type {
    Type::Displayed(syntax.span())
}

/// The length of an array that is a plain number.
fn length(expression: &syn::Expr) -> Option<usize> {
    match expression {
        syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Int(number), .. }) => {
            number.base10_parse().ok()
        }
        _ => None,
    }
}

/// Reads what a function returns: nothing, or a type.
pub(crate) fn read_result(output: &ReturnType, scope: &dyn Scope) -> syn::Result<Option<Type>> {
    match output {
        ReturnType::Default => Ok(None),
        ReturnType::Type(_, syntax) if is_unit(syntax) => Ok(None),
        ReturnType::Type(_, syntax) => read(syntax, Place::Returned, scope).map(Some),
    }
}

/// A parameter `&T` takes what `T` takes; the function gets a reference. Tells whether it was one.
pub(crate) fn read_parameter(syntax: &Syntax, scope: &dyn Scope) -> syn::Result<(Type, bool)> {
    let Syntax::Reference(reference) = syntax else {
        return Ok((read(syntax, Place::Inside, scope)?, false));
    };
    if let Some(token) = &reference.mutability {
        return Err(Error::new(
            token.span,
            "a caller would not see what becomes of it; take the value",
        ));
    }
    let inner = match &*reference.elem {
        inner if is_str(inner) => Type::String,
        Syntax::Slice(slice) => Type::List(Box::new(read(&slice.elem, Place::Inside, scope)?)),
        inner => read(inner, Place::Inside, scope)?,
    };
    Ok((inner, true))
}

fn arguments(arguments: &PathArguments) -> Vec<&Syntax> {
    let PathArguments::AngleBracketed(list) = arguments else { return Vec::new() };
    let mut types = Vec::new();
    for argument in &list.args {
        if let GenericArgument::Type(syntax) = argument {
            types.push(syntax);
        }
    }
    types
}

fn is_unit(syntax: &Syntax) -> bool {
    matches!(syntax, Syntax::Tuple(tuple) if tuple.elems.is_empty())
}

fn is_str(syntax: &Syntax) -> bool {
    matches!(syntax, Syntax::Path(path) if path.path.is_ident("str"))
}

fn unknown(name: &str, path: &TypePath) -> Error {
    let message = match name {
        "u128" | "i128" => {
            format!("a number of 128 bits cannot be passed, so no `{name}`; use `String`")
        }
        "Box" | "Rc" | "Arc" | "Cow" => format!("`{name}` cannot be passed; use what is in it"),
        "Self" => "`Self` stands for nothing here; write the type's name".into(),
        "Context" => "a procedure takes the context as `&Context`".into(),
        _ => format!(
            "`{name}` is not known here: besides the types of the language, a procedure takes and \
             gives structs and enums that are written in this module; move `{name}` into it"
        ),
    };
    Error::new_spanned(path, message)
}
