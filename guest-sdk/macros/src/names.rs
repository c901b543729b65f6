//! Names: those of the author, which callers see, those of WIT, and what wit-bindgen makes of these.

use heck::{ToShoutySnakeCase, ToUpperCamelCase};
use proc_macro2::{Ident, Span};
use syn::Error;
use syn::ext::IdentExt;
use tarp_schema::snake_case;
use tarp_schema::wit_names::{Names, lossy};
use wit_bindgen_core::wit_parser::Resolve;

/// A name on both sides of a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    /// In WIT: words of lower case letters and digits, with hyphens between them. No caller sees it.
    wit: String,
    /// What callers see.
    author: String,
}

impl Name {
    /// The name of a function, parameter or field, as it is. Underscores at its ends, as in `_unused`
    /// and `type_`, are Rust's affair.
    pub(crate) fn of_value(ident: &Ident) -> syn::Result<Self> {
        let text = ident.unraw().to_string();
        let author = text.trim_matches('_');
        if author.is_empty() {
            let message = format!("callers need a name for this, and `{text}` is none");
            return Err(Error::new(ident.span(), message));
        }
        Ok(Self { wit: lossy(author, "value"), author: author.to_owned() })
    }

    /// The name of a type or a case, as it is.
    pub(crate) fn of_type(ident: &Ident) -> Self {
        let author = ident.unraw().to_string();
        Self { wit: lossy(&author, "type"), author }
    }

    /// The record in WIT that the named fields of a case are. Callers never see it.
    pub(crate) fn of_case_record(of: &Ident, case: &Ident) -> Self {
        let author = format!("{}::{}", of.unraw(), case.unraw());
        Self { wit: lossy(&author.replace("::", "-"), "type"), author }
    }

    /// As it is written in WIT source.
    pub(crate) fn source(&self) -> String {
        let escape = if is_word_of_wit(&self.wit) { "%" } else { "" };
        format!("{escape}{}", self.wit)
    }

    /// As it is without an escape.
    pub(crate) fn kebab(&self) -> &str {
        &self.wit
    }

    /// That of WIT in snake_case: what the host knows without the author's.
    pub(crate) fn wit_snake(&self) -> String {
        snake_case(&self.wit)
    }

    /// As callers see it.
    pub(crate) fn author(&self) -> &str {
        &self.author
    }

    /// The field, parameter or function in wit-bindgen's code.
    pub(crate) fn bound_value(&self) -> Ident {
        ident(&wit_bindgen_rust::to_rust_ident(&self.wit))
    }

    /// The type in wit-bindgen's code, which keeps `Guest` for itself.
    pub(crate) fn bound_type(&self) -> Ident {
        match self.wit.as_str() {
            "guest" => ident("Guest_"),
            name => ident(&name.to_upper_camel_case()),
        }
    }

    /// The case of an enum or variant in wit-bindgen's code.
    pub(crate) fn bound_case(&self) -> Ident {
        ident(&self.wit.to_upper_camel_case())
    }

    /// The constant of a flag in wit-bindgen's code.
    pub(crate) fn bound_flag(&self) -> Ident {
        ident(&self.wit.to_shouty_snake_case())
    }
}

/// Whether the name means something in WIT, so that it is written with `%`: the parser knows best.
fn is_word_of_wit(name: &str) -> bool {
    let source = format!("package a:b; interface c {{ {name}: func(); }}");
    Resolve::default().push_source("name.wit", &source).is_err()
}

fn ident(text: &str) -> Ident {
    Ident::new(text, Span::call_site())
}

/// Gives all of these different names in WIT. An error where callers could not tell two of them apart, as
/// `a` and `_a`.
pub(crate) fn distinct<'a>(
    names: impl IntoIterator<Item = (&'a mut Name, &'a Ident)>,
) -> syn::Result<()> {
    let mut seen: Vec<&str> = Vec::new();
    let mut in_wit = Names::default();
    for (name, ident) in names {
        let Name { wit, author } = name;
        if seen.contains(&&**author) {
            let message = format!("callers see two of these as `{author}`; rename one");
            return Err(Error::new(ident.span(), message));
        }
        seen.push(author);
        *wit = in_wit.give(wit, None);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_names() {
        for (rust, author, wit) in [
            ("my_function", "my_function", "my-function"),
            ("_unused", "unused", "unused"),
            ("type_", "type", "%type"),
            ("mean_2d", "mean_2d", "mean-2d"),
            ("camelCase", "camelCase", "camel-case"),
            ("a__b", "a__b", "a-b"),
            ("_2d", "2d", "value-2d"),
            ("größe", "größe", "gre"),
            ("FFT", "FFT", "fft"),
        ] {
            let name = Name::of_value(&ident(rust)).unwrap();
            assert_eq!((name.author(), &*name.source()), (author, wit), "{rust}");
        }
        let message = Name::of_value(&ident("__")).unwrap_err().to_string();
        assert!(message.contains("`__`"), "{message}");
    }

    #[test]
    fn types_and_cases_keep_their_names() {
        for (rust, wit, bound) in [
            ("Peak", "peak", "Peak"),
            ("HTTPServer", "http-server", "HttpServer"),
            ("Sha256", "sha256", "Sha256"),
            ("Guest", "guest", "Guest_"),
            ("Record", "record", "Record"),
        ] {
            let name = Name::of_type(&ident(rust));
            let bound_type = name.bound_type().to_string();
            assert_eq!((name.author(), name.kebab(), &*bound_type), (rust, wit, bound));
        }
    }

    #[test]
    fn names_in_wit_are_made_different() {
        let idents = ["t", "T", "t_2"].map(ident);
        let mut names = idents.each_ref().map(|ident| Name::of_value(ident).unwrap());
        distinct(names.iter_mut().zip(&idents)).unwrap();
        assert_eq!(names.each_ref().map(Name::kebab), ["t", "t-2", "t-2-2"]);
        let twice = ["a", "_a"].map(ident);
        let mut names = twice.each_ref().map(|ident| Name::of_value(ident).unwrap());
        assert!(distinct(names.iter_mut().zip(&twice)).unwrap_err().to_string().contains("`a`"));
    }

    fn in_wit(wit: &str) -> Name {
        Name { wit: wit.to_owned(), author: String::new() }
    }

    #[test]
    fn words_of_wit_are_escaped_and_no_others() {
        for word in ["world", "list", "error-context", "u8", "interface"] {
            assert_eq!(in_wit(word).source(), format!("%{word}"));
        }
        for word in ["mean", "worlds", "f16", "package-docs", "uint"] {
            assert_eq!(in_wit(word).source(), word);
        }
    }
}
