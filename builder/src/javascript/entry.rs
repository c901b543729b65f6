//! The module that a component is made of: it exports what the world does, and hands each call to the
//! author's function through the runtime in `guest/`.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use super::analysis::{Analysis, Field, Function, Type};
use super::world;

/// Its text. `source` is the author's module, `runtime` the runtime's.
pub(super) fn entry(analysis: &Analysis, source: &Path, runtime: &Path) -> String {
    let mut text = format!(
        "import {{ procedure }} from {};\nimport * as author from {};\n\n",
        json!(runtime),
        json!(source)
    );
    let mut exports = Vec::new();
    for (index, (function, name)) in
        analysis.functions.iter().zip(world::exports(analysis)).enumerate()
    {
        let kind = if function.is_async { "async" } else { "sync" };
        let _ = writeln!(
            text,
            "const p{index} = procedure({}, author[{}]).{kind};",
            about(function),
            json!(function.export)
        );
        // A name may be a reserved word, such as `delete`; only here that is none.
        exports.push(format!("p{index} as {}", camel(&name)));
    }
    let _ = writeln!(text, "\nexport {{ {} }};", exports.join(", "));
    text
}

/// What the runtime has to know of a function.
fn about(function: &Function) -> Value {
    let parameter = |parameter: &super::analysis::Parameter| {
        json!({
            "name": &parameter.name,
            "rest": parameter.rest,
            "type": codec(&parameter.ty),
        })
    };
    json!({
        "name": &function.name,
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
            let cases = of.cases.iter().zip(world::cases(of));
            let cases: Vec<_> = cases.map(|(case, name)| json!([name, case.value])).collect();
            json!({ "enum": { "cases": cases } })
        }
        Type::Record(of) => json!({ "record": { "fields": fields(&of.fields) } }),
        Type::Union(of) => {
            let cases = of.cases.iter().zip(world::members(of));
            let cases: Vec<_> =
                cases.map(|(case, name)| json!([name, case.value, fields(&case.fields)])).collect();
            let is_enum = of.cases.iter().all(|case| case.fields.is_empty());
            json!({ "union": { "tag": of.tag, "enum": is_enum, "cases": cases } })
        }
    }
}

fn fields(of: &[Field]) -> Vec<Value> {
    let fields = of.iter().zip(world::fields(of));
    fields.map(|(field, name)| json!([field.name, camel(&name), codec(&field.ty)])).collect()
}

/// As componentize-qjs has a name of WIT in JavaScript: `n-bins` is `nBins`.
fn camel(kebab: &str) -> String {
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
        for (name, expected) in [("n-bins", "nBins"), ("x-0", "x0"), ("delete", "delete")] {
            assert_eq!(camel(name), expected);
        }
    }
}
