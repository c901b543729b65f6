//! The types of a world as the host will know them by its WIT alone.

use tarp_schema::procedure::AuthorSignature;
use tarp_schema::types::{Case as KnownCase, Field as KnownField, Type as Known};
use tarp_schema::{shared, snake_case};

use super::{Case, Field, Function, Plain, Shape, Type, World};

impl World {
    /// What a function takes and returns.
    pub(crate) fn signature(&self, function: &Function) -> AuthorSignature {
        AuthorSignature {
            parameters: self.fields(&function.parameters),
            result: function.result.as_ref().map(|ty| self.known(ty)),
        }
    }

    /// A type with all that it is made of.
    fn known(&self, ty: &Type) -> Known {
        let boxed = |ty: &Type| Box::new(self.known(ty));
        match ty {
            Type::Plain(plain) => plain.known(),
            Type::List(of) => Known::List(boxed(of)),
            Type::Tuple(of) => Known::Tuple(of.iter().map(|ty| self.known(ty)).collect()),
            Type::Option(of) => Known::Option(boxed(of)),
            Type::Result(ok, err) => {
                Known::Result { ok: ok.as_deref().map(boxed), err: err.as_deref().map(boxed) }
            }
            Type::Named(name) => self.named(name),
        }
    }

    fn named(&self, name: &str) -> Known {
        let names = |cases: &[Case]| {
            cases.iter().map(|case| snake_case(&case.name).into()).collect::<Vec<_>>()
        };
        match self.definitions.iter().find(|definition| definition.name == name) {
            Some(definition) => match &definition.shape {
                Shape::Record(fields) => Known::Record(self.fields(fields)),
                Shape::Variant(cases) => {
                    let case = |case: &Case| KnownCase {
                        name: snake_case(&case.name).into(),
                        ty: case.ty.as_ref().map(|ty| self.known(ty)),
                    };
                    Known::Variant(cases.iter().map(case).collect())
                }
                Shape::Enum(cases) => Known::Enum(names(cases)),
                Shape::Flags(cases) => Known::Flags(names(cases)),
                Shape::Alias(of) => self.known(of),
            },
            // The others are used from `tarp:procedure`.
            None if name == "request" => shared::request(),
            None => shared::response(),
        }
    }

    fn fields(&self, fields: &[Field]) -> Vec<KnownField> {
        let field = |field: &Field| KnownField {
            name: snake_case(&field.name).into(),
            ty: self.known(&field.ty),
        };
        fields.iter().map(field).collect()
    }
}

impl Plain {
    /// As the host knows it.
    pub(crate) fn known(self) -> Known {
        match self {
            Self::Bool => Known::Bool,
            Self::S8 => Known::S8,
            Self::S16 => Known::S16,
            Self::S32 => Known::S32,
            Self::S64 => Known::S64,
            Self::U8 => Known::U8,
            Self::U16 => Known::U16,
            Self::U32 => Known::U32,
            Self::U64 => Known::U64,
            Self::F32 => Known::F32,
            Self::F64 => Known::F64,
            Self::Char => Known::Char,
            Self::String => Known::String,
        }
    }
}
