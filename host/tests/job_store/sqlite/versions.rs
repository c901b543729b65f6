//! What a later host stored in a layout that this one does not know is the fault of that job alone.

use rusqlite::Connection;
use tarp_host::error::{CallError, ErrorKind};
use tarp_host::jobs::model::{Completion, JobState, Logs};
use tarp_host::jobs::store::{Filter, JobStore};
use tarp_host::sandbox::Progress;
use tarp_host::value::Value;

use super::{fresh, open};
use crate::common::{completion, finish, found, submit};

#[tokio::test]
async fn what_is_of_an_unknown_version_is_told_and_all_else_can_be_read() {
    let (store, directory) = fresh();
    let [later, own] = [submit(&store).await, submit(&store).await];
    let error = CallError::new(ErrorKind::ProcedureError, "no such sample");
    for id in [later, own] {
        let end = Completion {
            error: Some(error.clone().with_value(Value::Int(7))),
            progress: Some(Progress { done: 1.0, total: None, message: None }),
            logs: Logs { stdout: "out".into(), ..Logs::default() },
            ..completion(JobState::Failed)
        };
        finish(&store, id, end).await.unwrap();
    }
    drop(store);
    let database = Connection::open(directory.path().join("jobs.sqlite")).unwrap();
    for sql in [
        "UPDATE errors SET value = x'020901' WHERE sequence = 1",
        "UPDATE jobs SET progress = x'020901' WHERE sequence = 1",
        "UPDATE logs SET lines = x'020901' WHERE sequence = 1",
    ] {
        assert_eq!(database.execute(sql, []), Ok(1));
    }
    database.close().unwrap();

    let store = open(directory.path());
    let job = found(&store, later).await;
    let told = job.error.unwrap();
    assert_eq!((told.kind, told.value, job.progress), (ErrorKind::ProcedureError, None, None));
    assert!(told.message.starts_with("no such sample [its value cannot be read: "));
    assert!(told.message.contains("version 9 of its layout"), "{}", told.message);
    let logs = store.logs(later).await.unwrap().unwrap();
    assert_eq!((&*logs.stdout, logs.lines.len()), ("out", 1));
    assert!(logs.lines[0].message.contains("version 9 of its layout"), "{logs:?}");

    assert_eq!(found(&store, own).await.error, Some(error.with_value(Value::Int(7))));
    let all = Filter {
        states: vec![],
        procedure: None,
        owner: None,
        since: None,
        until: None,
        before: None,
        limit: 9,
    };
    assert_eq!(store.list(&all).await.unwrap().jobs.len(), 2);
}
