//! The text of a world.

use std::fmt::{self, Display, Formatter};

use super::names::written;
use super::{Case, Definition, Field, Function, Plain, Shape, Type, Use, World};

impl Display for World {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "package local:{};\n", written(&self.name))?;
        comment(f, "", self.docs.as_deref())?;
        writeln!(f, "world {} {{", written(&self.name))?;
        for import in &self.imports {
            writeln!(f, "  import {import};")?;
        }
        for used in &self.uses {
            let names: Vec<_> = used.names.iter().map(|name| written(name)).collect();
            writeln!(f, "  use {}.{{{}}};", used.from, names.join(", "))?;
        }
        for definition in &self.definitions {
            writeln!(f)?;
            definition.write(f)?;
        }
        for function in &self.functions {
            writeln!(f)?;
            function.write(f)?;
        }
        writeln!(f, "}}")
    }
}

impl World {
    /// The same world, with its types in an interface of their own. For componentize-qjs, which makes
    /// no valid component of a world whose own types speak of one another.
    pub(crate) fn with_types_apart(&self) -> String {
        if self.definitions.is_empty() {
            return self.to_string();
        }
        let interface = format!("{}-types", self.name);
        let names = self.definitions.iter().map(|definition| definition.name.clone()).collect();
        let mut world = Self { definitions: Vec::new(), ..self.clone() };
        world.uses.push(Use { from: interface.clone(), names });
        format!("{world}\n{}", Interface { name: &interface, definitions: &self.definitions })
    }
}

/// An interface of types.
struct Interface<'a> {
    name: &'a str,
    definitions: &'a [Definition],
}

impl Display for Interface<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "interface {} {{", self.name)?;
        for (index, definition) in self.definitions.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            definition.write(f)?;
        }
        writeln!(f, "}}")
    }
}

/// A documentation comment, indented.
fn comment(f: &mut Formatter<'_>, indent: &str, docs: Option<&str>) -> fmt::Result {
    for line in docs.into_iter().flat_map(str::lines) {
        writeln!(f, "{}", format!("{indent}/// {line}").trim_end())?;
    }
    Ok(())
}

impl Definition {
    fn write(&self, f: &mut Formatter<'_>) -> fmt::Result {
        comment(f, "  ", self.docs.as_deref())?;
        let name = written(&self.name);
        match &self.shape {
            Shape::Alias(ty) => return writeln!(f, "  type {name} = {ty};"),
            Shape::Record(fields) => {
                writeln!(f, "  record {name} {{")?;
                for field in fields {
                    comment(f, "    ", field.docs.as_deref())?;
                    writeln!(f, "    {field},")?;
                }
            }
            Shape::Variant(cases) => {
                writeln!(f, "  variant {name} {{")?;
                write_cases(f, cases)?;
            }
            Shape::Enum(cases) => {
                writeln!(f, "  enum {name} {{")?;
                write_cases(f, cases)?;
            }
            Shape::Flags(cases) => {
                writeln!(f, "  flags {name} {{")?;
                write_cases(f, cases)?;
            }
        }
        writeln!(f, "  }}")
    }
}

fn write_cases(f: &mut Formatter<'_>, cases: &[Case]) -> fmt::Result {
    for case in cases {
        comment(f, "    ", case.docs.as_deref())?;
        match &case.ty {
            Some(ty) => writeln!(f, "    {}({ty}),", written(&case.name))?,
            None => writeln!(f, "    {},", written(&case.name))?,
        }
    }
    Ok(())
}

impl Function {
    fn write(&self, f: &mut Formatter<'_>) -> fmt::Result {
        comment(f, "  ", self.docs.as_deref())?;
        let func = if self.is_async { "async func" } else { "func" };
        let parameters: Vec<_> = self.parameters.iter().map(ToString::to_string).collect();
        write!(f, "  export {}: {func}({})", written(&self.name), parameters.join(", "))?;
        if let Some(result) = &self.result {
            write!(f, " -> {result}")?;
        }
        writeln!(f, ";")
    }
}

impl Display for Field {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", written(&self.name), self.ty)
    }
}

impl Display for Type {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(plain) => f.write_str(plain.name()),
            Self::List(of) => write!(f, "list<{of}>"),
            Self::Option(of) => write!(f, "option<{of}>"),
            Self::Tuple(of) => {
                let types: Vec<_> = of.iter().map(ToString::to_string).collect();
                write!(f, "tuple<{}>", types.join(", "))
            }
            Self::Result(None, None) => f.write_str("result"),
            Self::Result(Some(ok), None) => write!(f, "result<{ok}>"),
            Self::Result(None, Some(err)) => write!(f, "result<_, {err}>"),
            Self::Result(Some(ok), Some(err)) => write!(f, "result<{ok}, {err}>"),
            Self::Named(name) => f.write_str(&written(name)),
        }
    }
}

impl Plain {
    fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::S8 => "s8",
            Self::S16 => "s16",
            Self::S32 => "s32",
            Self::S64 => "s64",
            Self::U8 => "u8",
            Self::U16 => "u16",
            Self::U32 => "u32",
            Self::U64 => "u64",
            Self::F32 => "f32",
            Self::F64 => "f64",
            Self::Char => "char",
            Self::String => "string",
        }
    }
}

#[cfg(test)]
mod tests {
    use wit_parser::Resolve;

    use super::*;

    #[test]
    fn a_world_with_everything_is_wit() {
        let field = |name: &str, ty| Field { name: name.into(), ty, docs: Some("A field.".into()) };
        let case = |name: &str, ty| Case { name: name.into(), ty, docs: None };
        let mut world = World::new("my_stats", &[]);
        world.docs = Some("All.\n\nOf it.".into());
        let mut define = |name: &str, shape| world.define(name, None, shape, None);
        let number = Type::Plain(Plain::F64);
        let point = define("record", Shape::Record(vec![field("from", number.clone())]));
        let cases = vec![case("list", Some(Type::list(point.clone()))), case("none", None)];
        let shape = define("shape", Shape::Variant(cases));
        let colour = define("colour", Shape::Enum(vec![case("red", None), case("world", None)]));
        let marks = define("marks", Shape::Flags(vec![case("static", None)]));
        let alias = define("number", Shape::Alias(number));
        let failure = Some(Box::new(Type::Plain(Plain::String)));
        world.functions.push(Function {
            name: "use".into(),
            is_async: true,
            parameters: vec![field("with", Type::Tuple(vec![shape, colour])), field("own", marks)],
            result: Some(Type::Result(Some(Box::new(Type::option(alias))), failure)),
            docs: Some("Uses.".into()),
        });
        let text = world.to_string();
        let mut resolve = Resolve::default();
        if let Err(error) = resolve.push_str("world.wit", &text) {
            panic!("{error:#}\n{text}");
        }
        assert!(text.contains("/// All.\n///\n/// Of it.\nworld my-stats {"), "{text}");
        assert!(
            text.contains("export %use: async func(%with: tuple<shape, colour>, %own: marks) -> result<option<number>, string>;"),
            "{text}"
        );
    }

    #[test]
    fn a_type_is_taken_once_and_another_of_its_name_has_another_one() {
        let mut world = World::new("w", &[]);
        let mut alias =
            |plain| world.define("a", Some("it"), Shape::Alias(Type::Plain(plain)), None);
        let first = alias(Plain::S8);
        assert_eq!(alias(Plain::S8), first);
        assert_eq!((alias(Plain::S16).to_string(), first.to_string()), ("a-it".into(), "a".into()));
        assert_eq!(alias(Plain::S32).to_string(), "a-2");
        assert_eq!(world.definitions.len(), 3);
    }

    #[test]
    fn words_of_wit_are_names_of_worlds() {
        for name in ["list", "world", "record"] {
            let mut world = World::new(name, &[]);
            world.functions.push(Function {
                name: "f".into(),
                is_async: false,
                parameters: Vec::new(),
                result: None,
                docs: None,
            });
            let text = world.to_string();
            let read = Resolve::default().push_str("world.wit", &text).map(drop);
            assert!(read.is_ok(), "{text}: {read:?}");
        }
    }
}
