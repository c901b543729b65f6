//! What WIT cannot say about procedures, as the host reads it from the section `tarp:procedures`.

use tarp_schema::procedure::{AuthorSignature, MetadataMap, Mode, ProcedureMetadata, to_record};
use tarp_schema::shared;
use tarp_schema::types::{Case as KnownCase, Field as KnownField, Type as Known};

use crate::declared::{self, Case, Holds, Shape};
use crate::module::Module;
use crate::names::Name;
use crate::procedure::Procedure;
use crate::types::{Shared, Type};

/// The JSON text of the section; none where there is nothing to say.
pub(crate) fn text(module: &Module) -> Option<String> {
    let entry = |procedure: &Procedure| (procedure.name.wit_snake(), metadata(procedure, module));
    to_record(module.procedures.iter().map(entry).collect::<MetadataMap>())
}

fn metadata(procedure: &Procedure, module: &Module) -> ProcedureMetadata {
    let options = &procedure.options;
    let is_async = options.asynchronous.is_some() || procedure.is_async;
    let defaults = procedure.parameters().filter_map(|parameter| {
        let value = parameter.default.clone()?;
        Some((parameter.name.author().to_owned(), value))
    });
    let mut metadata = ProcedureMetadata {
        mode: is_async.then_some(Mode::Async),
        suggested_wait: options.suggested_wait.map(|(seconds, _)| seconds),
        methods: options.methods.as_ref().map(|(methods, _)| methods.clone()),
        aliases: options.aliases.as_ref().map(|(aliases, _)| aliases.clone()).unwrap_or_default(),
        arrays: options.arrays.map(|(arrays, _)| arrays),
        defaults: defaults.collect(),
        ..ProcedureMetadata::default()
    };
    let author = View { module, side: Side::Author }.signature(procedure);
    let carrier = View { module, side: Side::Wit }.signature(procedure);
    let names = (procedure.name.author(), &*procedure.name.wit_snake());
    metadata.set_author(names, &author, &carrier);
    metadata
}

/// Whose names types have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Author,
    /// What the host sees of the component alone.
    Wit,
}

/// The types of a module as the host knows them.
struct View<'a> {
    module: &'a Module,
    side: Side,
}

impl View<'_> {
    fn signature(&self, procedure: &Procedure) -> AuthorSignature {
        let parameters = procedure.parameters();
        let parameters =
            parameters.map(|parameter| self.field(&parameter.name, &parameter.of)).collect();
        AuthorSignature { parameters, result: procedure.exported.as_ref().map(|of| self.known(of)) }
    }

    fn name(&self, name: &Name) -> std::sync::Arc<str> {
        match self.side {
            Side::Author => name.author().into(),
            Side::Wit => name.wit_snake().into(),
        }
    }

    fn field(&self, name: &Name, of: &Type) -> KnownField {
        KnownField { name: self.name(name), ty: self.known(of) }
    }

    fn known(&self, of: &Type) -> Known {
        let boxed = |of: &Type| Box::new(self.known(of));
        match of {
            Type::Primitive { wit, .. } => primitive(wit),
            Type::Size { signed } => {
                if *signed {
                    Known::S64
                } else {
                    Known::U64
                }
            }
            Type::String | Type::StaticStr | Type::Displayed(_) => Known::String,
            Type::List(inner) | Type::Array(inner, _) => Known::List(boxed(inner)),
            Type::Set(inner) => {
                let inner = boxed(inner);
                if self.side == Side::Author && inner.is_member() {
                    return Known::Set(inner);
                }
                Known::List(inner)
            }
            Type::Option(inner) => Known::Option(boxed(inner)),
            Type::Result(ok, error) => {
                Known::Result { ok: ok.as_deref().map(boxed), err: error.as_deref().map(boxed) }
            }
            Type::Tuple(types) => self.tuple(types),
            Type::Map(pair) => {
                let (key, value) = (self.known(&pair.0), self.known(&pair.1));
                if self.side == Side::Author && key.is_key() {
                    return Known::Map { key: Box::new(key), value: Box::new(value) };
                }
                Known::List(Box::new(Known::Tuple(vec![key, value])))
            }
            Type::Declared(ident) => self.shape(&declared::find(&self.module.types, ident).shape),
            Type::Shared(Shared::Failure) => shared::failure(),
            Type::Shared(Shared::Request) => shared::request(),
            Type::Shared(Shared::Response) => shared::response(),
        }
    }

    fn shape(&self, shape: &Shape) -> Known {
        match shape {
            Shape::Newtype(inner) => self.known(inner),
            Shape::Record(fields) => {
                Known::Record(fields.iter().map(|it| self.field(&it.name, &it.of)).collect())
            }
            Shape::Flags(fields) => {
                Known::Flags(fields.iter().map(|field| self.name(&field.name)).collect())
            }
            Shape::Cases(cases) if cases.iter().all(|case| case.holds.is_nothing()) => {
                Known::Enum(cases.iter().map(|case| self.name(&case.name)).collect())
            }
            Shape::Cases(cases) => Known::Variant(cases.iter().map(|it| self.case(it)).collect()),
        }
    }

    fn case(&self, case: &Case) -> KnownCase {
        let ty = match &case.holds {
            Holds::Nothing => None,
            Holds::Values(types) => match types.as_slice() {
                [one] => Some(self.known(one)),
                several => Some(self.tuple(several)),
            },
            Holds::Fields(fields, _) => {
                Some(Known::Record(fields.iter().map(|it| self.field(&it.name, &it.of)).collect()))
            }
        };
        KnownCase { name: self.name(&case.name), ty }
    }

    fn tuple(&self, types: &[Type]) -> Known {
        Known::Tuple(types.iter().map(|of| self.known(of)).collect())
    }
}

/// A type that WIT and the host have one word for.
fn primitive(word: &str) -> Known {
    serde_json::from_value(word.into()).expect("the host knows the types of WIT")
}
