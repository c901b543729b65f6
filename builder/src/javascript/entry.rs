//! The module that a component is made of: it exports what the world does, and hands each call to the
//! author's function through the runtime in `guest/`.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};
use tarp_schema::snake_case;

use super::analysis::{Analysis, Function, Type};
use crate::wit::kebab;

/// Its text. `source` is the author's module, `runtime` the runtime's.
pub(super) fn entry(analysis: &Analysis, source: &Path, runtime: &Path) -> String {
    let mut text = format!(
        "import {{ procedure }} from {};\nimport * as author from {};\n\n",
        json!(runtime),
        json!(source)
    );
    let mut exports = Vec::new();
    for (index, function) in analysis.functions.iter().enumerate() {
        let kind = if function.is_async { "async" } else { "sync" };
        let _ = writeln!(
            text,
            "const p{index} = procedure({}, author[{}]).{kind};",
            about(function),
            json!(function.export)
        );
        // A name may be a reserved word, such as `delete`; only here that is none.
        exports.push(format!("p{index} as {}", camel(&function.name)));
    }
    let _ = writeln!(text, "\nexport {{ {} }};", exports.join(", "));
    text
}

/// What the runtime has to know of a function.
fn about(function: &Function) -> Value {
    let parameter = |parameter: &super::analysis::Parameter| {
        json!({
            "name": camel_to_snake(&parameter.name),
            "rest": parameter.rest,
            "type": codec(&parameter.ty),
        })
    };
    json!({
        "name": camel_to_snake(&function.name),
        "parameters": function.parameters.iter().map(parameter).collect::<Vec<_>>(),
        "result": function.result.as_ref().map(codec),
    })
}

/// A type as the runtime's `values.mjs` reads it, with the names that things have on both sides.
fn codec(ty: &Type) -> Value {
    match ty {
        Type::Boolean => json!("boolean"),
        Type::Number => json!("number"),
        Type::Bigint => json!("bigint"),
        Type::String => json!("string"),
        Type::Typed(name) => json!({ "typed": name }),
        Type::Array(of) => json!({ "array": codec(of) }),
        Type::Set(of) => json!({ "set": codec(of) }),
        Type::Map(of) => json!({ "map": [codec(&of.0), codec(&of.1)] }),
        Type::Dict(of) => json!({ "dict": codec(of) }),
        Type::Tuple(of) => json!({ "tuple": of.iter().map(codec).collect::<Vec<_>>() }),
        Type::Option(of) => json!({ "option": { "of": codec(&of.of), "null": of.null } }),
        Type::Enum(of) => {
            let case = |case: &super::analysis::Case| {
                json!([kebab(&case.name).unwrap_or_default(), case.value])
            };
            json!({ "enum": { "cases": of.cases.iter().map(case).collect::<Vec<_>>() } })
        }
        Type::Record(of) => {
            let field = |field: &super::analysis::Field| {
                json!([field.name, camel(&field.name), codec(&field.ty)])
            };
            json!({ "record": { "fields": of.fields.iter().map(field).collect::<Vec<_>>() } })
        }
    }
}

/// As callers write it.
fn camel_to_snake(name: &str) -> String {
    kebab(name).map_or_else(|_| name.to_owned(), |name| snake_case(&name))
}

/// As componentize-qjs has it in JavaScript: `n-bins` is `nBins`. Not always the author's own name,
/// which may be `n_bins`.
fn camel(name: &str) -> String {
    let kebab = kebab(name).unwrap_or_default();
    let mut words = kebab.split('-');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut name, word| {
        let mut letters = word.chars();
        name.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        name + letters.as_str()
    })
}

#[cfg(test)]
mod tests {
    use super::camel;

    #[test]
    fn names_are_those_that_componentize_qjs_expects() {
        for (name, expected) in [
            ("n_bins", "nBins"),
            ("nBins", "nBins"),
            ("x_0", "x0"),
            ("PeakShape", "peakShape"),
            ("delete", "delete"),
        ] {
            assert_eq!(camel(name), expected);
        }
    }
}
