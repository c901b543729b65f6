//! Calls that nobody follows, and what is known of guests without calling them.

use std::time::Duration;

use tarp_host::config::Limits;
use tarp_host::error::ErrorKind;
use tarp_host::value::Value;

use crate::host::Host;

#[tokio::test]
async fn a_procedure_need_not_know_whether_anybody_listens() {
    let host = Host::start().await;
    for (name, arguments) in
        [("count_to", vec![Value::Int(5), Value::Int(0)]), ("count_aside", vec![Value::Int(5)])]
    {
        let outcome = host.call(name, &arguments, None).await;
        assert_eq!(outcome.result.unwrap(), Value::Int(5));
    }
    let outcome = host.call("chatty", &[Value::Int(2)], None).await;
    assert_eq!(outcome.output.stdout, "line 1 of 2\nline 2 of 2\n");
}

#[tokio::test]
async fn nobody_asks_a_plain_call_to_stop() {
    let deadline = Duration::from_millis(200);
    let host = Host::with(Limits { deadline, ..Limits::default() }).await;
    let outcome = host.call("until_asked_to_stop", &[], None).await;
    assert_eq!(outcome.result.unwrap_err().kind, ErrorKind::DeadlineExceeded);
}

#[tokio::test]
async fn no_example_can_touch_anything_outside() {
    let host = Host::start().await;
    let mut files = Vec::new();
    for procedure in host.procedures() {
        assert!(procedure.jobs.is_repeatable, "{}", procedure.name);
        files.push(&*procedure.source.file);
    }
    files.sort_unstable();
    files.dedup();
    assert!(files.len() >= 7 && files.contains(&"jobs.wasm"), "{files:?}");
}
