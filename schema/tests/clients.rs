//! The lists that other languages have of kinds and states are the schema's.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use tarp_schema::error_kind::ErrorKind;
use tarp_schema::job_state::JobState;

fn source(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The texts in double quotes of the first line that has `start`.
fn quoted(source: &str, start: &str) -> BTreeSet<String> {
    let line = source.lines().find(|line| line.contains(start));
    let line = line.unwrap_or_else(|| panic!("no line has `{start}`"));
    line.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

fn ended() -> BTreeSet<String> {
    let terminal = JobState::ALL.into_iter().filter(|state| state.is_terminal());
    terminal.map(|state| state.name().to_owned()).collect()
}

#[test]
fn the_python_client_has_an_exception_for_each_kind() {
    let source = source("clients/python/src/tarp/_exceptions.py");
    let classes: BTreeSet<_> = source
        .lines()
        .filter_map(|line| line.strip_prefix("class ")?.split_once("(RemoteError"))
        .map(|(name, _)| name)
        .collect();
    let kinds: BTreeSet<_> = ErrorKind::ALL
        .into_iter()
        .map(|kind| if kind == ErrorKind::Internal { "InternalError" } else { kind.name() })
        .collect();
    assert_eq!(classes, kinds);
}

#[test]
fn the_python_client_and_the_console_know_in_which_states_a_job_has_ended() {
    assert_eq!(quoted(&source("clients/python/src/tarp/_status.py"), "ENDED = "), ended());
    assert_eq!(quoted(&source("host/console/lib/job-states.js"), "ENDED = "), ended());
}

#[test]
fn the_openapi_document_knows_the_states_of_a_job() {
    let states = JobState::ALL.map(|state| state.name().to_owned());
    let document = source("host/src/front/openapi/own_schemas.json");
    assert_eq!(quoted(&document, "\"timed_out\""), {
        let mut states = BTreeSet::from(states);
        states.insert("enum".to_owned());
        states
    });
}
