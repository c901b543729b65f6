//! What a procedure answers to: a GET with its arguments in the query, and a POST. Web procedures, which
//! see the request as it is, say what they answer to and nothing of what; so do components that answer
//! everything themselves.

use serde_json::{Map, Value, json};

use super::arguments::{in_query, request_body};
use super::components::{CALL_FAILURES, accepted, failures, receipt_headers};
use super::json::{object, shared};
use super::schema::{Way, closed, schema};
use crate::catalog::{Catalog, Procedure};
use crate::codec::pickle::Arrays;
use crate::codec::types::{Signature, Type};
use crate::config::WebMethod;
use crate::front::negotiate::Offer;
use crate::front::response::Form;

const JSON: &str = "application/json";
const TEXT: &str = "text/plain";

/// What is described of a procedure.
pub(super) struct Callable<'a> {
    pub(super) name: &'a str,
    pub(super) aliases: Vec<&'a str>,
    pub(super) documentation: &'a str,
    pub(super) signature: &'a Signature,
    pub(super) file: &'a str,
    /// The methods that it answers.
    pub(super) methods: &'a [WebMethod],
    /// Whether it is a web procedure.
    pub(super) is_web: bool,
}

impl<'a> Callable<'a> {
    pub(super) fn of(catalog: &'a Catalog, procedure: &'a Procedure) -> Self {
        Self {
            name: &procedure.name,
            aliases: catalog.aliases_of(procedure).collect(),
            documentation: &procedure.documentation,
            signature: &procedure.signature,
            file: &procedure.source.file,
            methods: procedure.methods(),
            is_web: procedure.web.is_some(),
        }
    }
}

impl Callable<'_> {
    /// Its address. What has a meaning of its own in an address or in a path of OpenAPI is encoded.
    pub(super) fn path(&self) -> String {
        path(self.name)
    }

    /// All that it answers to.
    pub(super) fn path_item(&self, keeps_jobs: bool) -> Value {
        let operations = self.methods.iter().map(|method| match (method, self.is_web) {
            (WebMethod::Get, true) => ("get", self.web_operation("get", keeps_jobs)),
            (WebMethod::Post, true) => ("post", self.web_operation("post", keeps_jobs)),
            (WebMethod::Get, false) => ("get", self.get(keeps_jobs)),
            (WebMethod::Post, false) => ("post", self.post(keeps_jobs)),
        });
        object(operations.map(|(method, operation)| (method.to_owned(), operation)))
    }

    fn get(&self, keeps_jobs: bool) -> Value {
        let mut operation = self.operation("get", keeps_jobs);
        if let Some(Value::Array(all)) = operation.get_mut("parameters") {
            all.extend(self.signature.parameters.iter().enumerate().map(|(i, p)| in_query(p, i)));
        }
        Value::Object(operation)
    }

    fn post(&self, keeps_jobs: bool) -> Value {
        let mut operation = self.operation("call", keeps_jobs);
        operation.insert("requestBody".into(), request_body(self.signature));
        Value::Object(operation)
    }

    /// An operation of a typed procedure, but for its arguments.
    fn operation(&self, verb: &str, keeps_jobs: bool) -> Map<String, Value> {
        let mut responses = failures(CALL_FAILURES, keeps_jobs);
        responses.insert("200".into(), self.success());
        if keeps_jobs {
            responses.insert("202".into(), accepted(&job_for(&result_schema(self.signature))));
        }
        if let Some(value) = self.error_value() {
            responses.insert("500".into(), failure_with(&value));
        }
        self.any_operation(verb, keeps_jobs, responses)
    }

    fn web_operation(&self, verb: &str, keeps_jobs: bool) -> Value {
        let mut responses = Map::new();
        responses.insert(
            "default".into(),
            json!({
                "description": "What the procedure answers, with a status of its own choice; or a failure.",
                "content": {"*/*": {}},
            }),
        );
        let mut operation = self.any_operation(verb, keeps_jobs, responses);
        if verb == "post" {
            let body =
                json!({"description": "Whatever the procedure takes.", "content": {"*/*": {}}});
            operation.insert("requestBody".into(), body);
        }
        Value::Object(operation)
    }

    fn any_operation(
        &self,
        verb: &str,
        keeps_jobs: bool,
        mut responses: Map<String, Value>,
    ) -> Map<String, Value> {
        let mut parameters = Vec::new();
        if keeps_jobs || !self.is_web {
            parameters.push(shared("parameters", "Prefer"));
        }
        if keeps_jobs {
            responses.entry("202").or_insert_with(|| shared("responses", "Accepted"));
            let names = ["IdempotencyKey", "Priority", "Digest"];
            parameters.extend(names.map(|name| shared("parameters", name)));
        }
        let summary = summary(self.documentation);
        let signature = match self.is_web {
            true => String::new(),
            false => format!("`{}{}`", self.name, self.signature),
        };
        // A path of its own for each would have every operation twice in the document and in what is
        // generated from it.
        let aliases: Vec<_> =
            self.aliases.iter().map(|alias| format!("`{}`", path(alias))).collect();
        let also = match aliases.as_slice() {
            [] => String::new(),
            aliases => format!("Also at {}.", aliases.join(", ")),
        };
        let description = [self.documentation, &signature, &also].join("\n\n");
        let mut operation = json!({
            "operationId": self.operation_id(verb),
            "summary": if summary.is_empty() { self.name } else { &summary },
            "description": description.trim(),
            "tags": [self.file],
            "parameters": parameters,
            "responses": responses,
        });
        if !self.aliases.is_empty() {
            operation["x-tarp-aliases"] = json!(self.aliases);
        }
        match operation {
            Value::Object(operation) => operation,
            _ => Map::new(),
        }
    }

    /// Different for every operation: names have no two underscores in a row, and what is neither
    /// letter nor digit is written as its number.
    fn operation_id(&self, verb: &str) -> String {
        operation_id(verb, self.name)
    }

    fn success(&self) -> Value {
        let offer = Offer::of(self.signature);
        let result = result_schema(self.signature);
        let mimetypes = value_type(self.signature).map_or_else(|| vec![JSON], mimetypes);
        let mut content = Map::new();
        for (media_type, form) in offer.forms(Arrays::Lists) {
            // An envelope is JSON whatever was asked for.
            let schema = match form {
                Form::Envelope if media_type == "application/json" => envelope(&result, &mimetypes),
                Form::Envelope => continue,
                Form::Value => json!({ "schema": result }),
                Form::Table(_) => json!({"schema": {"type": "string"}}),
                Form::Raw if media_type == "text/plain" => json!({"schema": {"type": "string"}}),
                _ => json!({}),
            };
            content.insert(media_type.into(), schema);
        }
        json!({"description": "The result.", "headers": receipt_headers(), "content": content})
    }

    /// The schema of the error that it declares, where that reaches the caller.
    fn error_value(&self) -> Option<Value> {
        match &self.signature.result {
            Some(Type::Result { err: Some(error), .. }) => Some(schema(error, Way::Result)),
            _ => None,
        }
    }
}

/// What is mounted under this name answers everything below it, as it likes.
pub(super) fn mounted(name: &str, file: &str) -> (String, Value) {
    let operation = |verb: &str| {
        json!({
            "operationId": operation_id(&format!("{verb}_below"), name),
            "summary": format!("What the component `{file}` answers."),
            "tags": [file],
            "responses": {"default": {"description": "Whatever it is.", "content": {"*/*": {}}}},
        })
    };
    let item = json!({
        "parameters": [{
            "name": "path", "in": "path", "required": true,
            "description": "The address below the component, which may have several parts.",
            "schema": {"type": "string"},
        }],
        "get": operation("get"),
        "post": operation("post"),
        "put": operation("put"),
        "patch": operation("patch"),
        "delete": operation("delete"),
    });
    (format!("{}/{{path}}", path(name)), item)
}

/// The first paragraph of a documentation, in one line.
fn summary(documentation: &str) -> String {
    let lines = documentation.trim_start().lines().map(str::trim);
    lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

fn path(name: &str) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const OTHERS: &AsciiSet =
        &NON_ALPHANUMERIC.remove(b'/').remove(b'_').remove(b'-').remove(b'.').remove(b'~');
    format!("/{}", utf8_percent_encode(name, OTHERS))
}

fn operation_id(verb: &str, name: &str) -> String {
    let mut id = format!("{verb}_");
    for c in name.chars() {
        match c {
            '/' => id.push_str("__"),
            '_' => id.push('_'),
            c if c.is_ascii_alphanumeric() => id.push(c),
            c => id.push_str(&format!("-{:x}-", u32::from(c))),
        }
    }
    id
}

/// What comes back of a call that succeeds.
fn result_schema(signature: &Signature) -> Value {
    value_type(signature).map_or_else(|| json!({"type": "null"}), |ty| schema(ty, Way::Result))
}

fn value_type(signature: &Signature) -> Option<&Type> {
    match &signature.result {
        Some(Type::Result { ok, .. }) => ok.as_deref(),
        other => other.as_ref(),
    }
}

fn envelope(result: &Value, mimetypes: &[&str]) -> Value {
    let properties = [
        ("status".to_owned(), json!({"const": "success"})),
        ("mimetype".to_owned(), json!({"enum": mimetypes})),
        ("result".to_owned(), result.clone()),
        ("stdout".to_owned(), shared("schemas", "Stdout")),
        ("stderr".to_owned(), shared("schemas", "Stderr")),
    ];
    json!({"schema": closed(properties, ["status", "mimetype", "result"].into_iter())})
}

/// What an envelope may say of a value of this type: what is text on the wire counts as text.
fn mimetypes(ty: &Type) -> Vec<&'static str> {
    match ty {
        Type::String | Type::Char | Type::Enum(_) => vec![TEXT],
        Type::List(item) if **item == Type::U8 => vec!["application/octet-stream"],
        Type::Option(inner) if !inner.may_be_absent() => {
            let mut mimetypes = mimetypes(inner);
            if !mimetypes.contains(&JSON) {
                mimetypes.push(JSON);
            }
            mimetypes
        }
        Type::Variant(cases) => {
            let (alone, carrying): (Vec<_>, Vec<_>) =
                cases.iter().partition(|case| case.ty.is_none());
            let alone = (!alone.is_empty()).then_some(TEXT);
            alone.into_iter().chain((!carrying.is_empty()).then_some(JSON)).collect()
        }
        _ => vec![JSON],
    }
}

/// A job, which has no `result`. Programs that make types of this document are told so with the type of
/// the other success, so that they let `result` be read of either.
fn job_for(result: &Value) -> Value {
    json!({"allOf": [
        shared("schemas", "Job"),
        {"properties": {"result": {"allOf": [result, {"not": {}}]}}},
    ]})
}

fn failure_with(value: &Value) -> Value {
    let failure = json!({"allOf": [
        shared("schemas", "Failure500"),
        {"properties": {"value": value}},
    ]});
    json!({
        "description": "The call failed; where the procedure returned its error, `value` is that.",
        "headers": receipt_headers(),
        "content": {"application/json": {"schema": failure}},
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::types::{DefaultValue, Parameter};

    fn parameter(name: &str, ty: Type, default: Option<crate::value::Value>) -> Parameter {
        let default = default.map(DefaultValue);
        Parameter { name: name.into(), ty, default }
    }

    fn item(name: &str, parameters: Vec<Parameter>, result: Option<Type>) -> Value {
        let signature = Signature { parameters, result, is_async: false };
        let callable = Callable {
            name,
            aliases: vec!["doIt"],
            documentation: "Does it.\n\nAt length.",
            signature: &signature,
            file: "a.wasm",
            methods: &WebMethod::ALL,
            is_web: false,
        };
        callable.path_item(true)
    }

    #[test]
    fn a_procedure_is_a_get_and_a_post() {
        let numbers = parameter("values", Type::List(Box::new(Type::F64)), None);
        let count = parameter("n", Type::U32, Some(crate::value::Value::Int(10)));
        let item = item("statistics/mean", vec![numbers, count], Some(Type::F64));
        let own: Vec<_> = item["get"]["parameters"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|p| p["in"] == "query")
            .collect();
        assert_eq!((&own[0]["name"], &own[0]["explode"]), (&json!("values"), &json!(false)));
        assert_eq!(
            (&own[1]["required"], &own[1]["schema"]["default"]),
            (&json!(false), &json!(10))
        );
        assert_eq!(item["get"]["operationId"], "get_statistics__mean");
        assert_eq!(item["post"]["operationId"], "call_statistics__mean");
        assert_eq!(item["post"]["summary"], "Does it.");
        let body = &item["post"]["requestBody"]["content"]["application/json"];
        assert_eq!(body["schema"]["anyOf"][0]["required"], json!(["values"]));
        assert_eq!(body["example"], json!({"values": [1.5, 2.5], "n": 10}));
    }

    #[test]
    fn a_summary_is_not_cut_where_a_line_ends() {
        assert_eq!(
            summary("\nThe mean of\n  the values.\n\nAt length."),
            "The mean of the values."
        );
        assert_eq!(summary(""), "");
    }

    /// All of it, to be looked at when it changes: `INSTA_UPDATE=always cargo test` writes it anew.
    #[test]
    fn a_procedure_as_a_whole() {
        let values = parameter("values", Type::List(Box::new(Type::F64)), None);
        let n = parameter("n", Type::U32, Some(crate::value::Value::Int(10)));
        let error = Type::Enum(vec!["empty".into(), "too_many".into()]);
        let pairs = Type::List(Box::new(Type::Tuple(vec![Type::F64, Type::U64])));
        let result = Type::Result { ok: Some(Box::new(pairs)), err: Some(Box::new(error)) };
        let item = item("statistics/histogram", vec![values, n], Some(result));
        // Whether keys keep their order depends on what else is built.
        insta::with_settings!({sort_maps => true}, { insta::assert_json_snapshot!(item) });
    }

    #[test]
    fn a_result_comes_in_the_forms_that_fit_it() {
        let forms = |ty| {
            let item = item("f", Vec::new(), ty);
            let content = item["post"]["responses"]["200"]["content"].as_object().unwrap().clone();
            content.keys().cloned().collect::<std::collections::BTreeSet<_>>()
        };
        let always =
            ["application/json", "application/vnd.tarp.pickle", "application/vnd.tarp.value+json"];
        assert_eq!(forms(None), always.map(str::to_owned).into());
        let ok = Some(Box::new(Type::List(Box::new(Type::F64))));
        let table = forms(Some(Type::Result { ok, err: None }));
        assert!(table.contains("text/csv"));
        assert!(forms(Some(Type::List(Box::new(Type::U8)))).contains("application/octet-stream"));
    }

    #[test]
    fn a_path_has_no_template_and_an_id_is_one_of_a_kind() {
        let signature = Signature { parameters: Vec::new(), result: None, is_async: false };
        let callable = |name| Callable {
            name,
            aliases: Vec::new(),
            documentation: "",
            signature: &signature,
            file: "",
            methods: &WebMethod::ALL,
            is_web: false,
        };
        assert_eq!(callable("a/{b} c").path(), "/a/%7Bb%7D%20c");
        let ids = ["a/b", "a_b", "a-b", "a.b"].map(|name| callable(name).operation_id("get"));
        let different: std::collections::HashSet<_> = ids.iter().collect();
        assert_eq!(different.len(), ids.len(), "{ids:?}");
    }

    #[test]
    fn a_web_procedure_answers_to_its_methods() {
        let signature = Signature { parameters: Vec::new(), result: None, is_async: false };
        let callable = Callable {
            aliases: Vec::new(),
            name: "plot",
            documentation: "",
            signature: &signature,
            file: "",
            methods: &[WebMethod::Get],
            is_web: true,
        };
        let item = callable.path_item(false);
        assert!(item.get("post").is_none());
        assert_eq!(item["get"]["responses"]["default"]["content"], json!({"*/*": {}}));
    }
}
