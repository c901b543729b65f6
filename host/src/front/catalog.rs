//! `GET /-/procedures`: the catalog for programs, with types; and its version on every reply.

use std::time::SystemTime;

use axum::Extension;
use axum::extract::State as Extract;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;

use super::client::Client;
use super::credentials::Sender;
use super::response::Tagged;
use super::state::State;
use crate::auth::{Caller, Right};
use crate::catalog::{Catalog, Mount, Problem, Procedure};
use crate::codec::types::{Parameter, Type};
use crate::config::{self, ArrayReplies, Mode, WebMethod};
use crate::sandbox::Access;

/// The version of the catalog, on every reply, by which a client notices a reload.
const VERSION: HeaderName = HeaderName::from_static("x-tarp-catalog");

#[derive(Serialize)]
struct Procedures<'a> {
    version: &'a str,
    complete: bool,
    procedures: Vec<Entry<'a>>,
    mounts: Vec<MountEntry<'a>>,
    problems: Vec<Complaint<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<Client>,
}

#[derive(Serialize)]
struct Entry<'a> {
    name: &'a str,
    aliases: Vec<&'a str>,
    documentation: &'a str,
    signature: String,
    parameters: &'a [Parameter],
    result: &'a Option<Type>,
    mode: Mode,
    suggested_wait: Option<u32>,
    arrays: ArrayReplies,
    web: Option<Web<'a>>,
    file: &'a str,
    digest: &'a str,
    limits: Limits,
    access: &'a Access,
}

/// What is told of a web procedure.
#[derive(Serialize)]
struct Web<'a> {
    methods: &'a [WebMethod],
}

/// A component that answers requests itself.
#[derive(Serialize)]
struct MountEntry<'a> {
    name: &'a str,
    /// The version of `wasi:http`.
    interface: &'static str,
    file: &'a str,
    digest: &'a str,
    limits: Limits,
    access: &'a Access,
}

/// Bytes, seconds and units of fuel.
#[derive(Serialize)]
struct Limits {
    fuel: u64,
    memory: usize,
    deadline: f64,
    output: usize,
    result: usize,
}

/// A problem as programs and people see it.
#[derive(Serialize)]
pub(super) struct Complaint<'a> {
    pub(super) file: &'a str,
    pub(super) message: &'a str,
    since: String,
    serving: bool,
}

/// What the caller may call of the catalog, unless the caller has this very version.
pub(super) async fn show(
    Extract(state): Extract<State>,
    Extension(Sender { caller, endpoint, .. }): Extension<Sender>,
    headers: HeaderMap,
) -> Response {
    let catalog = state.catalog.load();
    let procedures = Procedures {
        version: catalog.version(),
        complete: catalog.is_complete(),
        procedures: callable(&catalog, &caller)
            .map(|procedure| entry(&catalog, procedure, state.jobs.is_some()))
            .collect(),
        mounts: reachable(&catalog, &caller).map(mount).collect(),
        problems: complaints(&catalog, &caller),
        client: Client::told(&endpoint),
    };
    Tagged::new(&procedures).reply(&headers)
}

/// The procedures that the caller may call.
pub(super) fn callable<'a>(
    catalog: &'a Catalog,
    caller: &Caller,
) -> impl Iterator<Item = &'a Procedure> {
    catalog.procedures().filter(|procedure| caller.may_call(&procedure.name))
}

/// The mounted components that the caller may call.
pub(super) fn reachable<'a>(
    catalog: &'a Catalog,
    caller: &Caller,
) -> impl Iterator<Item = &'a Mount> {
    catalog.mounts().filter(|mount| caller.may_call(&mount.name))
}

/// Writes the catalog's version on the reply.
pub(super) fn stamp(state: &State, response: &mut Response) {
    if let Ok(version) = HeaderValue::from_str(state.catalog.load().version()) {
        response.headers_mut().insert(VERSION, version);
    }
}

fn entry<'a>(catalog: &'a Catalog, procedure: &'a Procedure, keeps_jobs: bool) -> Entry<'a> {
    let mode = if keeps_jobs { procedure.jobs.mode } else { Mode::Sync };
    Entry {
        name: &procedure.name,
        aliases: catalog.aliases_of(procedure).collect(),
        documentation: &procedure.documentation,
        signature: procedure.signature.to_string(),
        parameters: &procedure.signature.parameters,
        result: &procedure.signature.result,
        mode,
        suggested_wait: (mode == Mode::Async).then_some(procedure.jobs.suggested_wait),
        arrays: procedure.arrays,
        web: procedure.web.as_deref().map(|methods| Web { methods }),
        file: &procedure.source.file,
        digest: &procedure.source.digest,
        limits: (&procedure.limits).into(),
        access: &procedure.access,
    }
}

fn mount(mount: &Mount) -> MountEntry<'_> {
    MountEntry {
        name: &mount.name,
        interface: mount.version(),
        file: &mount.source.file,
        digest: &mount.source.digest,
        limits: (&mount.limits).into(),
        access: &mount.access,
    }
}

impl From<&config::Limits> for Limits {
    fn from(limits: &config::Limits) -> Self {
        Self {
            fuel: limits.fuel,
            memory: limits.memory,
            deadline: limits.deadline.as_secs_f64(),
            output: limits.output,
            result: limits.result,
        }
    }
}

/// What is wrong with files of the folder, for those who can do something about it.
pub(super) fn complaints<'a>(catalog: &'a Catalog, caller: &Caller) -> Vec<Complaint<'a>> {
    let may_know = caller.may(&Right::Deploy);
    catalog.problems().iter().filter(|_| may_know).map(complaint).collect()
}

fn complaint(problem: &Problem) -> Complaint<'_> {
    let since = problem.since.max(SystemTime::UNIX_EPOCH);
    Complaint {
        file: &problem.file,
        message: &problem.message,
        since: humantime::format_rfc3339_seconds(since).to_string(),
        serving: problem.serving,
    }
}
