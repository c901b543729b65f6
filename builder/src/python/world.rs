//! A module of Python as a WIT world, with what WIT cannot say.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use tarp_schema::procedure::{MetadataMap, Mode, ProcedureMetadata};
use tarp_schema::snake_case;

use super::analysis::{self, Analysis, Shape, Type};
use crate::docs::add_alias;
use crate::error::Diagnostic;
use crate::wit::{
    Case, Definition, Field, Function, Plain, Shape as WitShape, Type as WitType, Use, World, kebab,
};

/// What a module becomes.
#[derive(Debug)]
pub(super) struct Mapped {
    pub(super) world: World,
    pub(super) tables: MetadataMap,
    pub(super) docs: BTreeMap<String, String>,
}

/// The interfaces of the host.
const JOB: &str = "tarp:procedure/job@0.1.0";
const HTTP: &str = "tarp:procedure/http@0.1.0";
const WEB: &str = "tarp:procedure/web@0.1.0";

/// Makes the world, and writes into the analysis which names it has there.
///
/// # Errors
///
/// Names that WIT has not, with where they are.
pub(super) fn map(analysis: &mut Analysis, file: &Path) -> Result<Mapped, Vec<Diagnostic>> {
    let world = World::new(&analysis.name)
        .map_err(|reason| vec![Diagnostic::at(file, 1, reason.to_string())])?;
    let mut mapper = Mapper { world, file, faults: Vec::new() };
    mapper.world.docs.clone_from(&analysis.docs);
    if analysis.imports_guest {
        mapper.world.imports.push(JOB.into());
    }
    if analysis.imports_urllib {
        mapper.world.imports.push(HTTP.into());
    }
    let web: Vec<_> = [(Type::Request, "request"), (Type::Response, "response")]
        .into_iter()
        .filter(|(ty, _)| analysis.functions.iter().any(|function| speaks_of(function, ty)))
        .map(|(_, name)| name.to_owned())
        .collect();
    if !web.is_empty() {
        mapper.world.uses.push(Use { from: WEB.into(), names: web });
    }
    for definition in &mut analysis.definitions {
        mapper.definition(definition);
    }
    let (mut tables, mut docs) = (MetadataMap::new(), BTreeMap::new());
    for function in &mut analysis.functions {
        let name = mapper.function(function);
        tables.insert(name.clone(), mapper.table(function));
        docs.extend(function.docs.clone().map(|text| (name, text)));
    }
    if analysis.functions.is_empty() {
        mapper.faults.push(Diagnostic {
            file: file.into(),
            line: None,
            message: "there is no procedure in it; one is a function with type hints whose name does not begin with `_`, such as `def mean(values: list[float]) -> float:`".into(),
        });
    }
    if mapper.faults.is_empty() {
        Ok(Mapped { world: mapper.world, tables, docs })
    } else {
        Err(mapper.faults)
    }
}

fn speaks_of(function: &analysis::Function, ty: &Type) -> bool {
    function
        .parameters
        .iter()
        .map(|parameter| &parameter.ty)
        .chain(&function.result)
        .any(|t| t == ty)
}

struct Mapper<'a> {
    world: World,
    file: &'a Path,
    faults: Vec<Diagnostic>,
}

impl Mapper<'_> {
    fn fault(&mut self, line: usize, message: impl Into<String>) {
        self.faults.push(Diagnostic::at(self.file, line, message));
    }

    /// A name in WIT; the Python one, and a fault, where there is none.
    fn name(&mut self, name: &str, file: &Path, line: usize) -> String {
        kebab(name).unwrap_or_else(|reason| {
            self.faults.push(Diagnostic::at(file, line, reason.to_string()));
            name.into()
        })
    }

    fn definition(&mut self, definition: &mut analysis::Definition) {
        let own_file = self.file.to_path_buf();
        let file =
            if definition.file.as_os_str().is_empty() { own_file } else { definition.file.clone() };
        let line = definition.line.unwrap_or(1);
        let name = self.name(&definition.name, &file, line);
        let shape = match &definition.shape {
            Shape::Enum { cases: names } | Shape::Literal { cases: names } => {
                WitShape::Enum(self.cases(names, &file, line))
            }
            Shape::Flags { cases: names } => WitShape::Flags(self.cases(names, &file, line)),
            Shape::Variant { cases: types } => WitShape::Variant(
                types.iter().map(|ty| self.alternative(ty, &file, line)).collect(),
            ),
            Shape::Record { fields, .. } => WitShape::Record(
                fields
                    .iter()
                    .map(|field| Field {
                        name: self.name(&field.name, &file, field.line),
                        ty: optional(self.ty(&field.ty), field.optional),
                        docs: None,
                    })
                    .collect(),
            ),
        };
        definition.generated = upper_camel(&name);
        let docs = definition.docs.clone();
        if let Some(twice) = twice(&shape) {
            let text = format!("`{}` has two parts called `{twice}` in WIT", definition.name);
            self.faults.push(Diagnostic::at(&file, line, text));
        }
        if let Err(reason) = self.world.define(Definition { name, shape, docs }) {
            self.faults.push(Diagnostic::at(&file, line, reason.to_string()));
        }
    }

    fn cases(&mut self, names: &[String], file: &Path, line: usize) -> Vec<Case> {
        let case = |name: &String| Case { name: self.name(name, file, line), ty: None, docs: None };
        names.iter().map(case).collect()
    }

    /// A case of a union, by the name of its class.
    fn alternative(&mut self, ty: &Type, file: &Path, line: usize) -> Case {
        let name = self.name(label(ty), file, line);
        Case { name, ty: Some(self.ty(ty)), docs: None }
    }

    /// Takes a function into the world; gives its name as the host has it.
    fn function(&mut self, function: &mut analysis::Function) -> String {
        let file = self.file.to_path_buf();
        let name = self.name(&function.name, &file, function.line);
        let parameters: Vec<_> = function
            .parameters
            .iter()
            .map(|parameter| Field {
                name: self.name(&parameter.name, &file, parameter.line),
                ty: optional(self.ty(&parameter.ty), parameter.own_default),
                docs: None,
            })
            .collect();
        let result = function.result.as_ref().map(|result| Box::new(self.ty(result)));
        let failure = Some(Box::new(WitType::Plain(Plain::String)));
        if self.world.functions.iter().any(|known| known.name == name) {
            self.fault(function.line, format!("two functions are called `{name}` in WIT"));
        }
        function.export = snake_case(&name);
        self.world.functions.push(Function {
            name: name.clone(),
            // A coroutine runs to its end within the call: what is asynchronous is the job, and that
            // is said in the table.
            is_async: false,
            parameters,
            result: Some(WitType::Result(result, failure)),
            docs: function.docs.clone(),
        });
        snake_case(&name)
    }

    fn ty(&mut self, ty: &Type) -> WitType {
        match ty {
            Type::Int => WitType::Plain(Plain::S64),
            Type::Float => WitType::Plain(Plain::F64),
            Type::Bool => WitType::Plain(Plain::Bool),
            Type::Str
            | Type::Date
            | Type::DateTime
            | Type::Decimal
            | Type::Json
            | Type::Path
            | Type::Time
            | Type::TimeDelta
            | Type::Uuid => WitType::Plain(Plain::String),
            Type::Complex => WitType::Tuple(vec![WitType::Plain(Plain::F64); 2]),
            Type::Choice { of, .. } => self.ty(of),
            Type::Bytes | Type::ByteArray => WitType::list(WitType::Plain(Plain::U8)),
            Type::Request => WitType::Named("request".into()),
            Type::Response => WitType::Named("response".into()),
            Type::List { of, .. } => WitType::list(self.ty(of)),
            Type::Tuple { of } => WitType::Tuple(of.iter().map(|of| self.ty(of)).collect()),
            Type::Dict { key, of } => {
                WitType::list(WitType::Tuple(vec![self.ty(key), self.ty(of)]))
            }
            Type::Option { of } => WitType::option(self.ty(of)),
            // One without a name in WIT has its fault already.
            Type::Named { name, .. } => WitType::Named(kebab(name).unwrap_or_default()),
        }
    }

    fn table(&mut self, function: &analysis::Function) -> ProcedureMetadata {
        let mut table = ProcedureMetadata {
            mode: function.is_async.then_some(Mode::Async),
            ..ProcedureMetadata::default()
        };
        for parameter in &function.parameters {
            if let Some(default) = &parameter.default {
                let name =
                    kebab(&parameter.name).map_or_else(|_| String::new(), |n| snake_case(&n));
                table.defaults.insert(name, with_cases(&default.value));
            }
        }
        for (option, value) in &function.options {
            let fits = match option.as_str() {
                "mode" => {
                    serde_json::from_value(value.clone()).map(|mode| table.mode = mode).is_ok()
                }
                "suggested_wait" => {
                    let seconds = value.as_u64().and_then(|seconds| u32::try_from(seconds).ok());
                    table.suggested_wait = seconds.filter(|seconds| *seconds >= 1);
                    table.suggested_wait.is_some() || value.is_null()
                }
                "methods" => {
                    table.methods = serde_json::from_value(value.clone()).unwrap_or_default();
                    table.methods.as_ref().is_some_and(|methods| !methods.is_empty())
                        || value.is_null()
                }
                "arrays" => {
                    serde_json::from_value(value.clone()).map(|it| table.arrays = it).is_ok()
                }
                "aliases" => {
                    let aliases: Option<Vec<String>> =
                        serde_json::from_value(value.clone()).unwrap_or_default();
                    for alias in aliases.iter().flatten() {
                        if let Err(reason) = add_alias(&mut table, alias) {
                            self.fault(function.line, format!("@procedure: {reason}"));
                        }
                    }
                    aliases.is_some() || value.is_null()
                }
                _ => {
                    let known = "mode, suggested_wait, methods, aliases and arrays";
                    self.fault(
                        function.line,
                        format!("@procedure has no `{option}`; it has {known}"),
                    );
                    continue;
                }
            };
            if !fits {
                self.fault(
                    function.line,
                    format!("@procedure({option}={value}) makes no sense: mode is \"sync\" or \"async\", suggested_wait whole seconds, methods a list of \"GET\" and \"POST\", aliases a list of names, arrays \"auto\", \"numpy\" or \"list\""),
                );
            }
        }
        table
    }
}

/// The name of a case of a union: that of its class.
fn label(ty: &Type) -> &str {
    match ty {
        Type::Named { name, .. } => name,
        Type::List { class, .. } => class.split(' ').next().unwrap_or(class),
        Type::Int => "int",
        Type::Float => "float",
        Type::Complex => "complex",
        Type::Bool => "bool",
        Type::Str => "str",
        Type::Bytes | Type::ByteArray => "bytes",
        Type::Tuple { .. } => "tuple",
        Type::Dict { .. } => "dict",
        Type::Date => "date",
        Type::DateTime => "datetime",
        Type::Decimal => "decimal",
        Type::Path => "path",
        Type::Time => "time",
        Type::TimeDelta => "timedelta",
        Type::Uuid => "uuid",
        Type::Json | Type::Choice { .. } | Type::Option { .. } => "other",
        Type::Request | Type::Response => "web",
    }
}

fn optional(ty: WitType, optional: bool) -> WitType {
    match ty {
        WitType::Option(_) => ty,
        ty if optional => WitType::option(ty),
        ty => ty,
    }
}

/// A name that a shape has twice, though Python had two.
fn twice(shape: &WitShape) -> Option<String> {
    let names: Vec<&String> = match shape {
        WitShape::Record(fields) => fields.iter().map(|field| &field.name).collect(),
        WitShape::Variant(cases) | WitShape::Enum(cases) | WitShape::Flags(cases) => {
            cases.iter().map(|case| &case.name).collect()
        }
        WitShape::Alias(_) => Vec::new(),
    };
    let repeated = |(index, name): &(usize, &&String)| names[..*index].contains(*name);
    names.iter().enumerate().find(repeated).map(|(_, name)| (*name).clone())
}

/// A default with its cases by the names that callers use.
fn with_cases(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(with_cases).collect(),
        Value::Object(object) => match object.get("$case").and_then(Value::as_str) {
            Some(case) => kebab(case).map_or_else(|_| case.into(), |name| snake_case(&name)).into(),
            None => value.clone(),
        },
        _ => value.clone(),
    }
}

/// As componentize-py names classes: `peak-shape` becomes `PeakShape`.
fn upper_camel(kebab: &str) -> String {
    let word = |word: &str| {
        let (first, rest) = word.split_at(usize::from(!word.is_empty()));
        first.to_ascii_uppercase() + rest
    };
    kebab.split('-').map(word).collect()
}
