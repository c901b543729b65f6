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
    let texts = lines.map(|text| dedented(&text));
    texts.collect::<Vec<_>>().join("\n").trim_matches('\n').to_owned()
}

/// Without the space after `///`, and without the indentation of a block `/** ... */`.
fn dedented(text: &str) -> String {
    let indentation = |line: &str| line.len() - line.trim_start().len();
    let later = text.lines().skip(1).filter(|line| !line.trim().is_empty());
    let common = later.map(indentation).min().unwrap_or(0);
    let lines = text.lines().enumerate().map(|(number, line)| match number {
        0 => line.strip_prefix(' ').unwrap_or(line),
        _ => line.get(common..).unwrap_or("").trim_end(),
    });
    lines.collect::<Vec<_>>().join("\n")
}
