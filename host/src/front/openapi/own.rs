//! The host's own pages: what it serves, how it is, its jobs, and the original protocol's handles.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::components::{failure_response, failures, receipt_headers};
use super::json::shared;
use crate::front::jobs::{CURSOR, LARGEST_PAGE, PAGE};
use crate::front::media::{PICKLE, VALUE};
use crate::metrics;

/// The tag of what is about the host.
pub(super) const HOST: &str = "host";

/// The tag of what is about jobs.
pub(super) const JOBS: &str = "jobs";

/// What any page may refuse.
const FAILURES: &[u16] = &[400, 403, 429, 500];

/// What a page about one job may refuse.
const JOB_FAILURES: &[u16] = &[400, 403, 404, 410, 429, 500, 503];

/// What came of a job may be any failure of a call.
const OUTCOME_FAILURES: &[u16] = &[400, 403, 404, 406, 409, 410, 413, 429, 500, 503, 504, 507];

/// All pages, by their path.
pub(super) fn paths(keeps_jobs: bool) -> Map<String, Value> {
    let mut paths = Map::new();
    let mut add = |path: &str, item: Value| paths.insert(path.to_owned(), item);
    add("/", listing());
    add(
        "/-/procedures",
        tagged("getCatalog", "The catalog, with types.", &shared("schemas", "Procedures")),
    );
    add("/-/openapi.json", tagged("getOpenapi", "This document.", &json!({"type": "object"})));
    add(
        "/-/health",
        health("getHealth", "Whether the host is alive and ready, and some more.", "Health"),
    );
    add("/-/health/live", reading("getLiveness", "Whether the host is alive.", "Liveness"));
    add("/-/health/ready", health("getReadiness", "Whether everything is loaded.", "Readiness"));
    add("/-/metrics", metrics());
    add(
        "/-/overview",
        reading("getOverview", "The last ten minutes, and everything since the start.", "Overview"),
    );
    let about = "Server-sent events: `catalog` with `{\"version\": …}` at first and whenever the catalog has changed, `jobs` at most once a second when some job has changed.";
    add(
        "/-/events",
        json!({"get": events("followHost", HOST, "What changes, as it changes.", about, FAILURES)}),
    );
    add("/-/session", session());
    add("/-/components", reading("listComponents", "The files that are served.", "Components"));
    add("/-/components/{name}", component());
    add("/-/components/{name}/rollback", rollback());
    add("/-/client/", client_page());
    add("/-/client/{name}", client_wheel());
    if keeps_jobs {
        add("/-/jobs", list_jobs());
        add("/-/jobs/counts", count_jobs());
        add("/-/jobs/{id}", one_job());
        add("/-/jobs/{id}/result", job_result());
        add("/-/jobs/{id}/arguments", job_arguments());
        add(
            "/-/jobs/{id}/logs",
            with_id(&job(
                "getJobLogs",
                "What the guest wrote and logged, so far or at all.",
                "Logs",
            )),
        );
        let about = "Server-sent events: `state` with the job, `progress`, `log`. `Last-Event-ID` goes on where one left off; after the last event there is nothing to come: 204.";
        let mut follow =
            events("followJob", JOBS, "A job's events, as they come.", about, JOB_FAILURES);
        follow["responses"]["204"] =
            json!({"description": "The job has ended, and the caller has seen all of it."});
        add("/-/jobs/{id}/events", with_id(&follow));
        add("/asyncProbe", probe());
        add("/asyncGet", async_get());
    }
    paths
}

fn operation(id: &str, tag: &str, summary: &str, success: Value, fails: &[u16]) -> Value {
    let mut responses = failures(fails, true);
    responses.insert("200".into(), success);
    json!({"operationId": id, "tags": [tag], "summary": summary, "responses": responses})
}

fn json_content(schema: &Value) -> Value {
    json!({"description": "So it is.", "content": {"application/json": {"schema": schema}}})
}

fn reading(id: &str, summary: &str, schema: &str) -> Value {
    json!({"get": operation(id, HOST, summary, json_content(&shared("schemas", schema)), FAILURES)})
}

/// A listing for programs, and the console for people.
fn listing() -> Value {
    let summary =
        "What there is to call, as the original client discovers it; for a browser, the console.";
    let mut item = reading("listProcedures", summary, "Listing");
    let responses = &mut item["get"]["responses"];
    responses["200"]["content"]["text/html"] = json!({});
    responses["304"] = json!({"description": "The console is the one that `If-None-Match` names."});
    item
}

fn tagged(id: &str, summary: &str, schema: &Value) -> Value {
    let mut success = json_content(schema);
    success["headers"] = json!({"ETag": shared("headers", "ETag")});
    let mut get = operation(id, HOST, summary, success, FAILURES);
    get["responses"]["304"] = json!({"description": "It is the one that `If-None-Match` names."});
    get["parameters"] = json!([{
        "name": "If-None-Match", "in": "header", "required": false,
        "description": "The `ETag` of the content that the caller has.",
        "schema": {"type": "string"},
    }]);
    json!({ "get": get })
}

fn health(id: &str, summary: &str, schema: &str) -> Value {
    let mut get = operation(id, HOST, summary, json_content(&shared("schemas", schema)), FAILURES);
    let mut not_ready = json_content(&shared("schemas", schema));
    not_ready["description"] = "It is loading, or about to stop.".into();
    get["responses"]["503"] = not_ready;
    json!({ "get": get })
}

fn metrics() -> Value {
    let media_type = metrics::CONTENT_TYPE.split(';').next().unwrap_or_default();
    let success = json!({
        "description": "Everything that is counted, in Prometheus' text format.",
        "content": {media_type: {"schema": {"type": "string"}}},
    });
    json!({"get": operation("getMetrics", HOST, "For Prometheus.", success, FAILURES)})
}

/// Who is logged in; of interest to pages in a browser.
fn session() -> Value {
    let with_cookie = |description: &str| {
        let mut success = json_content(&shared("schemas", "Session"));
        success["headers"] = json!({"Set-Cookie": {
            "description": description, "required": false, "schema": {"type": "string"},
        }});
        success
    };
    let mut item = reading("getSession", "Who makes this request.", "Session");
    let summary = "Has a browser keep the token of this request in a cookie.";
    let kept = with_cookie("The token, where the host asks for tokens.");
    item["post"] = operation("logIn", HOST, summary, kept, FAILURES);
    let forgotten = with_cookie("What ends the cookie.");
    item["delete"] =
        operation("logOut", HOST, "Has a browser forget the token.", forgotten, FAILURES);
    item
}

/// What a change of the folder may refuse.
const CHANGE_FAILURES: &[u16] = &[400, 403, 404, 409, 412, 500, 503, 507];

/// A file that is served, and how it is changed.
fn component() -> Value {
    let shows = |schema: &str, description: &str| {
        let mut success = json_content(&shared("schemas", schema));
        success["description"] = description.into();
        success["headers"] = json!({"ETag": shared("headers", "ETag")});
        success
    };
    let found = json_content(&shared("schemas", "Component"));
    let mut get =
        operation("getComponent", HOST, "A file, and its versions.", found, &[400, 403, 404, 500]);
    get["responses"]["200"]["headers"] = json!({"ETag": {"description": "The version, where one is served.", "schema": {"type": "string"}}});
    let fails = [CHANGE_FAILURES, &[408, 413, 415]].concat();
    let replaced = shows("Deployed", "It is served in place of another version.");
    let summary = "Puts a component into the folder, if it can be served.";
    let mut put = operation("deployComponent", HOST, summary, replaced, &fails);
    put["responses"]["201"] = shows("Deployed", "It is served, and none of its name was before.");
    put["parameters"] = json!([if_match(), {
        "name": "If-None-Match", "in": "header", "required": false,
        "description": "That there must be no component of this name.",
        "schema": {"const": "*"},
    }]);
    put["requestBody"] = json!({"required": true, "content": {
        "application/wasm": {},
        "multipart/form-data": {"schema": {
            "type": "object",
            "description": "Component and sidecar together; the one that is left out stays as it is, and an empty sidecar is removed.",
            "properties": {
                "component": {"type": "string", "contentMediaType": "application/wasm"},
                "sidecar": {"type": "string", "contentMediaType": "application/toml"},
            },
        }},
    }});
    let removed = json_content(&shared("schemas", "Component"));
    let mut delete =
        operation("removeComponent", HOST, "Removes a component.", removed, CHANGE_FAILURES);
    delete["parameters"] = json!([if_match()]);
    json!({"parameters": [component_name()], "get": get, "put": put, "delete": delete})
}

fn rollback() -> Value {
    let mut success = json_content(&shared("schemas", "Deployed"));
    success["headers"] = json!({"ETag": shared("headers", "ETag")});
    let summary = "Returns to a version that is kept: the one before, or the one that is named.";
    let mut post = operation("rollBackComponent", HOST, summary, success.clone(), CHANGE_FAILURES);
    success["description"] = "It is served, and none of its name was before.".into();
    post["responses"]["201"] = success;
    post["parameters"] = json!([if_match(), {
        "name": "to", "in": "query", "required": false,
        "description": "The version to return to: its tag, its digest, or eight digits or more of the beginning of that.",
        "schema": {"type": "string"},
    }]);
    json!({"parameters": [component_name()], "post": post})
}

fn component_name() -> Value {
    json!({
        "name": "name", "in": "path", "required": true,
        "description": "The name of the file, with or without `.wasm`.",
        "schema": {"type": "string"},
    })
}

fn if_match() -> Value {
    json!({
        "name": "If-Match", "in": "header", "required": false,
        "description": "The version that must be served: the digest of the component, or its `ETag`, in quotes; `*` for any.",
        "schema": {"type": "string", "pattern": r#"^(\*|(W/)?"[^",]*"( *, *(W/)?"[^",]*")*)$"#},
    })
}

fn client_page() -> Value {
    let success = json!({
        "description": "A page with a link to the wheel, as package indexes have it.",
        "content": {"text/html": {"schema": {"type": "string"}}},
    });
    let summary = "Where the Python client can be installed from.";
    json!({"get": operation("getClientPage", HOST, summary, success, FAILURES)})
}

fn client_wheel() -> Value {
    let success = json!({"description": "The wheel.", "content": {"application/octet-stream": {}}});
    let summary = "The Python client, for `pip install`.";
    let mut get = operation("getClient", HOST, summary, success, &[400, 403, 404, 429, 500]);
    get["parameters"] = json!([{
        "name": "name", "in": "path", "required": true,
        "description": "The name of the wheel, as `/-/procedures` has it.",
        "schema": {"type": "string"},
    }]);
    json!({ "get": get })
}

fn events(id: &str, tag: &str, summary: &str, about: &str, fails: &[u16]) -> Value {
    let success = json!({"description": about, "content": {"text/event-stream": {}}});
    operation(id, tag, summary, success, fails)
}

fn job(id: &str, summary: &str, schema: &str) -> Value {
    operation(id, JOBS, summary, json_content(&shared("schemas", schema)), JOB_FAILURES)
}

/// A page of one job, which is only read.
fn with_id(get: &Value) -> Value {
    json!({"parameters": [shared("parameters", "JobId")], "get": get})
}

fn list_jobs() -> Value {
    let fails = &[400, 403, 404, 429, 500, 503];
    let success = json_content(&shared("schemas", "Jobs"));
    let mut get = operation("listJobs", JOBS, "Jobs, the newest first.", success, fails);
    let query = |name: &str, description: &str, schema: Value| json!({"name": name, "in": "query", "required": false, "description": description, "schema": schema});
    let time = || json!({"type": "string", "format": "date-time"});
    get["parameters"] = json!([
        query(
            "state",
            "Jobs in one of these states.",
            json!({"type": "array", "items": shared("schemas", "JobState")})
        ),
        query("procedure", "Jobs of this procedure.", json!({"type": "string"})),
        query("since", "Jobs submitted then or later.", time()),
        query("until", "Jobs submitted before.", time()),
        query(
            "limit",
            "How many at the most.",
            json!({"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": PAGE})
        ),
        query(
            "after",
            "The `next` of the page before.",
            json!({"type": "string", "pattern": CURSOR})
        ),
    ]);
    json!({ "get": get })
}

fn count_jobs() -> Value {
    let fails = &[400, 403, 404, 429, 500, 503];
    let success = json_content(&shared("schemas", "JobCounts"));
    let summary = "How many jobs there are in each state.";
    let mut get = operation("countJobs", JOBS, summary, success, fails);
    get["parameters"] = json!([{
        "name": "procedure", "in": "query", "required": false,
        "description": "Jobs of this procedure.", "schema": {"type": "string"},
    }]);
    json!({ "get": get })
}

fn job_arguments() -> Value {
    let success = json_content(&shared("schemas", "JobArguments"));
    let summary = "What a job was called with; of a job that has ended, where that is up to 1 MiB.";
    let fails = &[400, 403, 404, 410, 413, 429, 500, 503];
    with_id(&operation("getJobArguments", JOBS, summary, success, fails))
}

fn one_job() -> Value {
    let mut item = with_id(&job("getJob", "A job.", "Job"));
    let success = json_content(&shared("schemas", "Job"));
    let fails = &[400, 403, 404, 410, 429, 500, 503, 507];
    item["delete"] = operation(
        "cancelJob",
        JOBS,
        "Asks a job to stop; one that has ended is removed.",
        success,
        fails,
    );
    item["delete"]["parameters"] = json!([{
        "name": "keep", "in": "query", "required": false,
        "description": "Whether one that has ended stays as it is.", "schema": {"type": "boolean", "default": false},
    }]);
    item
}

const WEB_ANSWER: &str = "What a web procedure answered, with a status of its own choice.";

/// A failure of this status, or what a web procedure answered with it.
fn or_web_answer(status: StatusCode) -> Value {
    let mut response = failure_response(status);
    let mut content = json!({"*/*": {}});
    if let Some(schema) = response.pointer("/content/application~1json/schema") {
        content["application/json"] =
            json!({"schema": {"anyOf": [schema, {"description": WEB_ANSWER}]}});
    }
    response["content"] = content;
    response
}

fn job_result() -> Value {
    let success = json!({
        "description": "The result, as a synchronous call would have given it. That of a web procedure is what it answered.",
        "headers": receipt_headers(),
        "content": {
            "application/json": {},
            VALUE: {},
            PICKLE: {},
            "application/octet-stream": {},
            "text/plain": {"schema": {"type": "string"}},
            "text/csv": {"schema": {"type": "string"}},
            "*/*": {},
        },
    });
    let summary =
        "What came of a job; `503` while it has not ended, and the failure where it failed.";
    let mut get = operation("getJobResult", JOBS, summary, success, OUTCOME_FAILURES);
    // A web procedure answers with a status of its own choice, which may be that of a failure.
    for (status, response) in get["responses"].as_object_mut().into_iter().flatten() {
        let status = StatusCode::from_bytes(status.as_bytes()).unwrap_or_default();
        if !status.is_success() {
            *response = or_web_answer(status);
        }
    }
    get["responses"]["default"] = json!({"description": WEB_ANSWER, "content": {"*/*": {}}});
    get["parameters"] = json!([{
        "name": "wait", "in": "query", "required": false,
        "description": "Seconds to wait for the end of the job; 60 at the most.",
        "schema": {"type": "number", "minimum": 0, "default": 0},
    }]);
    with_id(&get)
}

fn probe() -> Value {
    let success = json_content(&shared("schemas", "Probe"));
    let mut get = operation(
        "asyncProbe",
        JOBS,
        "How a job is, for the original client.",
        success,
        JOB_FAILURES,
    );
    get["parameters"] = json!([shared("parameters", "JobUuid")]);
    json!({ "get": get })
}

fn async_get() -> Value {
    let success = json_content(&shared("schemas", "Pickled"));
    let summary =
        "The result of a job, for the original client, which is held for up to 20 seconds.";
    let mut get = operation("asyncGet", JOBS, summary, success, OUTCOME_FAILURES);
    get["parameters"] = json!([shared("parameters", "JobUuid")]);
    json!({ "get": get })
}

#[cfg(test)]
mod tests {
    use super::super::components::OWN_SCHEMAS;
    use super::*;
    use crate::jobs::model::JobState;

    #[test]
    fn the_states_are_those_that_a_job_has() {
        let own: Value = serde_json::from_str(OWN_SCHEMAS).unwrap();
        assert_eq!(own["JobState"]["enum"], json!(JobState::ALL.map(JobState::name)));
    }

    #[test]
    fn a_host_without_jobs_describes_none() {
        assert!(paths(true).contains_key("/-/jobs"));
        assert!(!paths(false).keys().any(|path| path.contains("job") || path.contains("async")));
    }
}
