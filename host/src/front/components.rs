//! `/-/components`: the files that are served, and changing them from elsewhere: a component is deployed, rolled
//! back or removed. The router lets through those with the right `deploy`; whether there must be a token, and what
//! a sidecar may grant, is decided here.

use axum::body::{Body, Bytes};
use axum::extract::State as Extract;
use axum::extract::{Path, RawQuery};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use http::header::{ETAG, IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::body::{SizeLimit, read_within};
use super::credentials::Sender;
use super::encoding::Encodings;
use super::media::{ContentType, Media, unsupported};
use super::methods::{page, with_methods};
use super::multipart;
use super::origin::Initiator;
use super::response::{self, Reply};
use super::state::State;
use crate::audit::Event;
use crate::auth::{Right, TokenName};
use crate::catalog::{ComponentName, Installed, Precondition, Terms, Upload};
use crate::error::{CallError, ErrorKind, excerpt};

mod show;

/// What their addresses begin with.
pub(super) const PATH: &str = "/-/components";

/// The type of a component.
const WASM: &str = "application/wasm";

/// The parts of a form that has a component and its sidecar.
const COMPONENT: &str = "component";
const SIDECAR: &str = "sidecar";

pub(super) fn routes() -> Router<State> {
    let one = get(one).put(deploy).delete(remove);
    Router::new()
        .route(PATH, page(list))
        .route("/-/components/{name}", with_methods(one, "GET, HEAD, PUT, DELETE, OPTIONS"))
        .route("/-/components/{name}/rollback", with_methods(post(roll_back), "POST, OPTIONS"))
}

/// `GET /-/components`.
async fn list(Extract(state): Extract<State>) -> Response {
    let catalog = state.catalog.load();
    let entries = catalog.components().map(|component| {
        let kept = state.deployer.versions(&component.file);
        show::Entry::new(&component.file, Some(component), kept, &catalog)
    });
    response::bare(
        StatusCode::OK,
        &show::List { components: entries.collect(), locked: state.deployer.is_locked() },
    )
}

/// `GET /-/components/NAME`.
async fn one(Extract(state): Extract<State>, Path(name): Path<String>) -> Reply {
    let file = ComponentName::parse(&name)?.file();
    let catalog = state.catalog.load();
    let component = catalog.component(&file).map(|component| &**component);
    let kept = state.deployer.versions(&file);
    let entry = show::Entry::new(&file, component, kept, &catalog);
    if entry.says_nothing() {
        let message = format!("there is no component {file}; {PATH} lists those that there are");
        return Err(CallError::new(ErrorKind::NotFound, message).into());
    }
    let response = response::bare(StatusCode::OK, &entry);
    Ok(match component {
        Some(component) => tagged(response, &component.version.to_string()),
        None => response,
    })
}

/// `PUT /-/components/NAME`.
async fn deploy(
    Extract(state): Extract<State>,
    Extension(sender): Extension<Sender>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Reply {
    let terms = terms(&state, &sender, &headers)?;
    sender.recorder.event(Event::ComponentDeployed);
    let name = ComponentName::parse(&name)?;
    let content = ContentType::of(&headers)?;
    if content.name != WASM && content.media != Media::Multipart {
        return Err(unsupported(format!(
            "a component is sent as {WASM}, or with its sidecar as multipart/form-data with the parts `{COMPONENT}` and `{SIDECAR}`, not {}",
            content.shown()
        ))
        .into());
    }
    if !Encodings::of(&headers)?.is_empty() {
        return Err(unsupported("a component is sent as it is, without a Content-Encoding").into());
    }
    let limit = SizeLimit { bytes: state.config.max_component, setting: "max_component" };
    let (body, mut charge) = read_within(&state, body, limit).await?;
    let (component, sidecar) = match content.media {
        Media::Multipart => parts(multipart::contents(&content, &body, &mut charge)?)?,
        _ => (Some(body), None),
    };
    let upload = Upload { component, sidecar, charge };
    let installed = state.deployer.deploy(name, upload, terms).await?;
    Ok(shown(&installed))
}

/// `POST /-/components/NAME/rollback`.
async fn roll_back(
    Extract(state): Extract<State>,
    Extension(sender): Extension<Sender>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Reply {
    let terms = terms(&state, &sender, &headers)?;
    sender.recorder.event(Event::ComponentRolledBack);
    let name = ComponentName::parse(&name)?;
    let to = target(query.as_deref().unwrap_or_default())?;
    let installed = state.deployer.roll_back(name, to, terms).await?;
    Ok(shown(&installed))
}

/// `DELETE /-/components/NAME`.
async fn remove(
    Extract(state): Extract<State>,
    Extension(sender): Extension<Sender>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Reply {
    let terms = terms(&state, &sender, &headers)?;
    sender.recorder.event(Event::ComponentRemoved);
    let name = ComponentName::parse(&name)?;
    let removed = state.deployer.remove(name, terms).await?;
    let kept = state.deployer.versions(&removed.file);
    let catalog = state.catalog.load();
    let entry = show::Entry::new(&removed.file, None, kept, &catalog);
    Ok(response::bare(StatusCode::OK, &entry))
}

/// Who changes the folder, and under which condition.
///
/// # Errors
///
/// [`ErrorKind::Forbidden`] where that needs a token, [`ErrorKind::BadRequest`] for a condition that cannot be read.
fn terms(
    state: &State,
    Sender { caller, initiator, .. }: &Sender,
    headers: &HeaderMap,
) -> Result<Terms, CallError> {
    let has_token = caller.id().is_some();
    if !has_token && !state.config.allow_deploy {
        let message = "components are deployed with a token only, and this host has none; make one with `tarp token create NAME --allow deploy`, or serve with --allow-deploy, and whoever reaches the host can change what it serves";
        return Err(CallError::new(ErrorKind::Forbidden, message));
    }
    // Pages that are listed may call procedures, which is less than to change them.
    if !has_token && *initiator == Initiator::Listed {
        let message = "a page of another site deploys nothing without a token";
        return Err(CallError::new(ErrorKind::Forbidden, message));
    }
    // Before the body is read.
    state.deployer.check_may_change()?;
    Ok(Terms {
        precondition: precondition(headers)?,
        // Without tokens nobody can be told from a stranger.
        may_grant: has_token && caller.may(&Right::Admin),
        by: caller.name().map(TokenName::to_string),
    })
}

/// What `If-Match` and `If-None-Match` say.
fn precondition(headers: &HeaderMap) -> Result<Precondition, CallError> {
    let values = |name| {
        let values = headers.get_all(name).iter();
        let texts: Result<Vec<_>, _> = values.map(HeaderValue::to_str).collect();
        texts.map_err(|_| CallError::bad_request("a condition of the request is not text"))
    };
    let (wanted, unwanted) = (values(IF_MATCH)?, values(IF_NONE_MATCH)?);
    match (&*wanted, &*unwanted) {
        ([], []) => Ok(Precondition::None),
        (["*"], []) => Ok(Precondition::Present),
        ([], ["*"]) => Ok(Precondition::Absent),
        (wanted, []) => {
            let tags = wanted.iter().flat_map(|value| value.split(',')).map(tag);
            tags.collect::<Result<_, _>>().map(Precondition::Versions)
        }
        _ => Err(CallError::bad_request(
            "a component is changed with `If-Match: \"DIGEST\"`, with `If-None-Match: *` where there must be none of its name, or with neither",
        )),
    }
}

/// What stands in a tag. It names content, and not how a reply was written, so a weak one does as well.
fn tag(text: &str) -> Result<String, CallError> {
    let text = text.trim();
    let quoted = text.strip_prefix("W/").unwrap_or(text);
    let tag = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    tag.map(str::to_owned).ok_or_else(|| {
        CallError::bad_request(format!(
            "`{}` in If-Match is no tag; one is a digest in quotes, such as the `ETag` of the component",
            excerpt(text)
        ))
    })
}

/// The component and the sidecar in a form.
fn parts(parts: Vec<(String, Bytes)>) -> Result<(Option<Bytes>, Option<Bytes>), CallError> {
    let (mut component, mut sidecar) = (None, None);
    for (name, content) in parts {
        let place = match &*name {
            COMPONENT => &mut component,
            SIDECAR => &mut sidecar,
            _ => {
                return Err(CallError::bad_request(format!(
                    "the form has a part `{}`; there are `{COMPONENT}` and `{SIDECAR}`",
                    excerpt(&name)
                )));
            }
        };
        if place.replace(content).is_some() {
            return Err(CallError::bad_request(format!("the form has a part `{name}` twice")));
        }
    }
    if component.is_none() && sidecar.is_none() {
        return Err(CallError::bad_request(format!(
            "the form has neither of the parts `{COMPONENT}` and `{SIDECAR}`"
        )));
    }
    Ok((component, sidecar))
}

/// The version in a query, if there is one.
fn target(query: &str) -> Result<Option<String>, CallError> {
    let mut target = None;
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if name != "to" || target.replace(value.into_owned()).is_some() {
            return Err(CallError::bad_request(
                "a rollback takes `to`, once: the digest of the version to return to",
            ));
        }
    }
    Ok(target)
}

fn shown(installed: &Installed) -> Response {
    let status = if installed.previous.is_some() { StatusCode::OK } else { StatusCode::CREATED };
    let response = response::bare(status, &show::Deployed::new(installed));
    tagged(response, &installed.component.version.to_string())
}

fn tagged(response: Response, tag: &str) -> Response {
    match HeaderValue::from_str(&format!("\"{tag}\"")) {
        Ok(tag) => ([(ETAG, tag)], response).into_response(),
        Err(_) => response,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[(http::HeaderName, &'static str)]) -> Result<Precondition, ErrorKind> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, HeaderValue::from_static(value));
        }
        precondition(&map).map_err(|error| error.kind)
    }

    #[test]
    fn conditions_are_read_as_http_has_them() {
        let versions = |tags: &[&str]| {
            Ok(Precondition::Versions(tags.iter().map(|tag| (*tag).to_owned()).collect()))
        };
        for (headers, expected) in [
            (&[][..], Ok(Precondition::None)),
            (&[(IF_MATCH, "*")], Ok(Precondition::Present)),
            (&[(IF_NONE_MATCH, "*")], Ok(Precondition::Absent)),
            (&[(IF_MATCH, "\"ab\"")], versions(&["ab"])),
            (&[(IF_MATCH, "W/\"ab.cd\"")], versions(&["ab.cd"])),
            (&[(IF_MATCH, "\"ab\", \"cd\""), (IF_MATCH, "\"ef\"")], versions(&["ab", "cd", "ef"])),
            (&[(IF_MATCH, "ab")], Err(ErrorKind::BadRequest)),
            (&[(IF_MATCH, "\"ab")], Err(ErrorKind::BadRequest)),
            (&[(IF_NONE_MATCH, "\"ab\"")], Err(ErrorKind::BadRequest)),
            (&[(IF_MATCH, "\"ab\""), (IF_NONE_MATCH, "*")], Err(ErrorKind::BadRequest)),
        ] {
            assert_eq!(read(headers), expected, "{headers:?}");
        }
    }

    #[test]
    fn a_rollback_takes_one_version() {
        assert_eq!(target(""), Ok(None));
        assert_eq!(target("to=ab"), Ok(Some("ab".into())));
        for query in ["to=a&to=b", "from=a", "to=a&x"] {
            assert_eq!(target(query).unwrap_err().kind, ErrorKind::BadRequest, "{query}");
        }
    }

    #[test]
    fn a_form_has_a_component_a_sidecar_or_both() {
        let form = |names: &[&str]| {
            parts(names.iter().map(|name| ((*name).to_owned(), Bytes::new())).collect())
        };
        assert_eq!(form(&["component"]), Ok((Some(Bytes::new()), None)));
        assert_eq!(form(&["sidecar", "component"]), Ok((Some(Bytes::new()), Some(Bytes::new()))));
        for names in [&[][..], &["sidecar", "sidecar"], &["component", "other"]] {
            assert_eq!(form(names).unwrap_err().kind, ErrorKind::BadRequest, "{names:?}");
        }
    }
}
