//! What a finished component offers, read from the component itself, whatever made it.

use serde::Serialize;
use tarp_schema::procedure::{AuthorSignature, MetadataMap, Mode};
use tarp_schema::snake_case;
use tarp_schema::types::Type as Known;
use wit_parser::{Function, FunctionKind, Param, Resolve, Type, TypeDefKind, WorldItem, WorldKey};

use crate::BuildError;
use crate::docs;

/// A function that a host will serve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Procedure {
    /// As the host has it: `mean`, `summary/mean`.
    pub name: String,
    /// Its parameters and result, in WIT's words: `(values: list<f64>) -> result<f64, string>`.
    pub signature: String,
    /// Its documentation, where the component has any.
    pub description: Option<String>,
    /// How it wants to be called, where the component says so.
    pub mode: Option<Mode>,
}

/// The procedures of a component, in the order of its exports.
///
/// # Errors
///
/// When it cannot be read, or offers none.
pub fn procedures(component: &[u8]) -> Result<Vec<Procedure>, BuildError> {
    let (resolve, world) = docs::read(component)?;
    let tables = docs::tables(component);
    let procedure = |interface: Option<&str>, function: &Function| {
        procedure(&resolve, &tables, interface, function)
    };
    let mut procedures = Vec::new();
    for (key, item) in &resolve.worlds[world].exports {
        match item {
            WorldItem::Function(function) if !is_plumbing(&function.name, component) => {
                procedures.push(procedure(None, function));
            }
            WorldItem::Interface { id, .. } => {
                let name = match key {
                    WorldKey::Name(name) => name.clone(),
                    WorldKey::Interface(id) => resolve.id_of(*id).unwrap_or_default(),
                };
                if name == "exports" || name.starts_with("wasi:") {
                    continue;
                }
                let short = name.rsplit('/').next().and_then(|name| name.split('@').next());
                for function in resolve.interfaces[*id].functions.values() {
                    procedures.push(procedure(short, function));
                }
            }
            WorldItem::Function(_) | WorldItem::Type { .. } => {}
        }
    }
    procedures.retain(|procedure| !procedure.name.contains('['));
    Ok(procedures)
}

/// What tool chains export for themselves. An `init` is theirs where they say that they have put an
/// interpreter into the component, as in the host's `catalog/metadata.rs`.
fn is_plumbing(name: &str, component: &[u8]) -> bool {
    const INTERPRETERS: [&[u8]; 2] = [b"local:init/module-loader", b"component-init-transform"];
    let holds = |mark: &&[u8]| component.windows(mark.len()).any(|bytes| bytes == *mark);
    name.starts_with("cabi_") || (name == "init" && INTERPRETERS.iter().any(holds))
}

fn procedure(
    resolve: &Resolve,
    tables: &MetadataMap,
    interface: Option<&str>,
    function: &Function,
) -> Procedure {
    let name = snake_case(&function.name);
    let name =
        interface.map_or(name.clone(), |interface| format!("{}/{name}", snake_case(interface)));
    let table = tables.get(&name).cloned().unwrap_or_default();
    let author = table.signature.and_then(|told| serde_json::from_value(told).ok());
    let author =
        author.filter(|author: &AuthorSignature| author.parameters.len() == function.params.len());
    let parameter = |(index, parameter): (usize, &Param)| {
        let author = author.as_ref().map(|author| &author.parameters[index]);
        let name =
            author.map_or_else(|| snake_case(&parameter.name), |author| author.name.to_string());
        let default = table.defaults.get(&name).map(|value| format!(" = {value}"));
        let ty = text(resolve, &parameter.ty, author.map(|author| &author.ty));
        format!("{name}: {ty}{}", default.unwrap_or_default())
    };
    let parameters: Vec<_> = function.params.iter().enumerate().map(parameter).collect();
    let mut signature = format!("({})", parameters.join(", "));
    if let Some(result) = &function.result {
        let author = author.as_ref().and_then(|author| author.result.as_ref());
        signature += &format!(" -> {}", text(resolve, result, author));
    }
    let is_async = matches!(function.kind, FunctionKind::AsyncFreestanding);
    Procedure {
        name: table.name.unwrap_or(name),
        signature,
        description: table.description.or_else(|| function.docs.contents.clone()),
        mode: table.mode.or(is_async.then_some(Mode::Async)),
    }
}

/// A type in WIT's words, and as its author wrote it; one that has a name, by its name.
fn text(resolve: &Resolve, ty: &Type, author: Option<&Known>) -> String {
    let Type::Id(id) = ty else { return plain(ty).to_owned() };
    let definition = &resolve.types[*id];
    if let Some(name) = &definition.name {
        return snake_case(name);
    }
    match &definition.kind {
        TypeDefKind::List(of) => match author {
            Some(Known::Map { key, value }) => {
                let pair = match of {
                    Type::Id(id) => &resolve.types[*id].kind,
                    _ => return "map".to_owned(),
                };
                let TypeDefKind::Tuple(pair) = pair else { return "map".to_owned() };
                let parts = pair.types.iter().zip([&**key, &**value]);
                let parts: Vec<_> =
                    parts.map(|(ty, author)| text(resolve, ty, Some(author))).collect();
                format!("map<{}>", parts.join(", "))
            }
            Some(Known::Set(item)) => format!("set<{}>", text(resolve, of, Some(item))),
            author => {
                format!("list<{}>", text(resolve, of, author.and_then(Known::items)))
            }
        },
        TypeDefKind::Option(of) => {
            let inner = author.and_then(|author| match author {
                Known::Option(inner) => Some(&**inner),
                _ => None,
            });
            format!("option<{}>", text(resolve, of, inner))
        }
        TypeDefKind::Tuple(tuple) => {
            let part = |(index, ty): (usize, &Type)| {
                let part = author.and_then(|author| match author {
                    Known::Tuple(parts) => parts.get(index),
                    _ => None,
                });
                text(resolve, ty, part)
            };
            let types: Vec<_> = tuple.types.iter().enumerate().map(part).collect();
            format!("tuple<{}>", types.join(", "))
        }
        TypeDefKind::Result(result) => {
            let (ok, err) = match author {
                Some(Known::Result { ok, err }) => (ok.as_deref(), err.as_deref()),
                _ => (None, None),
            };
            let side = |ty: &Option<Type>, author| ty.as_ref().map(|ty| text(resolve, ty, author));
            match (side(&result.ok, ok), side(&result.err, err)) {
                (None, None) => "result".into(),
                (Some(ok), None) => format!("result<{ok}>"),
                (None, Some(err)) => format!("result<_, {err}>"),
                (Some(ok), Some(err)) => format!("result<{ok}, {err}>"),
            }
        }
        kind => kind.as_str().to_owned(),
    }
}

fn plain(ty: &Type) -> &'static str {
    match ty {
        Type::Bool => "bool",
        Type::U8 => "u8",
        Type::U16 => "u16",
        Type::U32 => "u32",
        Type::U64 => "u64",
        Type::S8 => "s8",
        Type::S16 => "s16",
        Type::S32 => "s32",
        Type::S64 => "s64",
        Type::F32 => "f32",
        Type::F64 => "f64",
        Type::Char => "char",
        Type::String => "string",
        Type::ErrorContext => "error-context",
        Type::Id(_) => "?",
    }
}
