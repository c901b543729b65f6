//! Documentation comments.

use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// The text of the `///` lines above an item; empty where there are none.
pub(crate) fn of(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    });
    // Rust keeps the space after `///`.
    let lines = lines.flat_map(|text| {
        let lines: Vec<_> = text
            .split('\n')
            .map(|line| line.strip_prefix(' ').unwrap_or(line).to_owned())
            .collect();
        lines
    });
    lines.collect::<Vec<_>>().join("\n").trim_matches('\n').to_owned()
}
