//! Default values of parameters: from Rust expressions to the JSON that a caller would send.

use proc_macro2::Ident;
use serde_json::{Number, Value};
use syn::{Error, Expr, ExprLit, ExprUnary, Lit, LitInt, UnOp};

use crate::names::Name;
use crate::types::{self, Type};

/// What the names in a default can stand for.
pub(crate) trait Scope: types::Scope {
    /// The case of that name of an enum of the annotated module, if it holds nothing.
    fn empty_case(&self, of: &Ident, case: &Ident) -> Option<Name>;
}

/// The JSON of a default.
pub(crate) fn json(expression: &Expr, of: &Type, scope: &dyn Scope) -> syn::Result<Value> {
    let misfit =
        |expected: &str| Err(Error::new_spanned(expression, format!("expected {expected}")));
    match (of, expression) {
        (_, Expr::Group(inner)) => json(&inner.expr, of, scope),
        (_, Expr::Paren(inner)) => json(&inner.expr, of, scope),
        (Type::Primitive { rust: "bool", .. }, _) => match literal(expression) {
            Some(Lit::Bool(value)) => Ok(value.value.into()),
            _ => misfit("`true` or `false`"),
        },
        (Type::Primitive { rust: "char", .. }, _) => match literal(expression) {
            Some(Lit::Char(value)) => Ok(value.value().to_string().into()),
            _ => misfit("a character, as in `'x'`"),
        },
        (Type::Primitive { rust, .. }, _) => number(expression, rust),
        // Sizes have 32 bits in a component.
        (Type::Size { signed: false }, _) => number(expression, "u32"),
        (Type::Size { signed: true }, _) => number(expression, "i32"),
        (Type::String | Type::StaticStr, _) => match literal(expression) {
            Some(Lit::Str(text)) => Ok(text.value().into()),
            _ => misfit("a text, as in `\"x\"`"),
        },
        (Type::Option(_), Expr::Path(path)) if path.path.is_ident("None") => Ok(Value::Null),
        (Type::Option(inner), Expr::Call(call)) if is_some(&call.func) && call.args.len() == 1 => {
            json(&call.args[0], inner, scope)
        }
        (Type::Option(_), _) => misfit("`None` or `Some(...)`"),
        (Type::Array(_, Some(length)), Expr::Array(list)) if list.elems.len() != *length => {
            misfit(&format!("a list of {length}"))
        }
        (Type::List(inner) | Type::Array(inner, _) | Type::Set(inner), Expr::Array(list)) => {
            if matches!(**inner, Type::Primitive { rust: "u8", .. }) && !list.elems.is_empty() {
                return misfit("`[]`: bytes have no other default");
            }
            if list.elems.is_empty() && matches!(**inner, Type::Primitive { rust: "u8", .. }) {
                return Ok("".into());
            }
            list.elems.iter().map(|element| json(element, inner, scope)).collect()
        }
        (Type::List(_) | Type::Array(..) | Type::Set(_), _) => misfit("a list, as in `[1.0, 2.0]`"),
        (Type::Tuple(types), Expr::Tuple(tuple)) if types.len() == tuple.elems.len() => {
            types.iter().zip(&tuple.elems).map(|(of, element)| json(element, of, scope)).collect()
        }
        (Type::Tuple(types), _) => misfit(&format!("a tuple of {}", types.len())),
        (Type::Declared(ident), Expr::Path(path)) => {
            let case = &path.path.segments.last().expect("a path has a segment").ident;
            match scope.empty_case(ident, case) {
                Some(name) => Ok(name.author().into()),
                None => misfit(&format!("a case of `{ident}` that holds nothing")),
            }
        }
        (
            Type::Declared(_)
            | Type::Map(_)
            | Type::Result(..)
            | Type::Shared(_)
            | Type::Displayed(_),
            _,
        ) => misfit(
            "a default that JSON has: numbers, texts, lists, tuples, `None`, and cases that hold \
             nothing; make the parameter an `Option` and decide in the function",
        ),
    }
}

fn is_some(function: &Expr) -> bool {
    matches!(function, Expr::Path(path) if path.path.is_ident("Some"))
}

fn literal(expression: &Expr) -> Option<&Lit> {
    match expression {
        Expr::Lit(ExprLit { lit, .. }) => Some(lit),
        _ => None,
    }
}

/// A number that the type can hold.
fn number(expression: &Expr, rust: &str) -> syn::Result<Value> {
    let (negative, magnitude) = match expression {
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => (true, &**expr),
        other => (false, other),
    };
    let misfit = || Error::new_spanned(expression, format!("expected a number that is a `{rust}`"));
    let is_float = matches!(rust, "f32" | "f64");
    match literal(magnitude) {
        Some(Lit::Int(digits)) if suffix_fits(digits.suffix(), rust) && !is_float => {
            integer(digits, negative, rust).ok_or_else(misfit)
        }
        Some(Lit::Int(digits)) if suffix_fits(digits.suffix(), rust) => {
            float(digits.base10_digits(), negative, rust).ok_or_else(misfit)
        }
        Some(Lit::Float(digits)) if suffix_fits(digits.suffix(), rust) && is_float => {
            float(digits.base10_digits(), negative, rust).ok_or_else(misfit)
        }
        _ => Err(misfit()),
    }
}

fn suffix_fits(suffix: &str, rust: &str) -> bool {
    suffix.is_empty() || suffix == rust
}

fn integer(digits: &LitInt, negative: bool, rust: &str) -> Option<Value> {
    let magnitude = digits.base10_parse::<i128>().ok()?;
    let number = if negative { -magnitude } else { magnitude };
    let bits: u32 = rust[1..].parse().expect("the name of an integer ends with its bits");
    let range = match rust.starts_with('u') {
        true => 0..1_i128 << bits,
        false => -(1_i128 << (bits - 1))..1_i128 << (bits - 1),
    };
    range.contains(&number).then(|| Value::Number(Number::from_i128(number).expect("64 bits fit")))
}

fn float(digits: &str, negative: bool, rust: &str) -> Option<Value> {
    // A number too great for f32 is too great for the parameter; its digits are kept otherwise.
    if rust == "f32" && digits.parse::<f32>().ok()?.is_infinite() {
        return None;
    }
    let magnitude: f64 = digits.parse().ok()?;
    Number::from_f64(if negative { -magnitude } else { magnitude }).map(Value::Number)
}
