//! What authors call their procedures and the parts of their types, laid over what the component has.
//!
//! The section `tarp:procedures` says it where WIT has other names. What of it does not fit the component is
//! left out and told, and the component's own names are served.

use std::collections::HashSet;

use serde::Deserialize as _;
use tarp_schema::procedure::{AuthorSignature, is_valid_name};
use tarp_schema::shown::{Unlike, distinct, fits};

use super::metadata::Metadata;
use super::reflect::{Export, NotCallable};
use crate::codec::types::Signature;
use crate::error::excerpt;

/// Gives the exports their authors' names. Gives what is wrong with them.
pub(super) fn lay_over(exports: &mut [Export], metadata: &Metadata) -> Vec<String> {
    let mut warnings = Vec::new();
    let named = |export: &Export| metadata.table(export).and_then(|table| table.name.clone());
    let nameless = exports.iter().filter(|export| named(export).is_none());
    let mut taken: HashSet<String> = nameless.map(|export| export.name.clone()).collect();
    for export in exports {
        if let Some(name) = named(export) {
            let refused = if !is_valid_name(&name) {
                Some("a name has ASCII letters, digits and _ after a letter")
            } else if taken.contains(&name) {
                Some("the file has that name already")
            } else {
                None
            };
            match refused {
                None => export.name = name,
                Some(reason) => warnings.push(format!(
                    "`{}` is not served as `{}`, as its author calls it: {reason}",
                    export.name,
                    excerpt(&name).escape_debug()
                )),
            }
            if !taken.insert(export.name.clone()) && export.signature.is_ok() {
                export.signature = Err(NotCallable::SameName(export.name.clone()));
            }
        }
        let Some(told) = metadata.table(export).and_then(|table| table.signature.as_ref()) else {
            continue;
        };
        let Ok(signature) = &mut export.signature else { continue };
        let laid = AuthorSignature::deserialize(told)
            .map_err(|error| UnfitSignature::Unreadable(error.to_string()))
            .and_then(|author| overlaid(signature, author));
        match laid {
            Ok(laid) => *signature = laid,
            Err(reason) => warnings.push(format!(
                "`{}` is served with the names that WIT has, since those of its author do not fit it: {reason}",
                export.name
            )),
        }
    }
    warnings
}

/// Why an author's signature is none of the function.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum UnfitSignature {
    /// It is none.
    #[error("{0}")]
    Unreadable(String),
    /// It has another number of parameters.
    #[error("it has {0} parameters in place of {1}")]
    Count(usize, usize),
    /// Its parameters' names.
    #[error("its parameters: {0}")]
    Parameters(Unlike),
    /// A parameter's type.
    #[error("its parameter `{0}`: {1}")]
    Parameter(String, Unlike),
    /// The result's type.
    #[error("its result: {0}")]
    Result(Unlike),
    /// One has a result, and the other none.
    #[error("one of them has a result")]
    NoResult,
}

fn overlaid(carrier: &Signature, author: AuthorSignature) -> Result<Signature, UnfitSignature> {
    let (shown, carried) = (author.parameters, &carrier.parameters);
    if shown.len() != carried.len() {
        return Err(UnfitSignature::Count(shown.len(), carried.len()));
    }
    distinct(shown.iter().map(|parameter| &*parameter.name)).map_err(UnfitSignature::Parameters)?;
    for (shown, carried) in shown.iter().zip(carried) {
        fits(&shown.ty, &carried.ty)
            .map_err(|unlike| UnfitSignature::Parameter(shown.name.to_string(), unlike))?;
    }
    match (&author.result, &carrier.result) {
        (Some(shown), Some(carried)) => fits(shown, carried).map_err(UnfitSignature::Result)?,
        (None, None) => {}
        _ => return Err(UnfitSignature::NoResult),
    }
    let mut signature = carrier.clone();
    for (parameter, shown) in signature.parameters.iter_mut().zip(shown) {
        (parameter.name, parameter.ty) = (shown.name, shown.ty);
    }
    signature.result = author.result;
    Ok(signature)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::codec::types::{Parameter, Type};

    fn laid(told: Value) -> Result<String, String> {
        let parameter = |name: &str, ty| Parameter { name: name.into(), ty, default: None };
        let pairs = Type::List(Box::new(Type::Tuple(vec![Type::String, Type::F64])));
        let carrier = Signature {
            parameters: vec![parameter("t", Type::F64), parameter("t_2", pairs)],
            result: Some(Type::Enum(vec!["a".into(), "a_2".into()])),
            is_async: false,
        };
        let author = serde_json::from_value(told).map_err(|error| error.to_string())?;
        let laid = overlaid(&carrier, author).map_err(|error| error.to_string())?;
        Ok(laid.to_string())
    }

    #[test]
    fn an_authors_names_are_laid_over_those_of_wit() {
        let map = json!({"map": {"key": "string", "value": "f64"}});
        let parameters = |first: &str, ty: &Value| json!([{"name": first, "type": "f64"}, {"name": "T", "type": ty}]);
        let result = json!({"enum": ["A", "a"]});
        assert_eq!(
            laid(json!({"parameters": parameters("größe", &map), "result": result})).unwrap(),
            "(größe: f64, T: map<string, f64>) -> enum { A, a }"
        );
        for (told, words) in [
            (json!({"parameters": [], "result": result}), "0 parameters in place of 2"),
            (
                json!({"parameters": parameters("T", &map), "result": result}),
                "two parts are called `T`",
            ),
            (json!({"parameters": parameters("x\u{7}", &map), "result": result}), "control"),
            (json!({"parameters": parameters("x", &json!("f64")), "result": result}), "`T`"),
            (json!({"parameters": parameters("x", &map), "result": "u8"}), "its result"),
            (json!({"parameters": parameters("x", &map)}), "one of them has a result"),
        ] {
            let said = laid(told).unwrap_err();
            assert!(said.contains(words), "{said}");
        }
    }
}
