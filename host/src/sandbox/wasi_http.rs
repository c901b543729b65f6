//! `wasi:http` for guests that answer requests or may send some, within bounds, and its absence for all
//! others.

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker, Resource, ResourceType};
use wasmtime::error::{bail, ensure};
use wasmtime::{Result, StoreContextMut};
use wasmtime_wasi_http::WasiHttpView as _;
use wasmtime_wasi_http::p2::bindings::http::types as p2;
use wasmtime_wasi_http::p2::types::HostOutgoingRequest;
use wasmtime_wasi_http::p3::Request;
use wasmtime_wasi_http::p3::bindings::http::types as p3;

use super::engine::Concurrency;
use super::state::CallState;

/// The package.
const PACKAGE: &str = "wasi:http/";

/// Bytes of a request's method, or of the name of its host.
const MAX_TEXT: usize = 8 << 10;

/// Adds `wasi:http` of 0.2 and, for an engine that knows asynchronous functions, of 0.3.
pub(super) fn link(linker: &mut Linker<CallState>, concurrency: Concurrency) -> Result<()> {
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(linker)?;
    // Texts that the package keeps as they come, and nothing else bounds.
    linker.allow_shadowing(true);
    let mut types = linker.instance("wasi:http/types@0.2.12")?;
    types.func_wrap(
        "[method]outgoing-request.set-method",
        |mut store: StoreContextMut<'_, CallState>,
         (request, method): (Resource<HostOutgoingRequest>, p2::Method)| {
            if let p2::Method::Other(method) = &method {
                bound("method", method)?;
            }
            Ok((p2::HostOutgoingRequest::set_method(
                &mut store.data_mut().http(),
                request,
                method,
            )?,))
        },
    )?;
    types.func_wrap(
        "[method]outgoing-request.set-authority",
        |mut store: StoreContextMut<'_, CallState>,
         (request, host): (Resource<HostOutgoingRequest>, Option<String>)| {
            bound("host", host.as_deref().unwrap_or_default())?;
            let mut http = store.data_mut().http();
            Ok((p2::HostOutgoingRequest::set_authority(&mut http, request, host)?,))
        },
    )?;
    if concurrency == Concurrency::On {
        wasmtime_wasi_http::p3::add_to_linker(linker)?;
        let mut types = linker.instance("wasi:http/types@0.3.0")?;
        types.func_wrap(
            "[method]request.set-method",
            |mut store: StoreContextMut<'_, CallState>,
             (request, method): (Resource<Request>, p3::Method)| {
                if let p3::Method::Other(method) = &method {
                    bound("method", method)?;
                }
                Ok((p3::HostRequest::set_method(&mut store.data_mut().http(), request, method)?,))
            },
        )?;
        types.func_wrap(
            "[method]request.set-authority",
            |mut store: StoreContextMut<'_, CallState>,
             (request, host): (Resource<Request>, Option<String>)| {
                bound("host", host.as_deref().unwrap_or_default())?;
                Ok((p3::HostRequest::set_authority(&mut store.data_mut().http(), request, host)?,))
            },
        )?;
    }
    linker.allow_shadowing(false);
    Ok(())
}

fn bound(what: &str, text: &str) -> Result<()> {
    ensure!(
        text.len() <= MAX_TEXT,
        "the {what} of a request has {} bytes; it may have {MAX_TEXT}",
        text.len()
    );
    Ok(())
}

/// Whether a component exports a handler of requests, by its name alone.
pub(super) fn is_exported(component: &Component) -> bool {
    let ty = component.component_type();
    ty.exports(component.engine()).any(|(name, _)| {
        ["wasi:http/incoming-handler@0.2", "wasi:http/handler@0.3"]
            .iter()
            .any(|handler| name.starts_with(handler))
    })
}

/// Whether a component imports any of the package.
pub(super) fn is_imported(component: &Component) -> bool {
    let ty = component.component_type();
    ty.imports(component.engine()).any(|(name, _)| name.starts_with(PACKAGE))
}

/// Resources that the package has of its own; others that its interfaces speak of are of `wasi:io`.
const RESOURCES: [&str; 13] = [
    "fields",
    "future-incoming-response",
    "future-trailers",
    "incoming-body",
    "incoming-request",
    "incoming-response",
    "outgoing-body",
    "outgoing-request",
    "outgoing-response",
    "request",
    "request-options",
    "response",
    "response-outparam",
];

/// Gives a component that neither answers requests nor may send any functions in place of those of the
/// package that it imports, so that it can be loaded: tool chains import more than what is used. Each
/// traps.
pub(super) fn refuse(linker: &mut Linker<CallState>, component: &Component) -> Result<()> {
    let engine = component.engine();
    for (interface, import) in component.component_type().imports(engine) {
        let ComponentItem::ComponentInstance(instance) = &import.ty else { continue };
        if !interface.starts_with(PACKAGE) {
            continue;
        }
        let mut linker = linker.instance(interface)?;
        for (name, item) in instance.exports(engine) {
            match item.ty {
                ComponentItem::ComponentFunc(function) => {
                    let refusal = format!(
                        "`{interface}` cannot be used here (it called `{name}`): no server was granted to \
                         it; under `[grants]` of its sidecar, `http = [\"SERVER\"]` grants one"
                    );
                    if function.async_() {
                        linker.func_new_concurrent(name, move |_, _, _, _| {
                            let refusal = refusal.clone();
                            Box::pin(async move { bail!("{refusal}") })
                        })?;
                    } else {
                        linker.func_new(name, move |_, _, _, _| bail!("{refusal}"))?;
                    }
                }
                ComponentItem::Resource(_)
                    if interface.starts_with("wasi:http/types") && RESOURCES.contains(&name) =>
                {
                    linker.resource(name, ResourceType::host::<()>(), |_, _| Ok(()))?;
                }
                _ => {}
            }
        }
    }
    Ok(())
}
