//! Writes the module as a world in WIT, with its documentation.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use proc_macro2::Ident;

use crate::declared::{self, Case, Declared, Field, Holds, Shape};
use crate::module::Module;
use crate::procedure::Procedure;
use crate::types::{Shared, Type};

/// The package of all worlds that the macro makes; a world is named after its module.
const PACKAGE: &str = "procedures";

/// The WIT package that has the types of the SDK, with its version.
pub(crate) const SHARED_PACKAGE: &str = "tarp:procedure";
pub(crate) const SHARED_VERSION: &str = "0.1.0";

/// The source text: one file, complete but for the package of the SDK.
pub(crate) fn source(module: &Module) -> String {
    let mut text = String::new();
    let name = module.name.source();
    let _ = writeln!(text, "package {PACKAGE}:{name};\n");
    docs(&mut text, "", &module.docs);
    let _ = writeln!(text, "world {name} {{");
    let uses = uses(module);
    for (interface, names) in &uses {
        let names = names.join(", ");
        let _ = writeln!(text, "  use {SHARED_PACKAGE}/{interface}@{SHARED_VERSION}.{{{names}}};");
    }
    let mut blank = !uses.is_empty();
    let writer = Writer { types: &module.types };
    let types = module.types.iter().map(|declared| writer.declared(declared));
    let exports = module.procedures.iter().map(|procedure| writer.export(procedure));
    for item in types.chain(exports) {
        if std::mem::replace(&mut blank, true) {
            text.push('\n');
        }
        text.push_str(&item);
    }
    text.push_str("}\n");
    text
}

/// The names to use from each interface of the SDK.
pub(crate) fn uses(module: &Module) -> BTreeMap<&'static str, Vec<&'static str>> {
    let in_procedures = module.procedures.iter().flat_map(Procedure::types);
    let in_types = module.types.iter().flat_map(Declared::inner);
    let all: Vec<Shared> = in_procedures.chain(in_types).flat_map(Type::shared).collect();
    let mut uses: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (interface, name) in all.into_iter().map(Shared::place) {
        let names = uses.entry(interface).or_default();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    uses.values_mut().for_each(|names| names.sort_unstable());
    uses
}

struct Writer<'a> {
    types: &'a [Declared],
}

impl Writer<'_> {
    fn declared(&self, declared: &Declared) -> String {
        let name = declared.name.source();
        let (keyword, members): (_, Vec<(&str, String)>) = match &declared.shape {
            Shape::Newtype(inner) => {
                let mut text = String::new();
                docs(&mut text, "  ", &declared.docs);
                let _ = writeln!(text, "  type {name} = {};", self.of(inner));
                return text;
            }
            Shape::Record(fields) => ("record", self.fields(fields)),
            Shape::Flags(fields) => (
                "flags",
                fields.iter().map(|flag| (flag.docs.as_str(), flag.name.source())).collect(),
            ),
            Shape::Cases(cases) => {
                let member = |case: &Case| match &case.holds {
                    Holds::Nothing => case.name.source(),
                    Holds::Values(types) => match types.as_slice() {
                        [one] => format!("{}({})", case.name.source(), self.of(one)),
                        several => format!("{}({})", case.name.source(), self.tuple(several)),
                    },
                    Holds::Fields(_, record) => {
                        format!("{}({})", case.name.source(), record.source())
                    }
                };
                let is_enum = cases.iter().all(|case| case.holds.is_nothing());
                let keyword = if is_enum { "enum" } else { "variant" };
                (keyword, cases.iter().map(|case| (case.docs.as_str(), member(case))).collect())
            }
        };
        let mut text = String::new();
        if let Shape::Cases(cases) = &declared.shape {
            for case in cases {
                if let Holds::Fields(fields, record) = &case.holds {
                    text += &block("record", &record.source(), "", self.fields(fields));
                    text.push('\n');
                }
            }
        }
        text += &block(keyword, &name, &declared.docs, members);
        text
    }

    fn fields<'f>(&self, fields: &'f [Field]) -> Vec<(&'f str, String)> {
        let member = |field: &Field| format!("{}: {}", field.name.source(), self.of(&field.of));
        fields.iter().map(|field| (field.docs.as_str(), member(field))).collect()
    }

    fn export(&self, procedure: &Procedure) -> String {
        let mut text = String::new();
        docs(&mut text, "  ", &procedure.docs);
        let parameter = |(name, of): (String, &Type)| format!("{name}: {}", self.of(of));
        let parameters =
            procedure.parameters().map(|parameter| (parameter.name.source(), &parameter.of));
        let parameters: Vec<_> = parameters.map(parameter).collect();
        let result =
            procedure.exported.as_ref().map_or(String::new(), |of| format!(" -> {}", self.of(of)));
        let asynchronous = if procedure.is_async { "async " } else { "" };
        let _ = writeln!(
            text,
            "  export {}: {asynchronous}func({}){result};",
            procedure.name.source(),
            parameters.join(", ")
        );
        text
    }

    fn of(&self, of: &Type) -> String {
        match of {
            Type::Primitive { wit, .. } => (*wit).into(),
            Type::Size { signed } => if *signed { "s64" } else { "u64" }.into(),
            Type::String | Type::StaticStr | Type::Displayed(_) => "string".into(),
            Type::List(inner) | Type::Array(inner, _) | Type::Set(inner) => {
                format!("list<{}>", self.of(inner))
            }
            Type::Option(inner) => format!("option<{}>", self.of(inner)),
            Type::Result(None, None) => "result".into(),
            Type::Result(Some(ok), None) => format!("result<{}>", self.of(ok)),
            Type::Result(None, Some(error)) => format!("result<_, {}>", self.of(error)),
            Type::Result(Some(ok), Some(error)) => {
                format!("result<{}, {}>", self.of(ok), self.of(error))
            }
            Type::Tuple(types) => self.tuple(types),
            Type::Map(pair) => format!("list<tuple<{}, {}>>", self.of(&pair.0), self.of(&pair.1)),
            Type::Declared(ident) => self.find(ident).name.source(),
            Type::Shared(shared) => shared.place().1.into(),
        }
    }

    fn tuple(&self, types: &[Type]) -> String {
        format!("tuple<{}>", types.iter().map(|of| self.of(of)).collect::<Vec<_>>().join(", "))
    }

    fn find(&self, ident: &Ident) -> &Declared {
        declared::find(self.types, ident)
    }
}

/// A type of WIT with members.
fn block(keyword: &str, name: &str, about: &str, members: Vec<(&str, String)>) -> String {
    let mut text = String::new();
    docs(&mut text, "  ", about);
    let _ = writeln!(text, "  {keyword} {name} {{");
    for (about, member) in members {
        docs(&mut text, "    ", about);
        let _ = writeln!(text, "    {member},");
    }
    text.push_str("  }\n");
    text
}

fn docs(text: &mut String, indent: &str, docs: &str) {
    for line in docs.lines() {
        let _ = writeln!(text, "{}", format!("{indent}/// {line}").trim_end());
    }
}
