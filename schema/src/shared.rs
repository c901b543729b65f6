//! The types of our WIT package `tarp:procedure` that procedures take and give. Types of the component model
//! have no names that outlive the build, so they are known by their structure.

use crate::types::{Case, Field, Type};

/// `request` of `wit/web.wit`.
#[must_use]
pub fn request() -> Type {
    record([
        ("method", Type::String),
        ("path", Type::String),
        ("query", pairs()),
        ("headers", pairs()),
        (
            "body",
            variant([
                ("none", None),
                ("json", Some(Type::String)),
                ("form", Some(pairs())),
                ("text", Some(Type::String)),
                ("bytes", Some(bytes())),
            ]),
        ),
    ])
}

/// `response` of `wit/web.wit`.
#[must_use]
pub fn response() -> Type {
    let raw = record([("media_type", Type::String), ("data", bytes())]);
    record([
        ("status", Type::Option(Box::new(Type::U16))),
        (
            "content",
            variant([
                ("json", Some(Type::String)),
                ("text", Some(Type::String)),
                ("bytes", Some(bytes())),
                ("raw", Some(raw)),
            ]),
        ),
    ])
}

/// `failure` of `wit/failures.wit`, whose cases are failures that the host knows.
#[must_use]
pub fn failure() -> Type {
    let busy =
        record([("message", Type::String), ("retry_after", Type::Option(Box::new(Type::U32)))]);
    variant([
        ("operation_in_progress", Some(busy)),
        ("invalid_server_state", Some(Type::String)),
        ("other", Some(Type::String)),
    ])
}

fn pairs() -> Type {
    Type::List(Box::new(Type::Tuple(vec![Type::String, Type::String])))
}

fn bytes() -> Type {
    Type::List(Box::new(Type::U8))
}

fn record<const N: usize>(fields: [(&str, Type); N]) -> Type {
    Type::Record(fields.map(|(name, ty)| Field { name: name.into(), ty }).into())
}

fn variant<const N: usize>(cases: [(&str, Option<Type>); N]) -> Type {
    Type::Variant(cases.map(|(name, ty)| Case { name: name.into(), ty }).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Those in WIT and those above are the same.
    #[test]
    fn the_types_are_those_of_the_wit() {
        let web =
            include_str!("../../wit/web.wit").replace("type pair = tuple<string, string>;", "");
        let failures = include_str!("../../wit/failures.wit");
        let names = |ty: Type| match ty {
            Type::Record(fields) => fields.into_iter().map(|field| field.name).collect::<Vec<_>>(),
            Type::Variant(cases) => cases.into_iter().map(|case| case.name).collect(),
            ty => panic!("{ty}"),
        };
        for (wit, head, separator, ty) in [
            (&*web, "record request {", ": ", request()),
            (&*web, "record response {", ": ", response()),
            (failures, "variant failure {", "(", failure()),
        ] {
            let start = wit.find(head).expect(head);
            let body = &wit[start..start + wit[start..].find("\n  }").expect("its end")];
            let mut position = 0;
            for name in names(ty) {
                let wanted = format!("{}{separator}", name.replace('_', "-"));
                position +=
                    body[position..].find(&wanted).unwrap_or_else(|| panic!("{wanted} in order"));
            }
        }
    }
}
