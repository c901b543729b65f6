//! CPython itself as the judge: what we write it loads, and what it writes back we read the same.

use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

use proptest::prelude::*;
use tarp_host::codec::pickle::{Arrays, Budget, decode, encode};
use tarp_host::value::{Array, Value};

/// Answers each pickle, sent with its length and a protocol, with the same value pickled again.
const HELPER: &str = r"
import pickle, struct, sys, warnings
warnings.simplefilter('error')
for head in iter(lambda: sys.stdin.buffer.read(5), b''):
    length, protocol = struct.unpack('<IB', head)
    value = pickle.loads(sys.stdin.buffer.read(length))
    if type(value).__name__ == 'ndarray':
        value.flags['WRITEABLE'] or sys.exit('not writable')
        if value.size:
            value[...] = value
    answer = pickle.dumps(value, min(protocol, pickle.HIGHEST_PROTOCOL))
    sys.stdout.buffer.write(struct.pack('<I', len(answer)) + answer)
    sys.stdout.buffer.flush()
";

/// The Python to ask: `TARP_TEST_PYTHON`, or `python3` if that is not set.
fn python() -> Command {
    Command::new(std::env::var("TARP_TEST_PYTHON").unwrap_or_else(|_| "python3".into()))
}

struct Oracle(Mutex<Child>);

impl Oracle {
    fn start() -> Self {
        let child = python()
            .args(["-c", HELPER])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3, or the Python that TARP_TEST_PYTHON names");
        Self(Mutex::new(child))
    }

    fn ask(&self, pickle: &[u8], protocol: u8) -> Vec<u8> {
        let mut child = self.0.lock().expect("no test panics while it asks");
        let stdin = child.stdin.as_mut().expect("a pipe");
        let length = u32::try_from(pickle.len()).expect("a short pickle");
        stdin.write_all(&[&length.to_le_bytes()[..], &[protocol], pickle].concat()).expect("sent");
        stdin.flush().expect("sent");
        let stdout = child.stdout.as_mut().expect("a pipe");
        let mut length = [0; 4];
        stdout.read_exact(&mut length).expect("Python failed to load what it was sent");
        let mut answer = vec![0; u32::from_le_bytes(length) as usize];
        stdout.read_exact(&mut answer).expect("an answer");
        answer
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        if let Ok(child) = self.0.get_mut() {
            drop(child.stdin.take());
            let _ = child.wait();
        }
    }
}

/// Set elements in one order, as Python keeps none.
fn sorted(value: Value) -> Value {
    let all = |values: Vec<Value>| values.into_iter().map(sorted).collect::<Vec<_>>();
    match value {
        Value::List(values) => Value::List(all(values)),
        Value::Tuple(values) => Value::Tuple(all(values)),
        Value::Set(values) => {
            let mut values = all(values);
            values.sort_by_key(|value| format!("{value:?}"));
            Value::Set(values)
        }
        Value::Map(entries) => {
            Value::Map(entries.into_iter().map(|(k, v)| (sorted(k), sorted(v))).collect())
        }
        value => value,
    }
}

fn read(pickle: Vec<u8>) -> Value {
    sorted(
        decode(&pickle.into(), &Budget::default()).expect("a pickle of ours or of Python's").value,
    )
}

#[test]
fn python_writes_back_what_it_read() {
    let oracle = Oracle::start();
    let config = ProptestConfig { cases: 300, ..ProptestConfig::default() };
    proptest!(config, |(value in crate::values::value(), protocol in 0u8..6)| {
        let pickle = encode(&value, Arrays::Lists);
        let back = oracle.ask(&pickle, protocol);
        prop_assert_eq!(read(back), read(pickle));
    });
    let row = |n: i64| Value::Array(Array::row((0..n).collect::<Vec<_>>()));
    for count in [0, 1, 999, 1000, 1001, 2000, 2001] {
        let text = |n: i64| Value::text(n.to_string());
        for value in [
            row(count),
            Value::List((0..count).map(text).collect()),
            Value::Tuple((0..count).map(text).collect()),
            Value::Set((0..count).map(text).collect()),
            Value::Map((0..count).map(|n| (text(n), Value::None)).collect()),
        ] {
            let pickle = encode(&value, Arrays::Lists);
            assert_eq!(read(oracle.ask(&pickle, 4)), read(pickle));
        }
    }
}

#[test]
fn elements_and_keys_are_hashable_in_python() {
    let oracle = Oracle::start();
    let row = Value::Array(Array::row(vec![1.5, 2.5]));
    let dict = Value::Map(vec![(row.clone(), Value::None)]);
    let keys = vec![
        row.clone(),
        Value::List(vec![row.clone(), Value::None]),
        Value::Set(vec![Value::Int(1)]),
        Value::Tuple(vec![Value::List(vec![]), dict.clone()]),
    ];
    for value in [dict, Value::Set(keys)] {
        for arrays in [Arrays::Lists, Arrays::Numpy] {
            let pickle = encode(&value, arrays);
            assert_eq!(read(oracle.ask(&pickle, 4)), read(pickle));
        }
    }
}

/// Needs numpy; without it, only what the host itself reads back is tested (`random`).
#[test]
fn numpy_loads_writable_arrays_without_warnings() {
    let has_numpy = python().args(["-c", "import numpy"]).stderr(Stdio::null()).status();
    if !has_numpy.is_ok_and(|status| status.success()) {
        eprintln!("skipped: this Python has no numpy");
        return;
    }
    let oracle = Oracle::start();
    let config = ProptestConfig { cases: 300, ..ProptestConfig::default() };
    proptest!(config, |(value in crate::values::value(), protocol in 2u8..6)| {
        let pickle = encode(&value, Arrays::Numpy);
        let back = oracle.ask(&pickle, protocol);
        prop_assert_eq!(read(back), read(pickle));
    });
}
