//! The types of `wit/web.wit`, by which a web procedure is known: types of the component model have
//! no names that outlive the build, so it is their structure that counts.

use super::signature::{Case, Field, Signature, Type};

/// Whether this is the signature of a web procedure: from a `request` to a `response`, or to a
/// `result` of one.
pub fn is_web(signature: &Signature) -> bool {
    let [parameter] = signature.parameters.as_slice() else { return false };
    let response = match &signature.result {
        Some(Type::Result { ok: Some(ok), .. }) => ok,
        Some(ty) => ty,
        None => return false,
    };
    parameter.ty == request() && *response == self::response()
}

fn request() -> Type {
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

fn response() -> Type {
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
    use crate::codec::types::Parameter;

    fn signature(parameter: Type, result: Type) -> Signature {
        let parameters = vec![Parameter { name: "anything".into(), ty: parameter, default: None }];
        Signature { parameters, result: Some(result), is_async: false }
    }

    #[test]
    fn a_web_procedure_answers_a_request_with_a_response() {
        assert!(is_web(&signature(request(), response())));
        let (ok, err) = (Some(Box::new(response())), Some(Box::new(Type::String)));
        let fallible = Type::Result { ok, err };
        assert!(is_web(&signature(request(), fallible)));
        assert!(!is_web(&signature(request(), Type::String)));
        assert!(!is_web(&signature(response(), response())));
    }

    /// Those in `wit/web.wit` and those above are the same.
    #[test]
    fn the_types_are_those_of_the_wit() {
        let wit = include_str!("../../../../wit/web.wit")
            .replace("type pair = tuple<string, string>;", "");
        for (name, ty) in [("request", request()), ("response", response())] {
            let Type::Record(fields) = ty else { unreachable!() };
            let start = wit.find(&format!("record {name} {{")).expect(name);
            let body = &wit[start..start + wit[start..].find("\n  }").expect("its end")];
            let mut position = 0;
            for field in fields {
                let wanted = format!("{}: ", field.name.replace('_', "-"));
                position +=
                    body[position..].find(&wanted).unwrap_or_else(|| panic!("{wanted} in order"));
            }
        }
    }
}
