//! Results that were once lifted wrongly.

use tarp_host::error::ErrorKind;
use tarp_host::value::Value;

use crate::host::Host;

/// A text that is followed by something else in memory made wasmtime panic, which expects to be
/// handed the text's address and length and not a byte more.
#[tokio::test]
async fn a_text_need_not_be_the_last_of_its_record() {
    let host = Host::start().await;
    let message = || Value::Text("too hot".into());
    let error = host.call("fail_with_record", &[message()], None).await.result.unwrap_err();
    let Some(Value::Map(fields)) = error.value else { panic!("{:?}", error.value) };
    assert!(fields.contains(&(Value::Text("message".into()), message())), "{fields:?}");

    let error = host.call("fail_as_other", &[message()], None).await.result.unwrap_err();
    assert_eq!((error.kind, &*error.message), (ErrorKind::ProcedureError, "too hot"));
}
