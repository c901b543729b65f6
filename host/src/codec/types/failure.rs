//! The failures that a procedure declares by `result<T, E>`.

use tarp_schema::shared::failure;

use super::present::present;
use super::signature::Type;
use super::typed::Typed;
use crate::error::{CallError, ErrorKind};
use crate::value::Value;

/// The failure that a procedure returned as its error `payload`, which has the type `ty`.
pub fn declared_failure(procedure: &str, payload: Option<Typed>, ty: Option<&Type>) -> CallError {
    let (Some(payload), Some(ty)) = (payload, ty) else {
        return CallError::new(
            ErrorKind::ProcedureError,
            format!("`{procedure}` failed without saying why"),
        );
    };
    let value = present(payload, ty);
    if *ty == failure()
        && let Some(error) = known_failure(&value)
    {
        return error;
    }
    let message = match &value {
        Value::Text(text) => text.to_string(),
        other => format!("`{procedure}` failed: {}", crate::codec::json::to_string(other)),
    };
    CallError::new(ErrorKind::ProcedureError, message).with_value(value)
}

fn known_failure(value: &Value) -> Option<CallError> {
    let Value::Map(case) = value else { return None };
    let (Value::Text(case), payload) = case.first()? else { return None };
    let text =
        |value: &Value| if let Value::Text(text) = value { Some(text.to_string()) } else { None };
    Some(match &**case {
        "operation_in_progress" => {
            let Value::Map(fields) = payload else { return None };
            let error = CallError::new(ErrorKind::OperationInProgress, text(&fields.first()?.1)?);
            match fields.get(1)?.1 {
                Value::Int(seconds) => error.retry_after(u32::try_from(seconds).ok()?),
                _ => error,
            }
        }
        "invalid_server_state" => CallError::new(ErrorKind::InvalidServerState, text(payload)?),
        _ => CallError::new(ErrorKind::ProcedureError, text(payload)?),
    })
}
