//! What the operations share: failures by status, the receipt in the headers, the headers that make a
//! job of a call.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::json::{object, shared};
use super::schema::shared_schemas;
use crate::error::ErrorKind;
use crate::front::jobs::IDEMPOTENCY_KEY;
use crate::front::response;

/// The schemas of all records of the host's own pages.
pub(super) const OWN_SCHEMAS: &str = include_str!("own_schemas.json");

/// The statuses with which a call may fail.
pub(super) const CALL_FAILURES: &[u16] =
    &[400, 403, 404, 406, 408, 409, 410, 413, 415, 429, 500, 503, 504, 507];

/// Of those, the ones that only come where jobs are kept.
const OF_JOBS: [u16; 3] = [409, 410, 507];

/// Refusals that come before anybody looks at what is asked for, and have no body.
const UNSEEN: [(u16, &str); 2] =
    [(414, "The address is longer than 64 KiB."), (431, "The headers are larger than 128 KiB.")];

/// The responses of an operation that may fail with these statuses.
pub(super) fn failures(statuses: &[u16], keeps_jobs: bool) -> Map<String, Value> {
    let unseen = UNSEEN.iter().map(|(status, _)| status);
    let can_be = |status: &&u16| keeps_jobs || !OF_JOBS.contains(status);
    let statuses = statuses.iter().chain(unseen).filter(can_be);
    statuses
        .map(|status| (status.to_string(), shared("responses", &format!("Failure{status}"))))
        .collect()
}

/// The response of a failure with this status.
pub(super) fn failure_response(status: StatusCode) -> Value {
    let unseen = UNSEEN.into_iter().find(|(unseen, _)| status == *unseen);
    unseen.map_or_else(
        || response_of(status),
        |(_, description)| json!({ "description": description }),
    )
}

/// The headers of every reply of a call.
pub(super) fn receipt_headers() -> Value {
    object(RECEIPT.map(|(name, component, _)| (name.to_owned(), shared("headers", component))))
}

const RECEIPT: [(&str, &str, &str); 5] = [
    (
        "x-tarp-catalog",
        "Catalog",
        "The version of the catalog; it differs when a procedure was added, removed or changed.",
    ),
    ("x-tarp-fuel", "Fuel", "Units of fuel that the call used: about one for each instruction."),
    ("x-tarp-peak-memory", "PeakMemory", "Bytes of memory that the call used at the most."),
    ("x-tarp-instantiate-us", "InstantiateUs", "Microseconds until the instance was ready."),
    ("x-tarp-run-us", "RunUs", "Microseconds from then until the call ended."),
];

pub(super) fn components(keeps_jobs: bool) -> Value {
    let mut schemas = shared_schemas();
    let own: Map<String, Value> = serde_json::from_str(OWN_SCHEMAS).unwrap_or_default();
    schemas.extend(own);
    schemas.insert("Stdout".into(), printed("What the procedure wrote to standard output."));
    schemas.insert("Stderr".into(), printed("What the procedure wrote to standard error."));
    schemas.insert("Failure".into(), failure());
    let mut responses = Map::new();
    for status in statuses() {
        schemas.insert(format!("Failure{}", status.as_u16()), failure_of(status));
        responses.insert(format!("Failure{}", status.as_u16()), response_of(status));
    }
    for (status, description) in UNSEEN {
        responses.insert(format!("Failure{status}"), json!({ "description": description }));
    }
    let mut components = json!({
        "schemas": schemas,
        "headers": headers(),
    });
    components["parameters"] = parameters(keeps_jobs);
    if keeps_jobs {
        responses.insert("Accepted".into(), accepted(&shared("schemas", "Job")));
    }
    components["responses"] = Value::Object(responses);
    components
}

/// Every status that some failure has.
fn statuses() -> Vec<StatusCode> {
    let mut statuses = ErrorKind::ALL.map(response::status).to_vec();
    statuses.sort_unstable();
    statuses.dedup();
    statuses
}

fn printed(description: &str) -> Value {
    json!({"type": "string", "description": description})
}

fn failure() -> Value {
    json!({
        "type": "object",
        "description": "What is told of a failure.",
        "properties": {
            "status": {"const": "error"},
            "type": {"type": "string", "enum": ErrorKind::ALL.map(ErrorKind::name)},
            "message": {"type": "string", "description": "The culprit, the expectation and, where there is one, the cure."},
            "value": {"description": "The error that the procedure returned."},
            "backtrace": {"type": "string", "description": "Where in the guest it happened, innermost frame first."},
            "stdout": shared("schemas", "Stdout"),
            "stderr": shared("schemas", "Stderr"),
        },
        "required": ["status", "type", "message"],
    })
}

fn failure_of(status: StatusCode) -> Value {
    let kinds = ErrorKind::ALL.into_iter().filter(|kind| response::status(*kind) == status);
    let kinds: Vec<_> = kinds.map(ErrorKind::name).collect();
    json!({"allOf": [shared("schemas", "Failure"), {"properties": {"type": {"enum": kinds}}}]})
}

fn response_of(status: StatusCode) -> Value {
    let schema = shared("schemas", &format!("Failure{}", status.as_u16()));
    let mut response = json!({
        "description": description(status),
        "content": {"application/json": {"schema": schema}},
    });
    if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
        response["headers"] = json!({"Retry-After": shared("headers", "RetryAfter")});
    }
    response
}

fn description(status: StatusCode) -> &'static str {
    match status.as_u16() {
        400 => "The request cannot be read, or the arguments do not fit.",
        401 => "There is no token, or one that is not valid.",
        403 => "The host does not answer to that name, or a page of another site asks.",
        404 => "There is nothing of that name.",
        405 => "The address does not answer to that method.",
        406 => "The result has none of the forms that `Accept` names.",
        408 => "The request's body came too slowly.",
        409 => {
            "It contradicts what is there: the idempotency key came before with another request, the job was cancelled, or another file has that name."
        }
        410 => "The job was removed, or ended so long ago that nothing is kept of it.",
        412 => "Another version is served than the one that the request is about.",
        413 => "The request or the result is over its limit.",
        415 => "The body is of a type or an encoding that is not taken for these arguments.",
        429 => "The caller has used up what it may do for now.",
        500 => "The call failed: the procedure returned its error, trapped, or used up a limit.",
        503 => "Not now: every place is taken, the host is loading, or the procedure is busy.",
        504 => "The time for the call was up.",
        507 => "There is no room to store it.",
        _ => "The request failed.",
    }
}

fn headers() -> Value {
    let receipt = RECEIPT.map(|(_, component, description)| {
        let ty = if component == "Catalog" { "string" } else { "integer" };
        (component.to_owned(), json!({"description": description, "schema": {"type": ty}}))
    });
    let retry_after = json!({"description": "Seconds after which to try again.", "schema": {"type": "integer", "minimum": 0}});
    let etag = json!({"description": "Changes with the content.", "schema": {"type": "string"}});
    object(
        receipt
            .into_iter()
            .chain([("RetryAfter".to_owned(), retry_after), ("ETag".to_owned(), etag)]),
    )
}

fn parameters(keeps_jobs: bool) -> Value {
    let mut parameters = if keeps_jobs { parameters_of_jobs() } else { json!({}) };
    let (preferences, job) = if keeps_jobs {
        (vec!["output", "respond-async"], "`respond-async` makes a job of the call, ")
    } else {
        (vec!["output"], "")
    };
    parameters["Prefer"] = json!({
        "name": "Prefer", "in": "header", "required": false,
        "description": format!("{job}`output` has what the procedure printed put into the envelope of its result (RFC 7240); other preferences are ignored."),
        // By their RFCs, whatever else this and `Priority` say is ignored and not refused.
        "schema": {"anyOf": [{"type": "string", "enum": preferences}, {"type": "string"}]},
    });
    parameters
}

fn parameters_of_jobs() -> Value {
    json!({
        "IdempotencyKey": {
            "name": "Idempotency-Key", "in": "header", "required": false,
            "description": "Makes the request repeatable for 24 hours: with the same key and the same request it runs once, and is answered with what came of it.",
            "schema": {"type": "string", "pattern": IDEMPOTENCY_KEY},
        },
        "Priority": {
            "name": "Priority", "in": "header", "required": false,
            "description": "Whose turn is first (RFC 9218): `u=0` is urgent, `u=7` has time; what is no urgency is ignored.",
            "schema": {"type": "string"},
        },
        "Digest": {
            "name": "X-Tarp-Digest", "in": "header", "required": false,
            "description": "The version of the procedure that is to run, as its `digest` is listed. Another one is refused with 409; a job waits until this one is there.",
            "schema": {"type": "string"},
        },
        "JobId": {
            "name": "id", "in": "path", "required": true,
            "description": "The handle of the job.",
            "schema": {"type": "string", "format": "uuid"},
        },
        "JobUuid": {
            "name": "UUID", "in": "query", "required": true,
            "description": "The handle of the job.",
            "schema": {"type": "string", "format": "uuid"},
        },
    })
}

/// The reply to a call that has become a job.
pub(super) fn accepted(job: &Value) -> Value {
    json!({
        "description": "The call is a job now.",
        "headers": {
            "Location": {"description": "Where the job is.", "schema": {"type": "string", "format": "uri-reference"}},
            "Preference-Applied": {"schema": {"const": "respond-async"}},
        },
        "content": {"application/json": {"schema": job}},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_of_a_failure_has_words_of_its_own() {
        for status in statuses() {
            assert_ne!(description(status), "The request failed.", "{status}");
        }
    }

    #[test]
    fn the_types_of_a_failure_are_those_of_its_status() {
        let types = &failure_of(StatusCode::BAD_REQUEST)["allOf"][1]["properties"]["type"]["enum"];
        assert_eq!(*types, json!(["BadRequest", "BadArguments"]));
    }

    #[test]
    fn the_schemas_of_the_host_s_own_records_are_json() {
        let own: Map<String, Value> = serde_json::from_str(OWN_SCHEMAS).unwrap();
        assert!(own.contains_key("Job"));
    }
}
