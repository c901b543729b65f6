//! `/-/jobs/ID/arguments`: what a job was called with, as JSON that a POST to its procedure takes.

use axum::Extension;
use axum::extract::{Path, State as Extract};
use http::StatusCode;
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use super::find::{handle, jobs, view};
use super::query::NoQuery;
use crate::catalog::Procedure;
use crate::codec::json::Json;
use crate::codec::types::{Arguments, bind, present};
use crate::error::{CallError, ErrorKind};
use crate::front::admission::block_in_place_if_large;
use crate::front::credentials::Sender;
use crate::front::response::{self, Reply};
use crate::front::state::State;
use crate::value::Value;

/// What a job was called with.
#[derive(Serialize)]
struct Shown {
    procedure: String,
    /// By name, without what the caller left out; `None` where the procedure would not take them now.
    arguments: Option<Named>,
    /// Why it would not.
    problem: Option<String>,
    /// As they were sent, where there are no `arguments`.
    #[serde(skip_serializing_if = "Option::is_none")]
    positional: Option<Values>,
    /// The rest of these.
    #[serde(skip_serializing_if = "Option::is_none")]
    named: Option<Named>,
}

struct Named(Vec<(String, Value)>);

struct Values(Vec<Value>);

impl Serialize for Named {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, &Json(value))?;
        }
        map.end()
    }
}

impl Serialize for Values {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Json))
    }
}

/// `GET /-/jobs/ID/arguments`.
pub(super) async fn show(
    Extract(state): Extract<State>,
    Extension(Sender { caller, .. }): Extension<Sender>,
    Path(id): Path<String>,
    _: NoQuery,
) -> Reply {
    let id = handle(&id)?;
    let jobs = jobs(&state)?;
    let name = view(&state, &caller, id).await?.job.procedure;
    let arguments = jobs.arguments(id).await?;
    let catalog = state.catalog.load();
    let procedure = catalog.find(&name);
    let values = arguments.positional.iter().chain(arguments.named.iter().map(|(_, value)| value));
    let size = values.map(Value::written_size).sum();
    Ok(block_in_place_if_large(size, || {
        let shown = shown(&name, arguments, procedure.map(|procedure| &**procedure));
        response::bare(StatusCode::OK, &shown)
    }))
}

fn shown(name: &str, arguments: Arguments, procedure: Option<&Procedure>) -> Shown {
    let missing =
        || CallError::new(ErrorKind::NotFound, format!("there is no procedure `{name}` any more"));
    let by_name =
        procedure.ok_or_else(missing).and_then(|procedure| by_name(procedure, arguments.clone()));
    let procedure = name.to_owned();
    match by_name {
        Ok(arguments) => Shown {
            procedure,
            arguments: Some(arguments),
            problem: None,
            positional: None,
            named: None,
        },
        Err(error) => {
            let named = arguments.named.into_iter();
            Shown {
                procedure,
                arguments: None,
                problem: Some(error.message),
                positional: Some(Values(arguments.positional)),
                named: Some(Named(named.map(|(name, value)| (name.to_string(), value)).collect())),
            }
        }
    }
}

/// The arguments that were given, by the names and types that the procedure has now.
fn by_name(procedure: &Procedure, arguments: Arguments) -> Result<Named, CallError> {
    let parameters = &procedure.signature.parameters;
    let count = arguments.positional.len();
    let named: Vec<_> =
        arguments.named.iter().filter_map(|(name, _)| procedure.signature.position(name)).collect();
    let given: Vec<bool> = (0..parameters.len()).map(|i| i < count || named.contains(&i)).collect();
    let bound = bind(&procedure.name, arguments, &procedure.signature)?;
    let named = parameters.iter().zip(bound).zip(given).filter(|(_, given)| *given);
    Ok(Named(
        named
            .map(|((parameter, typed), _)| {
                (parameter.name.to_string(), present(typed, &parameter.ty))
            })
            .collect(),
    ))
}
