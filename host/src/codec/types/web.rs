//! The types by which a web procedure is known.

use tarp_schema::shared::{request, response};

use super::signature::{Signature, Type};

/// Whether this is the signature of a web procedure: from a `request` to a `response`, or to a
/// `result` of one.
pub fn is_web(signature: &Signature) -> bool {
    let [parameter] = signature.parameters.as_slice() else { return false };
    let answer = match &signature.result {
        Some(Type::Result { ok: Some(ok), .. }) => &**ok,
        Some(ty) => ty,
        None => return false,
    };
    parameter.ty == request() && *answer == response()
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
}
