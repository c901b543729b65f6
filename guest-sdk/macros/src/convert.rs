//! Moves values between the author's types and those of the bindings.
//!
//! Where both are the same, as `Vec<f64>` is, the value goes through as it is. Elsewhere it is taken
//! apart and put together again, without copying what it holds.
//!
//! Where a value from callers may be refused, the code that makes the author's stands in a function or closure that
//! gives a `Result<_, Refusal>`, and leaves it by `?`.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};

use crate::declared::{self, Case, Declared, Field, Holds, Shape};
use crate::names::Name;
use crate::types::{Shared, Type};

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
            Type::Size { signed: false } => quote!(::core::primitive::u64),
            Type::Size { signed: true } => quote!(::core::primitive::i64),
            Type::String | Type::StaticStr | Type::Displayed(_) => quote!(::std::string::String),
            Type::List(inner) | Type::Array(inner, _) | Type::Set(inner) => {
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
                let name = declared::find(self.types, ident).name.bound_type();
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
            Type::Size { .. } if direction == Direction::In => {
                quote!(::tarp_guest::private::size(#value)?)
            }
            Type::Size { signed: false } => quote!(#value as ::core::primitive::u64),
            Type::Size { signed: true } => quote!(#value as ::core::primitive::i64),
            Type::Displayed(span) => {
                quote_spanned!(*span=> {
                    use ::tarp_guest::private::{OfDisplay as _, OfError as _, OfTarget as _};
                    (&&&::tarp_guest::private::Displayed(&#value)).text()
                })
            }
            Type::Array(inner, _) if direction == Direction::In => {
                let list = self.value(&Type::List(inner.clone()), direction, value);
                quote!(::tarp_guest::private::array(#list)?)
            }
            Type::List(inner) | Type::Set(inner)
                if direction == Direction::In && self.may_refuse(inner) =>
            {
                let inner = self.value(inner, direction, quote!(value));
                let list = quote!(::tarp_guest::private::each(#value, |value| {
                    ::core::result::Result::Ok(#inner)
                })?);
                if matches!(of, Type::List(_)) { list } else { collect(&list) }
            }
            Type::Set(inner) if direction == Direction::In => {
                collect(&self.value(&Type::List(inner.clone()), direction, value))
            }
            Type::List(inner) | Type::Array(inner, _) | Type::Set(inner) => {
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
            Type::Map(pair) if direction == Direction::In && self.may_refuse(of) => {
                let key = self.value(&pair.0, direction, quote!(key));
                let inner = self.value(&pair.1, direction, quote!(value));
                collect(&quote!(::tarp_guest::private::each(#value, |(key, value)| {
                    ::core::result::Result::Ok((#key, #inner))
                })?))
            }
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
                let refuse = (direction == Direction::In && self.may_refuse(of)).then(|| quote!(?));
                quote!(#function(#value) #refuse)
            }
        }
    }

    /// Whether a value from callers may be none of the author's.
    pub(crate) fn may_refuse(&self, of: &Type) -> bool {
        declared::may_refuse(of, self.types)
    }

    /// The value of an expression from callers, which is called so where it is refused.
    pub(crate) fn part(&self, of: &Type, name: &str, value: TokenStream) -> TokenStream {
        if !self.may_refuse(of) {
            return self.value(of, Direction::In, value);
        }
        let converted = self.value(of, Direction::In, quote!(value));
        quote!(::tarp_guest::private::part(#name, #value, |value| {
            ::core::result::Result::Ok(#converted)
        })?)
    }

    fn tuple(&self, types: &[Type], direction: Direction, value: &TokenStream) -> TokenStream {
        let names: Vec<_> = (0..types.len()).map(|index| format_ident!("part{index}")).collect();
        let values =
            types.iter().zip(&names).enumerate().map(|(index, (of, name))| match direction {
                Direction::In => self.part(of, &format!("[{index}]"), quote!(#name)),
                Direction::Out => self.value(of, direction, quote!(#name)),
            });
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
            let refuses = direction == Direction::In
                && self.may_refuse(&Type::Declared(declared.ident.clone()));
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
            if refuses {
                return quote!(
                    fn #name(value: #from) -> ::core::result::Result<#to, ::tarp_guest::private::Refusal> {
                        ::core::result::Result::Ok(#body)
                    }
                );
            }
            quote!(fn #name(value: #from) -> #to { #body })
        });
        quote!(#inward #outward)
    }

    fn record(&self, fields: &[Field], direction: Direction, to: &TokenStream) -> TokenStream {
        let moved = self.fields(fields, direction, &|from| quote!(value.#from));
        quote!(#to { #(#moved,)* })
    }

    /// The fields of a record, each moved over; `value` gives the expression of a field.
    fn fields(
        &self,
        fields: &[Field],
        direction: Direction,
        value: &dyn Fn(&Ident) -> TokenStream,
    ) -> Vec<TokenStream> {
        let moved = fields.iter().map(|field| {
            let (author, bound) = (&field.ident, field.name.bound_value());
            match direction {
                Direction::In => {
                    let name = format!(".{}", field.name.author());
                    let value = self.part(&field.of, &name, value(&bound));
                    quote!(#author: #value)
                }
                Direction::Out => {
                    let value = self.value(&field.of, direction, value(author));
                    quote!(#bound: #value)
                }
            }
        });
        moved.collect()
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
            let types = match &case.holds {
                // Braces fit a case that holds nothing however it was declared.
                Holds::Nothing if direction == Direction::In => {
                    return quote!(#bound {} => #author {});
                }
                Holds::Nothing => return quote!(#author {} => #bound {}),
                Holds::Fields(fields, record) => {
                    return self.case_record(fields, record, direction, &bound, &author);
                }
                Holds::Values(types) => types,
            };
            let parts: Vec<_> =
                (0..types.len()).map(|index| format_ident!("part{index}")).collect();
            let moved = types.iter().zip(&parts);
            let moved: Vec<_> =
                moved.map(|(of, part)| self.value(of, direction, quote!(#part))).collect();
            match (types.len(), direction) {
                (1, Direction::In) => quote!(#bound(part0) => #author(#(#moved)*)),
                (1, Direction::Out) => quote!(#author(part0) => #bound(#(#moved)*)),
                (_, Direction::In) => quote!(#bound((#(#parts),*)) => #author(#(#moved),*)),
                (_, Direction::Out) => quote!(#author(#(#parts),*) => #bound((#(#moved),*))),
            }
        });
        quote!(match value { #(#arms,)* })
    }

    /// The arm for a case with named fields, whose names may be those of anything.
    fn case_record(
        &self,
        fields: &[Field],
        record: &Name,
        direction: Direction,
        bound: &TokenStream,
        author: &TokenStream,
    ) -> TokenStream {
        if direction == Direction::In {
            let moved = self.fields(fields, direction, &|from| quote!(value.#from));
            return quote!(#bound(value) => #author { #(#moved,)* });
        }
        let names: Vec<_> = fields.iter().map(|field| &field.ident).collect();
        let parts: Vec<_> = (0..names.len()).map(|index| format_ident!("part{index}")).collect();
        let part = |name: &Ident| {
            let index = names.iter().position(|it| *it == name).expect("it is one of these");
            let part = &parts[index];
            quote!(#part)
        };
        let moved = self.fields(fields, direction, &part);
        let record = record.bound_type();
        quote!(#author { #(#names: #parts,)* } => #bound(bindings::#record { #(#moved,)* }))
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
        Type::Size { .. }
        | Type::StaticStr
        | Type::Displayed(_)
        | Type::Array(..)
        | Type::Set(_)
        | Type::Map(_)
        | Type::Declared(_) => false,
        Type::List(inner) | Type::Option(inner) => is_same(inner),
        Type::Result(ok, error) => ok.iter().chain(error).all(|inner| is_same(inner)),
        Type::Tuple(types) => types.iter().all(is_same),
    }
}

/// A collection of another kind, of what is in a list.
fn collect(list: &TokenStream) -> TokenStream {
    quote!(::std::iter::Iterator::collect(::std::iter::IntoIterator::into_iter(#list)))
}

fn function(ident: &Ident, direction: Direction) -> Ident {
    match direction {
        Direction::In => format_ident!("{ident}_in"),
        Direction::Out => format_ident!("{ident}_out"),
    }
}
