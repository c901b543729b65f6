//! Everything that a guest says arrives, in order and put right.

use std::sync::atomic::Ordering;

use tarp_host::error::ErrorKind;
use tarp_host::sandbox::{Level, Progress};
use tarp_host::value::Value;

use crate::host::Host;
use crate::recorder::Recorder;

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

fn steps(n: u32) -> Vec<Progress> {
    let step = |i| Progress {
        done: f64::from(i),
        total: Some(f64::from(n)),
        message: Some(format!("step {i} of {n}")),
    };
    (1..=n).map(step).collect()
}

#[tokio::test]
async fn progress_and_log_arrive_in_order() {
    let host = Host::start().await;
    let (recorder, observer) = Recorder::new();
    let outcome = host.call("count_to", &[Value::Int(5), Value::Int(1)], observer).await;
    assert_eq!(outcome.result.unwrap(), Value::Int(5));
    assert_eq!(*recorder.progress.lock().unwrap(), steps(5));
    let log = [(Level::Info, "counting to 5".into()), (Level::Info, "counted to 5".into())];
    assert_eq!(*recorder.log.lock().unwrap(), log);
}

#[tokio::test]
async fn an_async_func_reports_progress_too() {
    let host = Host::start().await;
    let (recorder, observer) = Recorder::new();
    let outcome = host.call("count_aside", &[Value::Int(3)], observer).await;
    assert_eq!(outcome.result.unwrap(), Value::Int(3));
    assert_eq!(*recorder.progress.lock().unwrap(), steps(3));
}

#[tokio::test]
async fn what_came_before_a_failure_is_kept() {
    let host = Host::start().await;
    let (recorder, observer) = Recorder::new();
    let outcome = host.call("fail_after", &[Value::Int(2), text("the lamp broke")], observer).await;
    let error = outcome.result.unwrap_err();
    assert_eq!((error.kind, &*error.message), (ErrorKind::ProcedureError, "the lamp broke"));
    assert_eq!(*recorder.progress.lock().unwrap(), steps(2));
    assert_eq!(*recorder.log.lock().unwrap(), [(Level::Error, "the lamp broke".into())]);
}

#[tokio::test]
async fn senseless_progress_is_put_right() {
    let host = Host::start().await;
    let (recorder, observer) = Recorder::new();
    let reports = [
        [Value::Float(f64::NAN), Value::Float(4.0), Value::None],
        [Value::Float(5.0), Value::Float(4.0), Value::None],
        [Value::Float(-1.0), Value::Float(f64::INFINITY), text(&"m".repeat(1030))],
    ];
    for report in reports {
        host.call("report", &report, observer.clone()).await.result.unwrap();
    }
    let cut = format!("{}[... 6 bytes left out]", "m".repeat(1024));
    let expected = [
        Progress { done: 0.0, total: Some(4.0), message: None },
        Progress { done: 4.0, total: Some(4.0), message: None },
        Progress { done: 0.0, total: None, message: Some(cut) },
    ];
    assert_eq!(*recorder.progress.lock().unwrap(), expected);
}

#[tokio::test]
async fn a_long_log_message_is_cut_at_every_level() {
    let host = Host::start().await;
    let (recorder, observer) = Recorder::new();
    let message = "é".repeat(5000);
    host.call("note", &[text(&message)], observer).await.result.unwrap();
    let cut = format!("{}[... 1808 bytes left out]", "é".repeat(4096));
    let levels = [Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error];
    assert_eq!(*recorder.log.lock().unwrap(), levels.map(|level| (level, cut.clone())));
}

#[tokio::test]
async fn a_guest_sees_that_it_should_stop_and_its_output_is_seen_meanwhile() {
    let host = Host::start().await;
    let (recorder, observer) = Recorder::new();
    let call = host.call("until_asked_to_stop", &[], observer);
    let owner = async {
        for _ in 0..3 {
            recorder.asked.notified().await;
        }
        let output = recorder.output.lock().unwrap().clone().unwrap();
        assert_eq!(output.text().stdout, "waiting\n");
        recorder.cancelled.store(true, Ordering::Relaxed);
    };
    let (outcome, ()) = tokio::join!(call, owner);
    let Value::Text(text) = outcome.result.unwrap() else { panic!("not a text") };
    assert!(text.starts_with("was asked to stop at look "), "{text}");
}
