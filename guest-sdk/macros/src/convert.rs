//! Moves values between the author's types and those of the bindings.
//!
//! Where both are the same, as `Vec<f64>` is, the value goes through as it is. Elsewhere it is taken
//! apart and put together again, without copying what it holds.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use crate::declared::{Case, Declared, Field, Shape};
use crate::types::{Shared, Type};
use crate::wit;

/// From or to the bindings.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// What callers passed becomes the author's.
    In,
    /// What the author gave becomes the callers'.
    Out,
}

/// Knows the declared types.
pub(crate) struct Converter<'a> {
    types: &'a [Declared],
}

impl<'a> Converter<'a> {
    pub(crate) fn new(types: &'a [Declared]) -> Self {
        Self { types }
    }

    /// The type in the bindings, as Rust's source.
    pub(crate) fn bound(&self, of: &Type) -> TokenStream {
        match of {
            Type::Primitive { rust, .. } => {
                let name = format_ident!("{rust}");
                quote!(::core::primitive::#name)
            }
            Type::String | Type::StaticStr => quote!(::std::string::String),
            Type::List(inner) => {
                let inner = self.bound(inner);
                quote!(::std::vec::Vec<#inner>)
            }
            Type::Option(inner) => {
                let inner = self.bound(inner);
                quote!(::core::option::Option<#inner>)
            }
            Type::Result(ok, error) => {
                let side = |side: &Option<Box<Type>>| {
                    side.as_ref().map_or(quote!(()), |of| self.bound(of))
                };
                let (ok, error) = (side(ok), side(error));
                quote!(::core::result::Result<#ok, #error>)
            }
            Type::Tuple(types) => {
                let types = types.iter().map(|of| self.bound(of));
                quote!((#(#types,)*))
            }
            Type::Map(pair) => {
                let (key, value) = (self.bound(&pair.0), self.bound(&pair.1));
                quote!(::std::vec::Vec<(#key, #value)>)
            }
            Type::Declared(ident) => {
                let name = wit::find(self.types, ident).name.bound_type();
                quote!(bindings::#name)
            }
            Type::Shared(Shared::Failure) => quote!(::tarp_guest::failures::Failure),
            Type::Shared(Shared::Request) => quote!(::tarp_guest::web::Request),
            Type::Shared(Shared::Response) => quote!(::tarp_guest::web::Response),
        }
    }

    /// The value of an expression, moved over.
    pub(crate) fn value(&self, of: &Type, direction: Direction, value: TokenStream) -> TokenStream {
        if is_same(of) {
            return value;
        }
        match of {
            Type::Primitive { .. } | Type::String | Type::Shared(_) => value,
            Type::StaticStr => quote!(::std::string::String::from(#value)),
            Type::List(inner) => {
                let inner = self.value(inner, direction, quote!(value));
                quote!(::std::iter::Iterator::collect::<::std::vec::Vec<_>>(
                    ::std::iter::Iterator::map(::std::iter::IntoIterator::into_iter(#value), |value| #inner)
                ))
            }
            Type::Option(inner) => {
                let inner = self.value(inner, direction, quote!(value));
                quote!(match #value {
                    ::core::option::Option::Some(value) => ::core::option::Option::Some(#inner),
                    ::core::option::Option::None => ::core::option::Option::None,
                })
            }
            Type::Result(ok, error) => {
                let side = |side: &Option<Box<Type>>| match side {
                    Some(of) => self.value(of, direction, quote!(value)),
                    None => quote!(value),
                };
                let (ok, error) = (side(ok), side(error));
                quote!(match #value {
                    ::core::result::Result::Ok(value) => ::core::result::Result::Ok(#ok),
                    ::core::result::Result::Err(value) => ::core::result::Result::Err(#error),
                })
            }
            Type::Tuple(types) => self.tuple(types, direction, &value),
            Type::Map(pair) => {
                let key = self.value(&pair.0, direction, quote!(key));
                let inner = self.value(&pair.1, direction, quote!(value));
                quote!(::std::iter::Iterator::collect(::std::iter::Iterator::map(
                    ::std::iter::IntoIterator::into_iter(#value),
                    |(key, value)| (#key, #inner)
                )))
            }
            Type::Declared(ident) => {
                let function = function(ident, direction);
                quote!(#function(#value))
            }
        }
    }

    fn tuple(&self, types: &[Type], direction: Direction, value: &TokenStream) -> TokenStream {
        let names: Vec<_> = (0..types.len()).map(|index| format_ident!("part{index}")).collect();
        let values =
            types.iter().zip(&names).map(|(of, name)| self.value(of, direction, quote!(#name)));
        quote!({
            let (#(#names,)*) = #value;
            (#(#values,)*)
        })
    }

    /// The two functions that move a declared type over.
    pub(crate) fn functions(&self, declared: &Declared) -> TokenStream {
        let author = &declared.ident;
        let author = quote!(super::#author);
        let bound = self.bound(&Type::Declared(declared.ident.clone()));
        let [inward, outward] = [Direction::In, Direction::Out].map(|direction| {
            let name = function(&declared.ident, direction);
            let (from, to) = match direction {
                Direction::In => (&bound, &author),
                Direction::Out => (&author, &bound),
            };
            let body = match &declared.shape {
                Shape::Newtype(inner) => match direction {
                    Direction::In => {
                        let value = self.value(inner, direction, quote!(value));
                        quote!(#author(#value))
                    }
                    Direction::Out => self.value(inner, direction, quote!(value.0)),
                },
                Shape::Record(fields) => self.record(fields, direction, to),
                Shape::Flags(fields) => flags(fields, direction, &bound, &author),
                Shape::Cases(cases) => self.cases(cases, direction, &bound, &author),
            };
            quote!(fn #name(value: #from) -> #to { #body })
        });
        quote!(#inward #outward)
    }

    fn record(&self, fields: &[Field], direction: Direction, to: &TokenStream) -> TokenStream {
        let moved = fields.iter().map(|field| {
            let (author, bound) = (&field.ident, field.name.bound_value());
            let (from, to) = match direction {
                Direction::In => (&bound, author),
                Direction::Out => (author, &bound),
            };
            let value = self.value(&field.of, direction, quote!(value.#from));
            quote!(#to: #value)
        });
        quote!(#to { #(#moved,)* })
    }

    fn cases(
        &self,
        cases: &[Case],
        direction: Direction,
        bound: &TokenStream,
        author: &TokenStream,
    ) -> TokenStream {
        let arms = cases.iter().map(|case| {
            let (author_case, bound_case) = (&case.ident, case.name.bound_case());
            let (author, bound) = (quote!(#author::#author_case), quote!(#bound::#bound_case));
            let parts: Vec<_> =
                (0..case.holds.len()).map(|index| format_ident!("part{index}")).collect();
            let moved = case.holds.iter().zip(&parts);
            let moved: Vec<_> =
                moved.map(|(of, part)| self.value(of, direction, quote!(#part))).collect();
            // Braces fit a case that holds nothing however it was declared.
            match (case.holds.len(), direction) {
                (0, Direction::In) => quote!(#bound {} => #author {}),
                (0, Direction::Out) => quote!(#author {} => #bound {}),
                (1, Direction::In) => quote!(#bound(part0) => #author(#(#moved)*)),
                (1, Direction::Out) => quote!(#author(part0) => #bound(#(#moved)*)),
                (_, Direction::In) => quote!(#bound((#(#parts),*)) => #author(#(#moved),*)),
                (_, Direction::Out) => quote!(#author(#(#parts),*) => #bound((#(#moved),*))),
            }
        });
        quote!(match value { #(#arms,)* })
    }
}

fn flags(
    fields: &[Field],
    direction: Direction,
    bound: &TokenStream,
    author: &TokenStream,
) -> TokenStream {
    let names = fields.iter().map(|flag| &flag.ident);
    let constants = fields.iter().map(|flag| flag.name.bound_flag());
    match direction {
        Direction::In => quote!(#author { #(#names: value.contains(#bound::#constants),)* }),
        Direction::Out => quote!({
            let mut flags = #bound::empty();
            #(flags.set(#bound::#constants, value.#names);)*
            flags
        }),
    }
}

/// Whether the author's type is that of the bindings.
fn is_same(of: &Type) -> bool {
    match of {
        Type::Primitive { .. } | Type::String | Type::Shared(_) => true,
        Type::StaticStr | Type::Map(_) | Type::Declared(_) => false,
        Type::List(inner) | Type::Option(inner) => is_same(inner),
        Type::Result(ok, error) => ok.iter().chain(error).all(|inner| is_same(inner)),
        Type::Tuple(types) => types.iter().all(is_same),
    }
}

fn function(ident: &Ident, direction: Direction) -> Ident {
    match direction {
        Direction::In => format_ident!("{ident}_in"),
        Direction::Out => format_ident!("{ident}_out"),
    }
}
