//! What a procedure takes: as parameters of a query, and as a body of JSON, text or bytes. `docs/bodies.md`
//! has the same in words.

use serde_json::{Map, Value, json};

use super::examples::example;
use super::json::{object, shared};
use super::schema::{Way, array_of, closed, numbers, schema};
use crate::codec::types::{Parameter, Signature, Type};
use crate::front::media::{Media, Reading, reading};

/// A list of texts in a query: one text alone is JSON where it begins with a bracket.
const NO_BRACKET: &str = r"^\s*(?:[^\s\[]|$)";

/// A parameter of a query.
pub(super) fn in_query(parameter: &Parameter, place: usize) -> Value {
    // Nothing of an option is an argument that is left out.
    let ty = match &parameter.ty {
        Type::Option(inner) if !inner.may_be_absent() => inner,
        ty => ty,
    };
    let mut entry = json!({
        "name": &*parameter.name,
        "in": "query",
        "required": !parameter.is_optional(),
        "example": example_of(parameter, place),
    });
    let with_default = |schema| with_default(schema, parameter);
    match ty {
        Type::List(item) | Type::Set(item) if item.is_number() && **item != Type::U8 => {
            // `1,2,3`
            entry["style"] = "form".into();
            entry["explode"] = false.into();
            let mut list = schema(ty, Way::Argument);
            list["minItems"] = 1.into();
            entry["schema"] = with_default(list);
        }
        Type::List(item) | Type::Set(item) if is_text(item) => {
            entry["style"] = "form".into();
            entry["explode"] = true.into();
            entry["schema"] = with_default(texts(item));
        }
        Type::Flags(_) => {
            entry["style"] = "form".into();
            entry["explode"] = true.into();
            let mut flags = schema(ty, Way::Argument);
            flags["minItems"] = 1.into();
            entry["schema"] = with_default(flags);
        }
        Type::List(item) if **item == Type::U8 => {
            entry["schema"] = with_default(shared("schemas", "Bytes"));
        }
        _ if is_text(ty) || ty.is_number() || *ty == Type::Bool => {
            entry["schema"] = with_default(schema(ty, Way::Argument));
        }
        _ => {
            let mut schemas = vec![schema(&parameter.ty, Way::Argument)];
            if let Some(item) = ty.items() {
                schemas.extend(alone(item));
            }
            let schema = with_default(any_of(schemas));
            let example = entry["example"].take();
            if let Some(entry) = entry.as_object_mut() {
                entry.remove("example");
            }
            entry["content"] = json!({"application/json": {"schema": schema, "example": example}});
        }
    }
    entry
}

/// Whether the text of a query is the value itself.
fn is_text(ty: &Type) -> bool {
    matches!(ty, Type::String | Type::Char | Type::Enum(_))
}

/// A list of texts, the name once for each.
fn texts(item: &Type) -> Value {
    let item = schema(item, Way::Argument);
    let mut first = item.clone();
    if first.get("enum").is_none() {
        first["pattern"] = NO_BRACKET.into();
    }
    any_of(vec![
        json!({"type": "array", "items": first, "minItems": 1, "maxItems": 1}),
        json!({"type": "array", "items": item, "minItems": 2}),
    ])
}

/// The JSON that is the only item of a list without a list around it: one item needs no other notation
/// than two.
fn alone(item: &Type) -> Vec<Value> {
    match item {
        Type::Bool => vec![json!({"type": "boolean"})],
        Type::String => vec![json!({"type": ["string", "number", "boolean", "null"]})],
        Type::Char | Type::Enum(_) => Vec::new(),
        Type::Option(inner) if !inner.may_be_absent() => {
            let mut schemas = alone(inner);
            schemas.push(json!({"type": "null"}));
            schemas
        }
        Type::List(inner) => {
            let mut schemas = vec![schema(item, Way::Argument)];
            schemas.extend(alone(inner));
            schemas
        }
        // In quotes it would be text.
        ty if ty.is_number() => vec![numbers(ty)],
        ty => vec![schema(ty, Way::Argument)],
    }
}

/// The body of a POST.
pub(super) fn request_body(signature: &Signature) -> Value {
    let parameters = &signature.parameters;
    let example =
        object(parameters.iter().enumerate().map(|(i, p)| (p.name.to_string(), example_of(p, i))));
    let mut schemas = vec![by_name(parameters), by_position(parameters)];
    match parameters.as_slice() {
        [] => schemas.push(json!({"type": "null"})),
        [only] => schemas.extend(bare(&only.ty)),
        _ => {}
    }
    let mut content = Map::new();
    content
        .insert("application/json".into(), json!({"schema": any_of(schemas), "example": example}));
    // One argument may be the whole body.
    if let [only] = parameters.as_slice() {
        match reading(Media::Bytes, &only.ty) {
            Some(Reading::Text) => {
                content.insert("text/plain".into(), json!({"schema": {"type": "string"}}));
            }
            Some(Reading::Bytes) => {
                content.insert("application/octet-stream".into(), json!({}));
            }
            _ => {}
        }
    }
    json!({
        "description": "The arguments by name, or in an array by position; one argument that is neither object nor array may also be the body. They may also come as a form, with files too, or as a pickle of `(args, kwargs)`.",
        "required": parameters.iter().any(|parameter| !parameter.is_optional()),
        "content": content,
    })
}

fn by_name(parameters: &[Parameter]) -> Value {
    let properties = parameters
        .iter()
        .map(|p| (p.name.to_string(), with_default(schema(&p.ty, Way::Argument), p)));
    let required = parameters.iter().filter(|p| !p.is_optional()).map(|p| &*p.name);
    closed(properties, required)
}

fn by_position(parameters: &[Parameter]) -> Value {
    let items = parameters.iter().map(|p| schema(&p.ty, Way::Argument)).collect();
    let least = parameters.iter().rposition(|p| !p.is_optional()).map_or(0, |last| last + 1);
    array_of(items, least)
}

/// The JSON of this type that is neither object nor array, and so can be the body itself.
fn bare(ty: &Type) -> Vec<Value> {
    match ty {
        Type::List(item) if **item == Type::U8 => vec![shared("schemas", "Bytes")],
        Type::List(_) | Type::Set(_) | Type::Tuple(_) | Type::Record(_) | Type::Flags(_) => {
            Vec::new()
        }
        Type::Variant(cases) => {
            let names = cases.iter().filter(|case| case.ty.is_none()).map(|case| &*case.name);
            let names: Vec<_> = names.collect();
            if names.is_empty() { Vec::new() } else { vec![json!({ "enum": names })] }
        }
        Type::Result { ok, err } => {
            let names = [("ok", ok), ("err", err)].into_iter().filter(|(_, ty)| ty.is_none());
            let names: Vec<_> = names.map(|(name, _)| name).collect();
            if names.is_empty() { Vec::new() } else { vec![json!({ "enum": names })] }
        }
        Type::Option(inner) => {
            let mut schemas = if inner.may_be_absent() { Vec::new() } else { bare(inner) };
            schemas.push(json!({"type": "null"}));
            schemas
        }
        ty => vec![schema(ty, Way::Argument)],
    }
}

fn any_of(mut schemas: Vec<Value>) -> Value {
    if schemas.len() == 1 { schemas.remove(0) } else { json!({ "anyOf": schemas }) }
}

fn with_default(mut schema: Value, parameter: &Parameter) -> Value {
    if let Some(default) = &parameter.default {
        schema["default"] = json!(default);
    }
    schema
}

fn example_of(parameter: &Parameter, place: usize) -> Value {
    match &parameter.default {
        Some(default) => json!(default),
        None => example(&parameter.ty, place),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::types::DefaultValue;

    fn parameter(name: &str, ty: Type, default: Option<crate::value::Value>) -> Parameter {
        let default = default.map(DefaultValue);
        Parameter { name: name.into(), ty, default }
    }

    #[test]
    fn a_query_has_texts_once_each_numbers_with_commas_and_the_rest_in_json() {
        let list = |ty| Type::List(Box::new(ty));
        let query = |ty| in_query(&parameter("x", ty, None), 0);
        let texts = query(list(Type::String));
        assert_eq!((&texts["style"], &texts["explode"]), (&json!("form"), &json!(true)));
        let numbers = query(list(Type::F64));
        assert_eq!((&numbers["style"], &numbers["explode"]), (&json!("form"), &json!(false)));
        for ty in [Type::Tuple(vec![Type::U8]), list(list(Type::F64)), list(Type::Bool)] {
            let entry = query(ty);
            assert!(entry["content"]["application/json"]["schema"].is_object());
            assert!(entry.get("schema").is_none());
        }
    }

    #[test]
    fn a_body_may_be_left_out_where_no_argument_is_required() {
        let body = |ty| {
            let parameters = vec![parameter("x", ty, None)];
            request_body(&Signature { parameters, result: None, is_async: false })
        };
        assert_eq!(body(Type::U8)["required"], json!(true));
        assert_eq!(body(Type::Option(Box::new(Type::U8)))["required"], json!(false));
    }

    #[test]
    fn a_body_by_position_has_all_that_is_required() {
        let first = parameter("a", Type::Bool, Some(crate::value::Value::Bool(true)));
        let parameters = [first.clone(), parameter("b", Type::U8, None), first];
        let array = by_position(&parameters);
        assert_eq!((&array["minItems"], &array["maxItems"]), (&json!(2), &json!(3)));
    }
}
