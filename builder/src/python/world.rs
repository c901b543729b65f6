//! A module of Python as a WIT world, with what WIT cannot say.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use tarp_schema::procedure::{
    AuthorSignature, MAX_NAME_LENGTH, MetadataMap, Mode, ProcedureMetadata, is_valid_name,
};
use tarp_schema::types::{Case as KnownCase, Field as KnownField, Type as Known};
use tarp_schema::{shared, snake_case};

use super::analysis::{self, Analysis, Shape, Type};
use crate::docs::add_alias;
use crate::error::Diagnostic;
use crate::wit::{
    Both, Case, Field, Function, Plain, Shape as WitShape, Type as WitType, World, distinct, lossy,
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

/// What componentize-py imports where it declares classes for types: one of an author must not hide it.
const CLASSES: [&str; 24] = [
    "a-b-c",
    "any",
    "auto",
    "abstractmethod",
    "callable",
    "dataclass",
    "enum",
    "err",
    "flag",
    "generic",
    "list",
    "ok",
    "optional",
    "protocol",
    "result",
    "self",
    "some",
    "traceback-type",
    "tuple",
    "type-var",
    "union",
    "weakref",
    "wit-world",
    "imports",
];

/// What its methods have as a parameter of their own.
const PARAMETERS: [&str; 1] = ["self"];

/// Makes the world, and writes into the analysis which names it has there.
///
/// # Errors
///
/// What callers could not call by its name, with where it is.
pub(super) fn map(analysis: &mut Analysis, file: &Path) -> Result<Mapped, Vec<Diagnostic>> {
    let world = World::new(&analysis.name, &CLASSES);
    let mut mapper = Mapper { world, file, named: HashMap::new(), faults: Vec::new() };
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
        mapper.world.use_from(WEB, web);
    }
    for definition in &mut analysis.definitions {
        mapper.definition(definition);
    }
    let (mut tables, mut docs) = (MetadataMap::new(), BTreeMap::new());
    for function in &mut analysis.functions {
        let (name, mut table) = mapper.function(function);
        mapper.options(function, &mut table);
        tables.insert(name.clone(), table);
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
    /// By module and name.
    named: HashMap<(String, String), Both>,
    faults: Vec<Diagnostic>,
}

impl Mapper<'_> {
    fn fault(&mut self, line: usize, message: impl Into<String>) {
        self.faults.push(Diagnostic::at(self.file, line, message));
    }

    fn definition(&mut self, definition: &mut analysis::Definition) {
        let (shape, known) = match &definition.shape {
            Shape::Enum { cases } | Shape::Literal { cases } => {
                (WitShape::Enum(wit_cases(cases)), Known::Enum(names(cases)))
            }
            Shape::Flags { cases } => {
                (WitShape::Flags(wit_cases(cases)), Known::Flags(names(cases)))
            }
            Shape::Variant { cases: types } => self.variant(types),
            Shape::Record { fields, .. } => {
                let fields = fields.iter().map(|it| (&*it.name, &it.ty, it.optional));
                let (wit, known) = self.fields(fields, "field", &[]);
                (WitShape::Record(wit), Known::Record(known))
            }
        };
        let docs = definition.docs.clone();
        let wit = self.world.define(&definition.name, None, shape, docs);
        if let WitType::Named(name) = &wit {
            definition.generated = upper_camel(name);
        }
        let key = (definition.module.clone(), definition.name.clone());
        self.named.insert(key, Both { wit, known });
    }

    /// A union, whose cases are called after their classes.
    fn variant(&self, types: &[Type]) -> (WitShape, Known) {
        let wit_names = distinct(types.iter().map(label), "case", &[]);
        let cases = types.iter().zip(wit_names).map(|(of, name)| {
            let Both { wit, known } = self.both(of);
            let case = Case { name, ty: Some(wit), docs: None };
            (case, KnownCase { name: label(of).into(), ty: Some(known) })
        });
        let (wit, known) = cases.unzip();
        (WitShape::Variant(wit), Known::Variant(known))
    }

    /// Fields or parameters: their names, their types, and whether they may be left out.
    fn fields<'a>(
        &self,
        parts: impl Iterator<Item = (&'a str, &'a Type, bool)> + Clone,
        fallback: &str,
        reserved: &[&str],
    ) -> (Vec<Field>, Vec<KnownField>) {
        let wit_names = distinct(parts.clone().map(|(author, ..)| author), fallback, reserved);
        let fields = parts.zip(wit_names).map(|((author, ty, optional), name)| {
            let both = self.both(ty);
            let may_be_absent = both.known.may_be_absent();
            let Both { wit, known } = if optional && !may_be_absent { both.option() } else { both };
            let field = Field { name, ty: wit, docs: None };
            (field, KnownField { name: author.into(), ty: known })
        });
        fields.unzip()
    }

    /// Takes a function into the world; gives its name as the host will read it, and what WIT cannot say.
    fn function(&mut self, function: &mut analysis::Function) -> (String, ProcedureMetadata) {
        if !is_valid_name(&function.name) {
            let text = format!(
                "`{}` cannot be the name of a procedure, which is part of an address: it has the letters a to z and A to Z, digits and _ after a letter, {MAX_NAME_LENGTH} of them at the most; rename the function (parameters and fields may have any name)",
                function.name
            );
            self.fault(function.line, text);
        }
        let name = self.world.name_function(&export(&function.name));
        let parameters = function.parameters.iter();
        let parameters = parameters.map(|it| (&*it.name, &it.ty, it.own_default));
        let (wit, known) = self.fields(parameters, "parameter", &PARAMETERS);
        let result = function.result.as_ref().map(|result| self.both(result));
        let (result, ok) = result.map(|it| (Box::new(it.wit), Box::new(it.known))).unzip();
        let author = AuthorSignature {
            parameters: known,
            result: Some(Known::Result { ok, err: Some(Box::new(Known::String)) }),
        };
        let failure = Some(Box::new(WitType::Plain(Plain::String)));
        let in_wit = Function {
            name: name.clone(),
            // A coroutine runs to its end within the call: what is asynchronous is the job, and that
            // is said in the table.
            is_async: false,
            parameters: wit,
            result: Some(WitType::Result(result, failure)),
            docs: function.docs.clone(),
        };
        function.export = snake_case(&name);
        let mut table = ProcedureMetadata {
            mode: function.is_async.then_some(Mode::Async),
            ..ProcedureMetadata::default()
        };
        let carrier = self.world.signature(&in_wit);
        table.set_author((&function.name, &function.export), &author, &carrier);
        self.world.functions.push(in_wit);
        (function.export.clone(), table)
    }

    fn both(&self, ty: &Type) -> Both {
        match ty {
            Type::Int => Both::plain(Plain::S64),
            Type::Float => Both::plain(Plain::F64),
            Type::Bool => Both::plain(Plain::Bool),
            Type::Str
            | Type::Date
            | Type::DateTime
            | Type::Decimal
            | Type::Json
            | Type::Path
            | Type::Time
            | Type::TimeDelta
            | Type::Uuid => Both::plain(Plain::String),
            Type::Complex => Both::tuple(vec![Both::plain(Plain::F64); 2]),
            Type::Choice { of, .. } => self.both(of),
            Type::Bytes | Type::ByteArray => Both::plain(Plain::U8).list(),
            Type::Request => {
                Both { wit: WitType::Named("request".into()), known: shared::request() }
            }
            Type::Response => {
                Both { wit: WitType::Named("response".into()), known: shared::response() }
            }
            Type::List { of, class } => match &**class {
                "set" | "frozenset" => self.both(of).set(),
                _ => self.both(of).list(),
            },
            Type::Tuple { of } => Both::tuple(of.iter().map(|of| self.both(of)).collect()),
            Type::Dict { key, of } => Both::map(self.both(key), self.both(of)),
            Type::Option { of } => self.both(of).option(),
            Type::Named { name, module } => self.named[&(module.clone(), name.clone())].clone(),
        }
    }

    /// What is said in the decorator, and the defaults.
    fn options(&mut self, function: &analysis::Function, table: &mut ProcedureMetadata) {
        for parameter in &function.parameters {
            if let Some(default) = &parameter.default {
                table.defaults.insert(parameter.name.clone(), default.value.clone());
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
                        if let Err(reason) = add_alias(table, alias) {
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

/// The name of an export. Each is a symbol of the core module that componentize-py links with libc and
/// CPython, where `log` and `read` are others already; no symbol of theirs has a hyphen.
fn export(name: &str) -> String {
    let kebab = lossy(name, "call");
    if kebab.contains('-') { kebab } else { format!("call-{kebab}") }
}

fn wit_cases(authors: &[String]) -> Vec<Case> {
    let names = distinct(authors.iter().map(String::as_str), "case", &[]);
    names.into_iter().map(|name| Case { name, ty: None, docs: None }).collect()
}

fn names(authors: &[String]) -> Vec<Arc<str>> {
    authors.iter().map(|name| name.as_str().into()).collect()
}

/// As componentize-py names classes: `peak-shape` becomes `PeakShape`.
fn upper_camel(kebab: &str) -> String {
    let word = |word: &str| {
        let (first, rest) = word.split_at(usize::from(!word.is_empty()));
        first.to_ascii_uppercase() + rest
    };
    kebab.split('-').map(word).collect()
}
