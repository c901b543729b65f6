//! `tarp call PROCEDURE --help`: what a procedure takes, with an example that can be run.

use serde_json::{Value, json};

use crate::catalog::{Parameter, Procedure, may_be_absent};
use crate::style::{BOLD, one_line, painted, printable};
use crate::types::{Told, Type};

/// The page for a person. `address` is what a command needs to find the host, where that is not usual.
pub(crate) fn page(procedure: &Procedure, address: Option<&str>) -> String {
    let name = painted(BOLD, &one_line(&procedure.name));
    let kind = procedure.kind().map_or(String::new(), |kind| format!(" ({kind})"));
    let signature = if procedure.web.is_some() { "" } else { &procedure.signature };
    let mut page = format!("{name}{}{kind}\n", one_line(signature));
    let documentation = printable(procedure.documentation.trim());
    if !documentation.is_empty() {
        page += &format!("\n{documentation}\n");
    }
    if !procedure.parameters.is_empty() && procedure.web.is_none() {
        page += &format!("\n{}\n{}", painted(BOLD, "Parameters:"), parameters(procedure));
    }
    let address = address.map_or(String::new(), |address| format!("{} ", quoted(address)));
    page + &format!("\n{}\n  tarp call {address}{}", painted(BOLD, "Example:"), call(procedure))
}

/// A line for each: name, type, what it is when it is left out, and what its author says of it.
fn parameters(procedure: &Procedure) -> String {
    let rows: Vec<_> = procedure
        .parameters
        .iter()
        .map(|parameter| {
            let default = match &parameter.default {
                Some(default) if !default.is_null() => {
                    format!(" (default: {})", shortened(&default.to_string()))
                }
                _ if may_be_absent(parameter) => " (may be left out)".into(),
                _ => String::new(),
            };
            let about = about(&procedure.documentation, &parameter.name).unwrap_or_default();
            (&*parameter.name, format!("{}{default}", parameter.ty), one_line(about))
        })
        .collect();
    let width = |text: &dyn Fn(&(&str, String, String)) -> usize| {
        rows.iter().map(text).max().unwrap_or_default()
    };
    let (names, types) = (width(&|row| row.0.len()), width(&|row| row.1.len()).min(40));
    let line = |(name, ty, about): &(&str, String, String)| {
        format!("{}\n", format!("  {name:names$}  {ty:types$}  {about}").trim_end())
    };
    rows.iter().map(line).collect()
}

/// What the documentation says of a parameter in a line of its own: ``- `x`: …``, `x: …`, `:param x: …`.
fn about<'a>(documentation: &'a str, name: &str) -> Option<&'a str> {
    documentation.lines().find_map(|line| {
        let line = line.trim().trim_start_matches(['-', '*', ' ']);
        let line = line.strip_prefix(":param ").unwrap_or(line).trim_start_matches('`');
        let rest = line.strip_prefix(name)?.trim_start_matches('`').trim_start();
        // `x (float): …` of Google's style.
        let rest = match rest.strip_prefix('(') {
            Some(inside) => inside.split_once(')')?.1.trim_start(),
            None => rest,
        };
        let about = rest.strip_prefix(':').or_else(|| rest.strip_prefix('—'))?.trim();
        (!about.is_empty()).then_some(about)
    })
}

/// A call with an argument for everything that cannot be left out.
fn call(procedure: &Procedure) -> String {
    let needed = procedure.parameters.iter().filter(|parameter| !may_be_absent(parameter));
    let words = match &procedure.web {
        Some(web) if web.methods.iter().all(|method| method == "POST") => {
            vec!["--data @FILE".to_owned()]
        }
        Some(_) => vec!["name=value".to_owned()],
        None => needed.map(|Parameter { name, ty, .. }| format!("{name}={}", told(ty))).collect(),
    };
    std::iter::once(quoted(&procedure.name)).chain(words).collect::<Vec<_>>().join(" ")
}

/// What a person would type for a value of a type, as far as it is known.
fn told(ty: &Told) -> String {
    ty.known().map_or_else(|| "null".into(), word)
}

/// What a person would type for a value of a type.
fn word(ty: &Type) -> String {
    match ty.present() {
        ty if ty.is_bytes() => "@FILE".into(),
        Type::List(item) | Type::Set(item) if item.is_number() => "1,2,3".into(),
        Type::Flags(names) => {
            names.iter().take(2).map(|name| &**name).collect::<Vec<_>>().join(",")
        }
        ty => match sample(ty) {
            Value::String(text) => quoted(&text),
            value => quoted(&value.to_string()),
        },
    }
}

/// A value of a type.
fn sample(ty: &Type) -> Value {
    match ty {
        Type::Bool => json!(true),
        Type::F32 | Type::F64 => json!(1.5),
        Type::Char => json!("a"),
        Type::String => json!("text"),
        ty if ty.is_bytes() => json!("aGk="),
        Type::List(item) | Type::Set(item) => json!([sample(item)]),
        Type::Option(inner) => sample(inner),
        Type::Map { key, value } => {
            let key = match sample(key) {
                Value::String(text) => text,
                key => key.to_string(),
            };
            json!({ key: sample(value) })
        }
        Type::Tuple(types) => types.iter().map(sample).collect(),
        Type::Record(fields) => {
            fields.iter().map(|field| (field.name.to_string(), sample(&field.ty))).collect()
        }
        Type::Variant(cases) => cases.first().map_or(Value::Null, |case| match &case.ty {
            Some(ty) => json!({ &*case.name: sample(ty) }),
            None => json!(case.name),
        }),
        Type::Enum(names) => json!(names.first()),
        Type::Flags(names) => json!(names),
        Type::Result { ok, .. } => json!({"ok": ok.as_deref().map(sample)}),
        // The integers.
        _ => json!(1),
    }
}

/// A word for a shell.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./,:=@%+".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn shortened(text: &str) -> String {
    const MAX_LENGTH: usize = 40;
    if text.chars().count() <= MAX_LENGTH {
        return text.to_owned();
    }
    text.chars().take(MAX_LENGTH).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_all_that_a_caller_must_know() {
        let procedure: Procedure = serde_json::from_value(json!({
            "name": "stats/scale", "signature": "(values: list<f64>, factor: f64, at: record { x: f64 })",
            "documentation": "Scales numbers.\n\n- `values`: what to scale\n- `factor` (float): by how much",
            "parameters": [
                {"name": "values", "type": {"list": "f64"}},
                {"name": "factor", "type": "f64", "default": 2.5},
                {"name": "at", "type": {"record": [{"name": "x", "type": "f64"}]}},
                {"name": "unit", "type": {"option": "string"}},
            ],
            "result": {"list": "f64"}, "mode": "async",
        }))
        .unwrap();
        let page = anstream::adapter::strip_str(&page(&procedure, Some("lab:8080"))).to_string();
        for part in [
            "(asynchronous)",
            "Scales numbers.",
            "  values  list<f64>                         what to scale\n",
            "  factor  f64 (default: 2.5)                by how much\n",
            "  unit    option<string> (may be left out)\n",
            "  tarp call lab:8080 stats/scale values=1,2,3 at='{\"x\":1.5}'",
        ] {
            assert!(page.contains(part), "{part:?} in {page}");
        }
    }

    #[test]
    fn every_type_has_a_word() {
        for (told, expected) in [
            (json!("u8"), "1"),
            (json!("string"), "text"),
            (json!({"list": "u8"}), "@FILE"),
            (json!({"list": {"list": "f64"}}), "'[[1.5]]'"),
            (json!({"flags": ["a", "b", "c"]}), "a,b"),
            (json!({"enum": ["red", "green"]}), "red"),
            (json!({"variant": [{"name": "none", "type": null}]}), "none"),
            (json!({"tuple": ["bool", "char"]}), "'[true,\"a\"]'"),
            (json!({"map": {"key": "u8", "value": "f64"}}), "'{\"1\":1.5}'"),
        ] {
            assert_eq!(word(&serde_json::from_value(told).unwrap()), expected);
        }
    }
}
