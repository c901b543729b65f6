//! From what was found in a module to its world in WIT, with documentation and default values.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use tarp_schema::procedure::{
    ArrayReplies, AuthorSignature, MAX_NAME_LENGTH, MetadataMap, ProcedureMetadata, is_valid_name,
};
use tarp_schema::snake_case;
use tarp_schema::types::{Case as KnownCase, Field as KnownField, Type as Known};

use super::analysis::{Analysis, Choice, Function, Record, Type, Union};
use crate::docs::{AliasError, add_alias, tags};
use crate::error::Diagnostic;
use crate::wit::{self, Both, Case, Field, Plain, Shape, World, distinct};

/// A module as the host will know it.
#[derive(Debug)]
pub(super) struct Described {
    pub(super) world: World,
    /// By the procedure's name in WIT, in snake_case.
    pub(super) docs: BTreeMap<String, String>,
    /// The same.
    pub(super) tables: MetadataMap,
}

/// What surrounds QuickJS exports by that name.
const RESERVED: [&str; 1] = ["init"];

/// Describes a module; `name` is the component's. What it imports is not known yet.
///
/// # Errors
///
/// All that the author has to change.
pub(super) fn describe(name: &str, analysis: &Analysis) -> Result<Described, Vec<Diagnostic>> {
    let world = World::new(name, &RESERVED);
    let mut described = Described { world, docs: BTreeMap::new(), tables: MetadataMap::new() };
    let mut faults = Vec::new();
    // A function `summary` may well give a `Summary`: the type has to give way.
    let exports = exports(analysis);
    let names = exports.iter().map(|name| described.world.name_function(name));
    let names: Vec<_> = names.collect();
    for (function, name) in analysis.functions.iter().zip(names) {
        let result = described.add(function, name);
        if let Err(error) = result {
            let message = format!("`{}`: {error}", function.name);
            faults.push(Diagnostic {
                file: function.file.clone(),
                line: Some(function.line),
                message,
            });
        }
    }
    if faults.is_empty() { Ok(described) } else { Err(faults) }
}

/// The names in WIT of the functions of a module, in its order.
pub(super) fn exports(analysis: &Analysis) -> Vec<String> {
    distinct(analysis.functions.iter().map(|function| &*function.name), "call", &RESERVED)
}

/// The names in WIT of the fields of a record, in its order.
pub(super) fn fields(of: &[super::analysis::Field]) -> Vec<String> {
    distinct(of.iter().map(|field| &*field.name), "field", &[])
}

/// The names in WIT of the cases of a union, in its order.
pub(super) fn members(of: &Union) -> Vec<String> {
    distinct(of.cases.iter().map(|case| &*case.name), "case", &[])
}

/// The names in WIT of the cases of a choice, in its order.
pub(super) fn cases(of: &Choice) -> Vec<String> {
    distinct(of.cases.iter().map(|case| &*case.name), "case", &[])
}

/// Why a function cannot be a procedure.
#[derive(Debug, thiserror::Error)]
enum Unfit {
    #[error(
        "this cannot be the name of a procedure, which is part of an address: it has the letters a to z and A to Z, digits and _ after a letter, {MAX_NAME_LENGTH} of them at the most; rename the function (parameters and fields may have any name)"
    )]
    Name,
    #[error(transparent)]
    Alias(#[from] AliasError),
    #[error(transparent)]
    Arrays(#[from] tags::NoArrays),
    #[error("`@arrays` is there twice")]
    ArraysTwice,
    #[error("two cases of `{of}` are called `{name}`; callers tell them by their names")]
    SameCase { of: String, name: String },
    #[error("a `{0}` cannot travel")]
    TypedArray(String),
    #[error("the default {0} does not fit into an integer of 64 bits")]
    LargeDefault(String),
    #[error("the default {0} is no case of its type")]
    NoCase(Value),
}

impl Described {
    fn add(&mut self, function: &Function, name: String) -> Result<(), Unfit> {
        if !is_valid_name(&function.name) {
            return Err(Unfit::Name);
        }
        let mut types = Types { world: &mut self.world };
        let mut in_wit = Vec::new();
        let mut known = Vec::new();
        let mut defaults = BTreeMap::new();
        let authors = function.parameters.iter().map(|parameter| &*parameter.name);
        let wit_names = distinct(authors, "parameter", &[]);
        for (parameter, name) in function.parameters.iter().zip(wit_names) {
            let both = types.both(&parameter.ty)?;
            in_wit.push(Field { name, ty: both.wit, docs: None });
            known.push(KnownField { name: parameter.name.as_str().into(), ty: both.known });
            if let Some(value) = &parameter.default {
                defaults.insert(parameter.name.clone(), in_json(&parameter.ty, value)?);
            }
        }
        let result = function.result.as_ref().map(|ty| types.both(ty)).transpose()?;
        let (result, ok) = result.map(|it| (Box::new(it.wit), Box::new(it.known))).unzip();
        let author = AuthorSignature {
            parameters: known,
            result: Some(Known::Result { ok, err: Some(Box::new(Known::String)) }),
        };
        let procedure = snake_case(&name);
        let in_wit = wit::Function {
            name,
            is_async: function.is_async,
            parameters: in_wit,
            result: Some(wit::Type::Result(
                result,
                Some(Box::new(wit::Type::Plain(Plain::String))),
            )),
            docs: function.docs.clone(),
        };
        if let Some(docs) = &function.docs {
            self.docs.insert(procedure.clone(), docs.clone());
        }
        let mut table = ProcedureMetadata {
            defaults,
            arrays: arrays(function)?,
            ..ProcedureMetadata::default()
        };
        table.set_author((&function.name, &procedure), &author, &self.world.signature(&in_wit));
        self.world.functions.push(in_wit);
        function.aliases.iter().try_for_each(|alias| add_alias(&mut table, alias))?;
        self.tables.insert(procedure, table);
        Ok(())
    }
}

/// What its tag `@arrays` says.
fn arrays(function: &Function) -> Result<Option<ArrayReplies>, Unfit> {
    match function.arrays.as_slice() {
        [] => Ok(None),
        [word] => Ok(Some(tags::arrays(word)?)),
        _ => Err(Unfit::ArraysTwice),
    }
}

/// Makes types, and defines those with names.
struct Types<'a> {
    world: &'a mut World,
}

impl Types<'_> {
    fn both(&mut self, ty: &Type) -> Result<Both, Unfit> {
        Ok(match ty {
            Type::Boolean => Both::plain(Plain::Bool),
            Type::Number => Both::plain(Plain::F64),
            Type::Bigint => Both::plain(Plain::S64),
            Type::String => Both::plain(Plain::String),
            Type::Typed(name) => Both::plain(element(name)?).list(),
            Type::Array(of) => self.both(of)?.list(),
            Type::Set(of) => self.both(of)?.set(),
            Type::Map(of) => Both::map(self.both(&of.0)?, self.both(&of.1)?),
            Type::Dict(of) => Both::map(Both::plain(Plain::String), self.both(of)?),
            Type::Tuple(of) => {
                Both::tuple(of.iter().map(|ty| self.both(ty)).collect::<Result<_, _>>()?)
            }
            Type::Option(of) => self.both(&of.of)?.option(),
            Type::Enum(of) => self.choice(of)?,
            Type::Record(of) => self.record(of)?,
            Type::Union(of) => self.union(of)?,
        })
    }

    fn union(&mut self, of: &Union) -> Result<Both, Unfit> {
        let is_enum = of.cases.iter().all(|case| case.fields.is_empty());
        let cases = of.cases.iter().zip(members(of)).map(|(case, name)| {
            let carried = match case.fields.as_slice() {
                [] => None,
                fields => {
                    let fields = fields.to_vec();
                    let name = format!("{}-{}", of.name, case.name);
                    Some(self.record(&Record { name, docs: None, fields })?)
                }
            };
            let (ty, known) = carried.map(|it| (it.wit, it.known)).unzip();
            let docs = case.docs.clone();
            let known = KnownCase { name: case.name.as_str().into(), ty: known };
            Ok((Case { name, ty, docs }, known))
        });
        let cases = cases.collect::<Result<Vec<_>, Unfit>>()?;
        let (cases, known): (_, Vec<KnownCase>) = cases.into_iter().unzip();
        let (shape, known) = if is_enum {
            (Shape::Enum(cases), Known::Enum(known.into_iter().map(|case| case.name).collect()))
        } else {
            (Shape::Variant(cases), Known::Variant(known))
        };
        let wit = self.world.define(&of.name, Some("union"), shape, of.docs.clone());
        Ok(Both { wit, known })
    }

    fn choice(&mut self, of: &Choice) -> Result<Both, Unfit> {
        let named = |(index, case): (usize, &super::analysis::Case)| {
            of.cases[..index].iter().any(|before| before.name == case.name)
        };
        if let Some((_, twice)) = of.cases.iter().enumerate().find(|it| named(*it)) {
            return Err(Unfit::SameCase { of: of.name.clone(), name: twice.name.clone() });
        }
        let known = Known::Enum(of.cases.iter().map(|case| case.name.as_str().into()).collect());
        let cases = of.cases.iter().zip(cases(of));
        let cases = cases.map(|(case, name)| Case { name, ty: None, docs: case.docs.clone() });
        let shape = Shape::Enum(cases.collect());
        let wit = self.world.define(&of.name, Some("choice"), shape, of.docs.clone());
        Ok(Both { wit, known })
    }

    fn record(&mut self, of: &Record) -> Result<Both, Unfit> {
        let fields = of.fields.iter().zip(fields(&of.fields)).map(|(field, name)| {
            let Both { wit, known } = self.both(&field.ty)?;
            let known = KnownField { name: field.name.as_str().into(), ty: known };
            Ok((Field { name, ty: wit, docs: field.docs.clone() }, known))
        });
        let fields = fields.collect::<Result<Vec<_>, Unfit>>()?;
        let (fields, known) = fields.into_iter().unzip();
        let shape = Shape::Record(fields);
        let wit = self.world.define(&of.name, Some("record"), shape, of.docs.clone());
        Ok(Both { wit, known: Known::Record(known) })
    }
}

fn element(typed_array: &str) -> Result<Plain, Unfit> {
    Ok(match typed_array {
        "Int8Array" => Plain::S8,
        "Uint8Array" | "Uint8ClampedArray" => Plain::U8,
        "Int16Array" => Plain::S16,
        "Uint16Array" => Plain::U16,
        "Int32Array" => Plain::S32,
        "Uint32Array" => Plain::U32,
        "Float32Array" => Plain::F32,
        "Float64Array" => Plain::F64,
        "BigInt64Array" => Plain::S64,
        "BigUint64Array" => Plain::U64,
        _ => return Err(Unfit::TypedArray(typed_array.to_owned())),
    })
}

fn record_in_json(
    fields: &[super::analysis::Field],
    values: &Map<String, Value>,
) -> Result<Value, Unfit> {
    let mut object = Map::new();
    for field in fields {
        if let Some(value) = values.get(&field.name) {
            object.insert(field.name.clone(), in_json(&field.ty, value)?);
        }
    }
    Ok(Value::Object(object))
}

/// A default value as a caller would write it.
fn in_json(ty: &Type, value: &Value) -> Result<Value, Unfit> {
    Ok(match (ty, value) {
        (Type::Option(_), Value::Null) => Value::Null,
        (Type::Option(of), value) => in_json(&of.of, value)?,
        (Type::Bigint, Value::String(digits)) => digits
            .parse::<i64>()
            .map(Value::from)
            .map_err(|_| Unfit::LargeDefault(digits.clone()))?,
        (Type::Enum(of), value) => {
            let case = of.cases.iter().find(|case| case.value == *value);
            let case = case.ok_or_else(|| Unfit::NoCase(value.clone()))?;
            json!(case.name)
        }
        (Type::Array(of), Value::Array(values)) => {
            values.iter().map(|value| in_json(of, value)).collect::<Result<_, _>>()?
        }
        (Type::Tuple(of), Value::Array(values)) => {
            of.iter().zip(values).map(|(of, value)| in_json(of, value)).collect::<Result<_, _>>()?
        }
        (Type::Dict(of), Value::Object(values)) => {
            let value = |(key, value): (&String, _)| Ok((key.clone(), in_json(of, value)?));
            Value::Object(values.iter().map(value).collect::<Result<Map<_, _>, Unfit>>()?)
        }
        (Type::Record(of), Value::Object(values)) => record_in_json(&of.fields, values)?,
        (Type::Union(of), Value::Object(values)) => {
            let value = values.get(&of.tag).cloned().unwrap_or_default();
            let case = of.cases.iter().find(|case| case.value == value);
            let case = case.ok_or(Unfit::NoCase(value))?;
            match case.fields.as_slice() {
                [] => json!(case.name),
                fields => json!({ &*case.name: record_in_json(fields, values)? }),
            }
        }
        (_, value) => value.clone(),
    })
}
