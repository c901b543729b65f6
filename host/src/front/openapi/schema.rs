//! Types as JSON Schema 2020-12: what a caller may send for one, and what comes back of one. The two
//! differ where the host is lenient: digits for a number, a field that is left out.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::json::{object, shared};
use crate::codec::types::{Case, Type};

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
        Type::S8 => shared_integer("S8", way),
        Type::U8 => shared_integer("U8", way),
        Type::S16 => shared_integer("S16", way),
        Type::U16 => shared_integer("U16", way),
        Type::S32 => shared_integer("S32", way),
        Type::U32 => shared_integer("U32", way),
        Type::S64 => shared_integer("S64", way),
        Type::U64 => shared_integer("U64", way),
        Type::F32 => shared("schemas", "F32"),
        Type::F64 => shared("schemas", "F64"),
        Type::Char => json!({"type": "string", "minLength": 1, "maxLength": 1}),
        Type::String => json!({"type": "string"}),
        Type::List(item) if **item == Type::U8 => match way {
            Way::Argument => shared("schemas", "BytesArgument"),
            Way::Result => shared("schemas", "Bytes"),
        },
        Type::List(item) => {
            let array = json!({"type": "array", "items": schema(item, way)});
            match &**item {
                Type::Tuple(types) if types.len() == 2 && way == Way::Argument => {
                    json!({"anyOf": [array, pairs(&types[0], &types[1], way)]})
                }
                _ => array,
            }
        }
        Type::Set(item) => {
            let mut set = json!({"type": "array", "items": schema(item, way)});
            if way == Way::Result {
                set["uniqueItems"] = true.into();
            }
            set
        }
        Type::Map { key, value } => {
            let object = pairs(key, value, way);
            match way {
                Way::Result => object,
                Way::Argument => {
                    let pair = array_of(vec![schema(key, way), schema(value, way)], 2);
                    json!({"anyOf": [object, {"type": "array", "items": pair}]})
                }
            }
        }
        Type::Tuple(types) => {
            array_of(types.iter().map(|ty| schema(ty, way)).collect(), types.len())
        }
        Type::Record(fields) => {
            let properties =
                fields.iter().map(|field| (field.name.to_string(), schema(&field.ty, way)));
            let is_required = |ty: &Type| way == Way::Result || !ty.may_be_absent();
            let required = fields.iter().filter(|field| is_required(&field.ty));
            closed(properties, required.map(|field| &*field.name))
        }
        Type::Variant(cases) => {
            let cases = cases.iter().map(|Case { name, ty }| match ty {
                Some(ty) => wrapped(name, schema(ty, way)),
                None => case(name, way),
            });
            json!({"oneOf": cases.collect::<Vec<_>>()})
        }
        Type::Enum(names) => json!({"type": "string", "enum": texts(names)}),
        Type::Flags(names) => {
            let mut flags =
                json!({"type": "array", "items": {"type": "string", "enum": texts(names)}});
            if way == Way::Result {
                flags["uniqueItems"] = true.into();
            }
            flags
        }
        Type::Option(inner) => {
            let some = schema(inner, way);
            // An option in an option needs a mark, or null would mean both.
            let some = if inner.may_be_absent() { wrapped("some", some) } else { some };
            json!({"anyOf": [some, {"type": "null"}]})
        }
        Type::Result { ok, err } => {
            let side = |name, ty: &Option<Box<Type>>| match (ty, way) {
                (Some(ty), _) => wrapped(name, schema(ty, way)),
                (None, Way::Argument) => case(name, way),
                (None, Way::Result) => wrapped(name, json!({"type": "null"})),
            };
            json!({"oneOf": [side("ok", ok), side("err", err)]})
        }
    }
}

/// The scalars whose schemas are long, for all to refer to.
pub(super) fn shared_schemas() -> Map<String, Value> {
    let not_finite = json!({"type": "string", "enum": ["NaN", "Infinity", "-Infinity"]});
    let described = |description: &str, mut schema: Value| {
        schema["description"] = description.into();
        schema
    };
    let schemas = [
        (
            "F32",
            described(
                "A single-precision number. An integer is one exactly, or refused: 16777217 is none. \
                 What is beyond the range is refused. JSON has no literals for NaN and the infinities.",
                json!({"anyOf": [{"type": "number", "minimum": -LARGEST_F32, "maximum": LARGEST_F32}, not_finite]}),
            ),
        ),
        (
            "F64",
            described(
                "A double-precision number. An integer is one exactly, or refused: 9007199254740993 is none. \
                 What is beyond the range, as 1e400, is refused. JSON has no literals for NaN and the infinities.",
                json!({"anyOf": [{"type": "number"}, not_finite]}),
            ),
        ),
        (
            "Bytes",
            described(
                "Bytes, in base64 with padding.",
                json!({"type": "string", "contentEncoding": "base64", "pattern": BASE64}),
            ),
        ),
        (
            "BytesArgument",
            described(
                "Bytes, in base64 with padding, or as an array of numbers.",
                json!({"anyOf": [
                    shared("schemas", "Bytes"),
                    {"type": "array", "items": shared("schemas", "U8Argument")},
                ]}),
            ),
        ),
    ];
    let mut all: Map<String, Value> =
        schemas.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect();
    for (name, least, most) in INTEGERS {
        let bits = &name[1..];
        let about = match (name.starts_with('U'), bits) {
            (true, "64") => {
                "A 64-bit integer without a sign. Not every JSON library keeps all its digits."
                    .into()
            }
            (false, "64") => {
                "A 64-bit integer. Not every JSON library keeps all its digits.".into()
            }
            (true, bits) => format!("An integer of {bits} bits without a sign."),
            (false, bits) => format!("An integer of {bits} bits."),
        };
        let plain = described(&about, integer(least, most));
        all.insert(name.into(), plain);
        let argument = json!({"anyOf": [shared("schemas", name), {"type": "string", "pattern": digits(least, most)}]});
        let about = format!("{about} Its decimal digits will do, too.");
        all.insert(format!("{name}Argument"), described(&about, argument));
    }
    all
}

/// Integer types by the names of their schemas, with their ranges.
const INTEGERS: [(&str, i128, i128); 8] = [
    ("S8", i8::MIN as i128, i8::MAX as i128),
    ("U8", 0, u8::MAX as i128),
    ("S16", i16::MIN as i128, i16::MAX as i128),
    ("U16", 0, u16::MAX as i128),
    ("S32", i32::MIN as i128, i32::MAX as i128),
    ("U32", 0, u32::MAX as i128),
    ("S64", i64::MIN as i128, i64::MAX as i128),
    ("U64", 0, u64::MAX as i128),
];

/// Base64 of RFC 4648, with padding, and without bits beyond the last byte.
const BASE64: &str =
    "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$";

fn shared_integer(name: &str, way: Way) -> Value {
    match way {
        Way::Argument => shared("schemas", &format!("{name}Argument")),
        Way::Result => shared("schemas", name),
    }
}

/// The schema of a number that is not in quotes.
pub(super) fn numbers(ty: &Type) -> Value {
    if ty.is_float() { json!({"type": "number"}) } else { schema(ty, Way::Result) }
}

/// The pattern of an integer's decimal digits, in this range and no other.
fn digits(least: i128, most: i128) -> String {
    let positive = up_to(most.unsigned_abs());
    let negative = match least {
        0 => "0+".to_owned(),
        least => format!("0*(?:{})", up_to(least.unsigned_abs())),
    };
    format!("^(?:\\+?0*(?:{positive})|-{negative})$")
}

/// The pattern of the digits of 0 to `most`, which has at least two.
fn up_to(most: u128) -> String {
    let most = most.to_string();
    let mut patterns = vec![format!("[0-9]{{1,{}}}", most.len() - 1)];
    for (place, digit) in most.bytes().enumerate() {
        let least = if place == 0 { b'1' } else { b'0' };
        if digit > least {
            let (range, left) = (char::from(digit - 1), most.len() - place - 1);
            let least = char::from(least);
            patterns.push(format!("{}[{least}-{range}][0-9]{{{left}}}", &most[..place]));
        }
    }
    patterns.push(most);
    patterns.join("|")
}

/// A case that carries nothing.
fn case(name: &str, way: Way) -> Value {
    match way {
        Way::Argument => {
            json!({"anyOf": [{ "const": name }, wrapped(name, json!({"type": "null"}))]})
        }
        Way::Result => json!({ "const": name }),
    }
}

/// A map as an object, whose names are the keys as text.
fn pairs(key: &Type, value: &Type, way: Way) -> Value {
    let names = match key {
        Type::String => json!({}),
        Type::Bool => json!({"enum": ["true", "false"]}),
        Type::Char | Type::Enum(_) => schema(key, Way::Result),
        key if key.is_float() => json!({"pattern": "^-?[0-9]+(\\.[0-9]+)?$"}),
        key if key.is_number() => {
            let range = INTEGERS.iter().find(|(name, ..)| name.to_lowercase() == key.to_string());
            json!({ "pattern": range.map(|(_, least, most)| digits(*least, *most)) })
        }
        // No text is such a key.
        _ => return json!({"type": "object", "maxProperties": 0}),
    };
    let mut object = json!({"type": "object", "additionalProperties": schema(value, way)});
    if *key != Type::String {
        object["propertyNames"] = names;
    }
    object
}

/// An array of these items, of which the first `least` have to be there.
#[expect(clippy::needless_pass_by_value, reason = "it becomes a part of the schema")]
pub(super) fn array_of(items: Vec<Value>, least: usize) -> Value {
    let most = items.len();
    if most == 0 {
        return json!({"type": "array", "maxItems": 0});
    }
    json!({"type": "array", "prefixItems": items, "minItems": least, "maxItems": most})
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

fn integer(least: i128, most: i128) -> Value {
    let number = |n: i128| i64::try_from(n).map_or_else(|_| json!(n as u64), |n| json!(n));
    json!({"type": "integer", "minimum": number(least), "maximum": number(most)})
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
    fn a_map_is_an_object_whose_names_are_keys() {
        let map = |key, value| Type::Map { key: Box::new(key), value: Box::new(value) };
        assert_eq!(
            schema(&map(Type::String, Type::Bool), Way::Result),
            json!({"type": "object", "additionalProperties": {"type": "boolean"}})
        );
        let of =
            |key| schema(&map(key, Type::Bool), Way::Argument)["anyOf"][0]["propertyNames"].clone();
        assert_eq!(of(Type::S8), json!({ "pattern": digits(-128, 127) }));
        assert_eq!(of(Type::Bool), json!({"enum": ["true", "false"]}));
        assert_eq!(of(Type::Char)["maxLength"], json!(1));
    }

    #[test]
    fn cases_are_one_of_their_names_or_an_object_of_one() {
        let case = |name: &str, ty| Case { name: name.into(), ty };
        let ty = Type::Variant(vec![case("dot", None), case("disc", Some(Type::U8))]);
        let disc = json!({"type": "object", "properties": {"disc": {"$ref": "#/components/schemas/U8"}},
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

    #[test]
    fn digits_are_those_of_the_range() {
        assert_eq!(
            digits(0, 255),
            r"^(?:\+?0*(?:[0-9]{1,2}|[1-1][0-9]{2}|2[0-4][0-9]{1}|25[0-4][0-9]{0}|255)|-0+)$"
        );
    }
}
