//! Puts everything together: the author's module, with one hidden module more.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::{Error, Item, ItemMod, parse_quote};

use crate::convert::{Converter, Direction};
use crate::declared::Declared;
use crate::module::{self, Module};
use crate::procedure::{Input, Procedure};
use crate::types::{Shared, Type};
use crate::{bindings, metadata, wit};

/// The attribute macro.
///
/// Where something is wrong, the author's module is still there: what else uses it need not
/// complain as well.
pub(crate) fn procedures(arguments: TokenStream, item: &TokenStream) -> TokenStream {
    let mut author: ItemMod = match syn::parse2(item.clone()) {
        Ok(module) => module,
        Err(_) => {
            let message = "#[procedures] stands above a module: `mod name { ... }`";
            let error = Error::new_spanned(item, message).into_compile_error();
            return quote!(#error #item);
        }
    };
    let hidden = if arguments.is_empty() {
        module::read(&mut author).and_then(|module| hidden(&module, &author.ident))
    } else {
        Err(Error::new_spanned(
            arguments,
            "#[procedures] takes nothing; see #[procedure] for functions",
        ))
    };
    match (hidden, &mut author.content) {
        (Ok(hidden), Some((_, items))) => {
            items.push(Item::Verbatim(hidden));
            // `pub` is for callers here, who reach what no Rust code reaches.
            author.attrs.push(parse_quote!(#[allow(unreachable_pub)]));
            author.into_token_stream()
        }
        (Err(error), _) => {
            let error = error.into_compile_error();
            quote!(#error #author)
        }
        (Ok(_), None) => unreachable!("a module without content is an error"),
    }
}

/// The module that exports what is in `module`.
fn hidden(module: &Module, ident: &Ident) -> syn::Result<TokenStream> {
    let source = wit::source(module);
    let bindings = bindings::generate(module, &source)?;
    let converter = Converter::new(&module.types);
    let conversions = module.types.iter().map(|declared| converter.functions(declared));
    let functions = module.procedures.iter().map(|procedure| function(procedure, &converter));
    let wit = section("tarp:wit", &source);
    let once = once(module, ident);
    let metadata = metadata::text(module).map(|text| section("tarp:procedures", &text));
    Ok(quote! {
        #[doc(hidden)]
        #[allow(warnings, clippy::all, clippy::pedantic, clippy::restriction)]
        #[allow(missing_docs, unsafe_code, reason = "generated; it crosses the boundary of the component")]
        mod __procedures {
            pub(super) mod bindings {
                #bindings
            }

            #(#conversions)*

            pub(super) struct Procedures;

            impl bindings::Guest for Procedures {
                #(#functions)*
            }

            // Elsewhere the exports would be symbols of a program that has others of the name.
            #[cfg(target_family = "wasm")]
            bindings::export!(Procedures with_types_in bindings);

            #wit
            #metadata

            #(#once)*
        }
    })
}

/// Makes the compiler refuse two modules of a crate that have something of one name.
///
/// Their worlds become one: of two types the component would have only one, without a word. A macro
/// sees no other module, but the compiler finds two exported macros of one name, at the author's
/// own.
fn once(module: &Module, ident: &Ident) -> Vec<TokenStream> {
    let procedures = module.procedures.iter().map(|procedure| {
        (
            format!("two_modules_have_a_procedure_{}", procedure.name.wit_snake()),
            procedure.ident.span(),
        )
    });
    let types = module.types.iter().flat_map(Declared::all_names).map(|(name, ident)| {
        (format!("two_modules_have_a_type_{}", name.wit_snake()), ident.span())
    });
    let own =
        (format!("two_modules_of_procedures_are_called_{}", module.name.wit_snake()), ident.span());
    let marker = |(name, span): (String, Span)| {
        let name = Ident::new(&name, span);
        quote_spanned!(span=> #[doc(hidden)] #[macro_export] macro_rules! #name { () => {}; })
    };
    procedures.chain(types).chain([own]).map(marker).collect()
}

/// The function of the trait `Guest` that calls the author's.
fn function(procedure: &Procedure, converter: &Converter<'_>) -> TokenStream {
    let ident = &procedure.ident;
    let name = procedure.name.bound_value();
    let parameters = procedure.parameters().map(|parameter| {
        let (name, of) = (parameter.name.bound_value(), converter.bound(&parameter.of));
        quote!(#name: #of)
    });
    let result = procedure.exported.as_ref().map(|of| {
        let of = converter.bound(of);
        quote!(-> #of)
    });
    let may_refuse = procedure.parameters().any(|parameter| converter.may_refuse(&parameter.of));
    let arguments = procedure.inputs.iter().map(|input| match input {
        Input::Context => quote!(&::tarp_guest::Context::new()),
        Input::Parameter(parameter) => {
            let name = parameter.name.bound_value();
            let value = if may_refuse {
                quote!(#name)
            } else {
                converter.value(&parameter.of, Direction::In, quote!(#name))
            };
            if parameter.by_reference { quote!(&#value) } else { value }
        }
    });
    // A type that is not what its name says is found here, and is the author's line.
    let mut call = quote_spanned!(ident.span()=> super::#ident(#(#arguments),*));
    let asynchronous = procedure.is_async.then(|| {
        call.extend(quote!(.await));
        quote!(async)
    });
    let body = match &procedure.result {
        Some(of) => converter.value(of, Direction::Out, call),
        None => quote!(#call),
    };
    let is_result = matches!(procedure.result, Some(Type::Result(..)));
    let body = match (may_refuse, is_result, &procedure.result) {
        (true, false, _) => quote!(::core::result::Result::Ok(#body)),
        (false, _, None) => quote!(#body;),
        _ => body,
    };
    let checked = may_refuse.then(|| checked(procedure, converter));
    quote!(#asynchronous fn #name(#(#parameters),*) #result { #checked #body })
}

/// Makes the author's values of the arguments before the function is called, or leaves with a refusal.
fn checked(procedure: &Procedure, converter: &Converter<'_>) -> TokenStream {
    let names: Vec<_> =
        procedure.parameters().map(|parameter| parameter.name.bound_value()).collect();
    let values = procedure.parameters().zip(&names).map(|(parameter, name)| {
        converter.part(&parameter.of, parameter.name.author(), quote!(#name))
    });
    let refused = match &procedure.exported {
        Some(Type::Result(_, Some(error))) => match **error {
            Type::String | Type::StaticStr | Type::Displayed(_) => {
                quote!(
                    return ::core::result::Result::Err(::std::string::ToString::to_string(
                        &refusal
                    ))
                )
            }
            Type::Shared(Shared::Failure) => {
                quote!(
                    return ::core::result::Result::Err(::tarp_guest::Failure::Other(
                        ::std::string::ToString::to_string(&refusal)
                    ))
                )
            }
            // An error of the author's own has no place for it.
            _ => quote!(::core::panic!("{refusal}")),
        },
        _ => quote!(::core::panic!("{refusal}")),
    };
    quote! {
        let check = move || -> ::core::result::Result<_, ::tarp_guest::private::Refusal> {
            ::core::result::Result::Ok((#(#values,)*))
        };
        let (#(#names,)*) = match check() {
            ::core::result::Result::Ok(values) => values,
            ::core::result::Result::Err(refusal) => #refused,
        };
    }
}

/// A custom section with one text, in the framing that `tarp_guest` documents.
fn section(name: &str, text: &str) -> TokenStream {
    let length = text.len() + 4;
    let text = Literal::string(text);
    quote! {
        #[cfg(target_family = "wasm")]
        const _: () = {
            #[unsafe(link_section = #name)]
            static RECORD: [u8; #length] = ::tarp_guest::record(#text);
        };
    }
}
