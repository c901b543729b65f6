//! Names: from Rust's snake_case and UpperCamelCase to WIT's kebab-case, and to what wit-bindgen
//! makes of that.

use heck::{ToKebabCase, ToShoutySnakeCase, ToUpperCamelCase};
use proc_macro2::{Ident, Span};
use syn::Error;
use syn::ext::IdentExt;
use wit_bindgen_core::wit_parser::Resolve;

/// A name in WIT: words of lower case letters and digits, with hyphens between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name(String);

impl Name {
    /// The name of a function, parameter or field: `my_function` is `my-function`. Underscores at
    /// its ends, as in `_unused` and `type_`, are Rust's affair.
    pub(crate) fn of_snake(ident: &Ident) -> syn::Result<Self> {
        let text = ident.unraw().to_string();
        Self::new(&text.trim_matches('_').replace('_', "-"), ident)
    }

    /// The name of a type or a case: `PeakKind` is `peak-kind`.
    pub(crate) fn of_camel(ident: &Ident) -> syn::Result<Self> {
        Self::new(&ident.unraw().to_string().to_kebab_case(), ident)
    }

    fn new(text: &str, ident: &Ident) -> syn::Result<Self> {
        let word = |(index, word): (usize, &str)| {
            let begins =
                |first: char| first.is_ascii_lowercase() || (index > 0 && first.is_ascii_digit());
            word.starts_with(begins)
                && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        };
        if text.split('-').enumerate().all(word) {
            return Ok(Self(text.to_owned()));
        }
        Err(Error::new(
            ident.span(),
            format!(
                "`{}` cannot be the name of something that callers see: a name is words of letters \
                 a to z and digits, with one underscore between two words, and begins with a letter",
                ident.unraw()
            ),
        ))
    }

    /// As it is written in WIT source.
    pub(crate) fn source(&self) -> String {
        let escape = if is_word_of_wit(&self.0) { "%" } else { "" };
        format!("{escape}{}", self.0)
    }

    /// As it is without an escape.
    pub(crate) fn kebab(&self) -> &str {
        &self.0
    }

    /// As callers write it.
    pub(crate) fn snake(&self) -> String {
        self.0.replace('-', "_")
    }

    /// The field, parameter or function in wit-bindgen's code.
    pub(crate) fn bound_value(&self) -> Ident {
        ident(&wit_bindgen_rust::to_rust_ident(&self.0))
    }

    /// The type in wit-bindgen's code, which keeps `Guest` for itself.
    pub(crate) fn bound_type(&self) -> Ident {
        match self.0.as_str() {
            "guest" => ident("Guest_"),
            name => ident(&name.to_upper_camel_case()),
        }
    }

    /// The case of an enum or variant in wit-bindgen's code.
    pub(crate) fn bound_case(&self) -> Ident {
        ident(&self.0.to_upper_camel_case())
    }

    /// The constant of a flag in wit-bindgen's code.
    pub(crate) fn bound_flag(&self) -> Ident {
        ident(&self.0.to_shouty_snake_case())
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

/// An error where two of these have one name in WIT, as `a` and `_a` have.
pub(crate) fn distinct<'a>(
    names: impl IntoIterator<Item = (&'a Name, &'a Ident)>,
) -> syn::Result<()> {
    let mut seen: Vec<&Name> = Vec::new();
    for (name, ident) in names {
        if seen.contains(&name) {
            let message = format!("callers see two of these as `{}`; rename one", name.snake());
            return Err(Error::new(ident.span(), message));
        }
        seen.push(name);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snake(text: &str) -> Result<String, String> {
        Name::of_snake(&ident(text)).map(|name| name.source()).map_err(|e| e.to_string())
    }

    #[test]
    fn snake_case() {
        assert_eq!(snake("my_function"), Ok("my-function".into()));
        assert_eq!(snake("_unused"), Ok("unused".into()));
        assert_eq!(snake("type_"), Ok("%type".into()));
        assert_eq!(snake("mean_2d"), Ok("mean-2d".into()));
        for wrong in ["camelCase", "a__b", "_2d", "größe", "FFT", "__"] {
            let message = snake(wrong).unwrap_err();
            assert!(message.contains(&format!("`{wrong}`")), "{message}");
        }
    }

    #[test]
    fn camel_case() {
        for (rust, wit, bound) in [
            ("Peak", "peak", "Peak"),
            ("HTTPServer", "http-server", "HttpServer"),
            ("Sha256", "sha256", "Sha256"),
            ("Guest", "guest", "Guest_"),
            ("Record", "record", "Record"),
        ] {
            let name = Name::of_camel(&ident(rust)).unwrap();
            assert_eq!((name.kebab(), name.bound_type().to_string().as_str()), (wit, bound));
        }
    }

    #[test]
    fn words_of_wit_are_escaped_and_no_others() {
        for word in ["world", "list", "error-context", "u8", "interface"] {
            assert_eq!(Name(word.into()).source(), format!("%{word}"));
        }
        for word in ["mean", "worlds", "f16", "package-docs", "uint"] {
            assert_eq!(Name(word.into()).source(), word);
        }
    }
}
