//! From what was found in a module to its world in WIT, with documentation and default values.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use tarp_schema::procedure::{ArrayReplies, MetadataMap, ProcedureMetadata};
use tarp_schema::snake_case;

use super::analysis::{Analysis, Choice, Function, Record, Type};
use crate::docs::{AliasError, add_alias, tags};
use crate::error::Diagnostic;
use crate::wit::{self, Case, Definition, Field, NameError, Plain, SameName, Shape, World, kebab};

/// A module as the host will know it.
#[derive(Debug)]
pub(super) struct Described {
    pub(super) world: World,
    /// By the procedure's name.
    pub(super) docs: BTreeMap<String, String>,
    /// By the procedure's name.
    pub(super) tables: MetadataMap,
}

/// Describes a module; `name` is the component's. What it imports is not known yet.
///
/// # Errors
///
/// All that the author has to change.
pub(super) fn describe(name: &str, analysis: &Analysis) -> Result<Described, Vec<Diagnostic>> {
    let at_top = |message: String| vec![Diagnostic { file: name.into(), line: None, message }];
    let world = World::new(name).map_err(|error| at_top(error.to_string()))?;
    let mut described = Described { world, docs: BTreeMap::new(), tables: MetadataMap::new() };
    let mut faults = Vec::new();
    let taken: Vec<_> = analysis.functions.iter().flat_map(|it| kebab(&it.name)).collect();
    for function in &analysis.functions {
        let result = described.add(function, &taken);
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

/// Why a function cannot be a procedure.
#[derive(Debug, thiserror::Error)]
enum Unfit {
    #[error(transparent)]
    Name(#[from] NameError),
    #[error(transparent)]
    SameType(#[from] SameName),
    #[error(transparent)]
    Alias(#[from] AliasError),
    #[error(transparent)]
    Arrays(#[from] tags::NoArrays),
    #[error("`@arrays` is there twice")]
    ArraysTwice,
    #[error("the name is taken by what surrounds QuickJS; take another one")]
    Init,
    #[error("another function is called `{0}` as well")]
    SameFunction(String),
    #[error("{0}; take other texts, or just `string`")]
    Case(NameError),
    #[error("two {parts} of `{of}` are called `{name}`")]
    SamePart { parts: &'static str, of: String, name: String },
    #[error("a `{0}` cannot travel")]
    TypedArray(String),
    #[error("the default {0} does not fit into an integer of 64 bits")]
    LargeDefault(String),
    #[error("the default {0} is no case of its type")]
    NoCase(Value),
}

impl Unfit {
    /// Two parts of a type have one name, which is in kebab-case.
    fn same_part(parts: &'static str, of: &str, name: &str) -> Self {
        Self::SamePart { parts, of: of.to_owned(), name: snake_case(name) }
    }
}

impl Described {
    fn add(&mut self, function: &Function, taken: &[String]) -> Result<(), Unfit> {
        let name = kebab(&function.name)?;
        if name == "init" {
            return Err(Unfit::Init);
        }
        if let Some(same) = self.world.functions.iter().find(|it| it.name == name) {
            return Err(Unfit::SameFunction(snake_case(&same.name)));
        }
        let mut types = Types { world: &mut self.world, functions: taken };
        let mut parameters = Vec::new();
        let mut defaults = BTreeMap::new();
        for parameter in &function.parameters {
            let field =
                Field { name: kebab(&parameter.name)?, ty: types.wit(&parameter.ty)?, docs: None };
            if let Some(value) = &parameter.default {
                defaults.insert(snake_case(&field.name), in_json(&parameter.ty, value)?);
            }
            parameters.push(field);
        }
        let result = function.result.as_ref().map(|ty| types.wit(ty)).transpose()?;
        let procedure = snake_case(&name);
        self.world.functions.push(wit::Function {
            name,
            is_async: function.is_async,
            parameters,
            result: Some(wit::Type::Result(
                result.map(Box::new),
                Some(Box::new(wit::Type::Plain(Plain::String))),
            )),
            docs: function.docs.clone(),
        });
        if let Some(docs) = &function.docs {
            self.docs.insert(procedure.clone(), docs.clone());
        }
        let mut table = ProcedureMetadata {
            defaults,
            arrays: arrays(function)?,
            ..ProcedureMetadata::default()
        };
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

/// Makes types of WIT, and defines those with names.
struct Types<'a> {
    world: &'a mut World,
    /// The names of all functions, which no type can have.
    functions: &'a [String],
}

impl Types<'_> {
    fn wit(&mut self, ty: &Type) -> Result<wit::Type, Unfit> {
        Ok(match ty {
            Type::Boolean => wit::Type::Plain(Plain::Bool),
            Type::Number => wit::Type::Plain(Plain::F64),
            Type::Bigint => wit::Type::Plain(Plain::S64),
            Type::String => wit::Type::Plain(Plain::String),
            Type::Typed(name) => wit::Type::list(wit::Type::Plain(element(name)?)),
            Type::Array(of) | Type::Set(of) => wit::Type::list(self.wit(of)?),
            Type::Map(of) => pairs(self.wit(&of.0)?, self.wit(&of.1)?),
            Type::Dict(of) => pairs(wit::Type::Plain(Plain::String), self.wit(of)?),
            Type::Tuple(of) => {
                let types: Result<_, _> = of.iter().map(|ty| self.wit(ty)).collect();
                wit::Type::Tuple(types?)
            }
            Type::Option(of) => wit::Type::option(self.wit(&of.of)?),
            Type::Enum(of) => self.choice(of)?,
            Type::Record(of) => self.record(of)?,
        })
    }

    fn choice(&mut self, of: &Choice) -> Result<wit::Type, Unfit> {
        let mut cases = Vec::new();
        for case in &of.cases {
            let name = kebab(&case.name).map_err(Unfit::Case)?;
            if cases.iter().any(|it: &Case| it.name == name) {
                return Err(Unfit::same_part("cases", &of.name, &name));
            }
            cases.push(Case { name, ty: None, docs: case.docs.clone() });
        }
        self.define(&of.name, "choice", Shape::Enum(cases), of.docs.clone())
    }

    fn record(&mut self, of: &Record) -> Result<wit::Type, Unfit> {
        let mut fields = Vec::new();
        for field in &of.fields {
            let name = kebab(&field.name)?;
            if fields.iter().any(|it: &Field| it.name == name) {
                return Err(Unfit::same_part("fields", &of.name, &name));
            }
            fields.push(Field { name, ty: self.wit(&field.ty)?, docs: field.docs.clone() });
        }
        self.define(&of.name, "record", Shape::Record(fields), of.docs.clone())
    }

    /// A function `summary` may well give a `Summary`; the type has to give way.
    fn define(
        &mut self,
        name: &str,
        kind: &str,
        shape: Shape,
        docs: Option<String>,
    ) -> Result<wit::Type, Unfit> {
        let mut name = kebab(name)?;
        if self.functions.contains(&name) {
            name = format!("{name}-{kind}");
        }
        Ok(self.world.define(Definition { name, shape, docs })?)
    }
}

fn pairs(key: wit::Type, value: wit::Type) -> wit::Type {
    wit::Type::list(wit::Type::Tuple(vec![key, value]))
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
            json!(snake_case(&kebab(&case.name)?))
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
        (Type::Record(of), Value::Object(values)) => {
            let mut object = Map::new();
            for field in &of.fields {
                if let Some(value) = values.get(&field.name) {
                    object.insert(snake_case(&kebab(&field.name)?), in_json(&field.ty, value)?);
                }
            }
            Value::Object(object)
        }
        (_, value) => value.clone(),
    })
}
