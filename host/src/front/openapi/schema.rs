//! Types as JSON Schema 2020-12: what a caller may send for one, and what comes back of one. The two
//! differ where the host is lenient: digits for a number, a field that is left out.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{object, shared};
use crate::codec::types::Type;

/// The largest single-precision number as it is written, which is a little more than it is.
const LARGEST_F32: f64 = 3.402_823_5e38;

/// Which way a value goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// To the host.
    Argument,
    /// From the host.
    Result,
}

/// The schema of a value of this type.
pub(super) fn schema(ty: &Type, way: Way) -> Value {
    match ty {
        Type::Bool => json!({"type": "boolean"}),
        Type::S8 => integer(i8::MIN, i8::MAX),
        Type::U8 => integer(u8::MIN, u8::MAX),
        Type::S16 => integer(i16::MIN, i16::MAX),
        Type::U16 => integer(u16::MIN, u16::MAX),
        Type::S32 => integer(i32::MIN, i32::MAX),
        Type::U32 => integer(u32::MIN, u32::MAX),
        Type::S64 => shared("schemas", if way == Way::Argument { "S64Argument" } else { "S64" }),
        Type::U64 => shared("schemas", if way == Way::Argument { "U64Argument" } else { "U64" }),
        Type::F32 => shared("schemas", "F32"),
        Type::F64 => shared("schemas", "F64"),
        Type::Char => json!({"type": "string", "minLength": 1, "maxLength": 1}),
        Type::String => json!({"type": "string"}),
        Type::List(item) if **item == Type::U8 => shared("schemas", "Bytes"),
        Type::List(item) => json!({"type": "array", "items": schema(item, way)}),
        Type::Tuple(types) => {
            let items: Vec<_> = types.iter().map(|ty| schema(ty, way)).collect();
            let count = items.len();
            json!({"type": "array", "prefixItems": items, "minItems": count, "maxItems": count})
        }
        Type::Record(fields) => {
            let properties =
                fields.iter().map(|field| (field.name.to_string(), schema(&field.ty, way)));
            let is_required = |ty: &Type| way == Way::Result || !ty.may_be_absent();
            let required = fields.iter().filter(|field| is_required(&field.ty));
            closed(properties, required.map(|field| &*field.name))
        }
        Type::Variant(cases) => {
            let cases = cases.iter().map(|(name, ty)| match ty {
                Some(ty) => wrapped(name, schema(ty, way)),
                None => json!({ "const": &**name }),
            });
            json!({"oneOf": cases.collect::<Vec<_>>()})
        }
        Type::Enum(names) => json!({"type": "string", "enum": texts(names)}),
        Type::Flags(names) => {
            json!({"type": "array", "items": {"type": "string", "enum": texts(names)}, "uniqueItems": true})
        }
        Type::Option(inner) => {
            let some = schema(inner, way);
            // An option in an option needs a mark, or null would mean both.
            let some = if inner.may_be_absent() { wrapped("some", some) } else { some };
            json!({"anyOf": [some, {"type": "null"}]})
        }
        Type::Result(ok, err) => {
            let side = |name, ty: &Option<Box<Type>>| {
                wrapped(
                    name,
                    ty.as_ref().map_or_else(|| json!({"type": "null"}), |ty| schema(ty, way)),
                )
            };
            json!({"oneOf": [side("ok", ok), side("err", err)]})
        }
    }
}

/// The scalars whose schemas are long, for all to refer to.
pub(super) fn shared_schemas() -> Map<String, Value> {
    let not_finite = json!({"type": "string", "enum": ["NaN", "Infinity", "-Infinity"]});
    let digits =
        |sign: &str| json!({"type": "string", "pattern": format!("^{sign}[0-9]{{1,20}}$")});
    let described = |description: &str, mut schema: Value| {
        schema["description"] = description.into();
        schema
    };
    let schemas = [
        (
            "S64",
            described(
                "A 64-bit integer. Not every JSON library keeps all its digits.",
                integer(i64::MIN, i64::MAX),
            ),
        ),
        (
            "U64",
            described(
                "A 64-bit integer without a sign. Not every JSON library keeps all its digits.",
                integer(u64::MIN, u64::MAX),
            ),
        ),
        (
            "S64Argument",
            described(
                "A 64-bit integer, or its decimal digits.",
                json!({"anyOf": [shared("schemas", "S64"), digits("-?")]}),
            ),
        ),
        (
            "U64Argument",
            described(
                "A 64-bit integer without a sign, or its decimal digits.",
                json!({"anyOf": [shared("schemas", "U64"), digits("")]}),
            ),
        ),
        (
            "F32",
            described(
                "A single-precision number. JSON has no literals for NaN and the infinities.",
                json!({"anyOf": [{"type": "number", "minimum": -LARGEST_F32, "maximum": LARGEST_F32}, not_finite]}),
            ),
        ),
        (
            "F64",
            described(
                "A double-precision number. JSON has no literals for NaN and the infinities.",
                json!({"anyOf": [{"type": "number"}, not_finite]}),
            ),
        ),
        (
            "Bytes",
            described(
                "Bytes, in base64 with padding.",
                json!({"type": "string", "contentEncoding": "base64", "pattern": "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"}),
            ),
        ),
    ];
    schemas.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect()
}

/// An object with these properties and no others.
pub(super) fn closed<'a>(
    properties: impl IntoIterator<Item = (String, Value)>,
    required: impl Iterator<Item = &'a str>,
) -> Value {
    json!({
        "type": "object",
        "properties": object(properties),
        "required": required.collect::<Vec<_>>(),
        "additionalProperties": false,
    })
}

fn wrapped(name: &str, schema: Value) -> Value {
    closed([(name.to_owned(), schema)], std::iter::once(name))
}

fn integer<N: Into<serde_json::Number>>(least: N, most: N) -> Value {
    let (least, most): (serde_json::Number, serde_json::Number) = (least.into(), most.into());
    json!({"type": "integer", "minimum": least, "maximum": most})
}

fn texts(names: &[Arc<str>]) -> Vec<&str> {
    names.iter().map(|name| &**name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::types::Field;

    #[test]
    fn what_may_be_left_out_still_comes_back() {
        let ty = Type::Record(vec![
            Field { name: "x".into(), ty: Type::Bool },
            Field { name: "note".into(), ty: Type::Option(Box::new(Type::String)) },
        ]);
        assert_eq!(schema(&ty, Way::Argument)["required"], json!(["x"]));
        assert_eq!(schema(&ty, Way::Result)["required"], json!(["x", "note"]));
        assert_eq!(schema(&ty, Way::Result)["additionalProperties"], json!(false));
        let note = &schema(&ty, Way::Result)["properties"]["note"];
        assert_eq!(*note, json!({"anyOf": [{"type": "string"}, {"type": "null"}]}));
    }

    #[test]
    fn cases_are_one_of_their_names_or_an_object_of_one() {
        let ty = Type::Variant(vec![("dot".into(), None), ("disc".into(), Some(Type::U8))]);
        let disc = json!({"type": "object", "properties": {"disc": {"type": "integer", "minimum": 0, "maximum": 255}},
            "required": ["disc"], "additionalProperties": false});
        assert_eq!(schema(&ty, Way::Result), json!({"oneOf": [{"const": "dot"}, disc]}));
    }

    #[test]
    fn an_option_in_an_option_has_a_mark() {
        let ty = Type::Option(Box::new(Type::Option(Box::new(Type::Bool))));
        let some = &schema(&ty, Way::Argument)["anyOf"][0];
        assert_eq!(some["required"], json!(["some"]));
    }

    #[test]
    fn integers_of_64_bits_are_exact_and_digits_are_arguments_only() {
        let shared = shared_schemas();
        assert_eq!(shared["U64"]["maximum"], json!(u64::MAX));
        assert_eq!(shared["S64"]["minimum"], json!(i64::MIN));
        assert_eq!(schema(&Type::U64, Way::Argument)["$ref"], "#/components/schemas/U64Argument");
        assert_eq!(schema(&Type::U64, Way::Result)["$ref"], "#/components/schemas/U64");
    }
}
