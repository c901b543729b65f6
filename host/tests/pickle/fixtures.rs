//! Pickles that real Pythons wrote; see `tests/fixtures/pickles/README.md`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value as Json, json};
use tarp_host::codec::pickle::{
    Arrays, Budget, PickleErrorKind, Protocol, decode, encode, encode_as,
};
use tarp_host::value::{Numbers, PYTHON_2_STR, Value};

/// One pickle of the fixtures.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) pickle: Bytes,
    expected: Json,
    uses_numpy: bool,
}

pub(crate) fn cases() -> Vec<Case> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/pickles");
    let mut cases = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder of fixtures") {
        let path = entry.expect("an entry of the folder").path();
        if path.extension().is_none_or(|extension| extension != "jsonl") {
            continue;
        }
        let file = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        for line in std::fs::read_to_string(&path).expect("a fixture").lines() {
            let line: Json = serde_json::from_str(line).expect("JSON");
            for (protocol, pickle) in line["pickles"].as_object().expect("pickles") {
                let pickle = STANDARD.decode(pickle.as_str().expect("text")).expect("base64");
                cases.push(Case {
                    name: format!("{file}, {}, protocol {protocol}", line["name"]),
                    pickle: pickle.into(),
                    expected: line["expected"].clone(),
                    uses_numpy: line["numpy"] == true,
                });
            }
        }
    }
    assert!(cases.len() > 900, "only {} fixtures found", cases.len());
    cases
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn describe_all(values: &[Value]) -> Json {
    values.iter().map(describe).collect()
}

fn describe(value: &Value) -> Json {
    match value {
        Value::None => Json::Null,
        Value::Bool(b) => json!(b),
        Value::Int(n) => json!({"int": n.to_string()}),
        Value::BigInt(n) => json!({"int": n.to_string()}),
        Value::Float32(n) => json!({"f32": hex(n.to_le_bytes())}),
        Value::Float(n) => json!({"f64": hex(n.to_le_bytes())}),
        // Python 2 does not say which of its `str` are text.
        Value::Text(text) | Value::Named { class: PYTHON_2_STR, text } => json!(&**text),
        Value::Bytes(bytes) => json!({"bytes": hex(bytes)}),
        Value::Array(array) => {
            macro_rules! bytes {
                ($($variant:ident),*) => {
                    match array.numbers() {
                        Numbers::Bool(v) => v.iter().map(|b| u8::from(*b)).collect(),
                        $(Numbers::$variant(v) => {
                            v.iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<_>>()
                        })*
                    }
                };
            }
            let data = bytes!(I8, I16, I32, I64, U8, U16, U32, U64, F32, F64);
            let kind = array.numbers().kind();
            json!({"array": kind, "shape": array.shape(), "data": hex(data)})
        }
        Value::List(values) => describe_all(values),
        Value::Tuple(values) => json!({"tuple": describe_all(values)}),
        Value::Set(values) => json!({"set": describe_all(values)}),
        Value::Map(entries) => {
            let entry = |(key, value): &(Value, Value)| json!([describe(key), describe(value)]);
            json!({"map": entries.iter().map(entry).collect::<Json>()})
        }
        Value::Named { class, text } => json!({"named": class, "text": &**text}),
    }
}

#[test]
fn every_fixture_decodes_as_expected() {
    let mut wrong = Vec::new();
    for Case { name, pickle, expected, uses_numpy } in cases() {
        let refused = expected.get("refused").and_then(Json::as_str);
        match (decode(&pickle, &Budget::default()), refused) {
            (Ok(decoded), None) => {
                let value = describe(&decoded.value);
                if value != expected || decoded.uses_numpy != uses_numpy {
                    wrong.push(format!("{name}: {value} instead of {expected}"));
                }
            }
            (Err(error), Some(part)) => {
                let is_clear = matches!(error.kind, PickleErrorKind::Refused(_));
                if !is_clear || !error.to_string().contains(part) {
                    wrong.push(format!("{name}: {error:?} instead of {part}"));
                }
            }
            (Err(error), None) => wrong.push(format!("{name}: {error}")),
            (Ok(decoded), Some(part)) => {
                wrong.push(format!("{name}: {:?} instead of {part}", decoded.value));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_fixture_survives_both_encodings() {
    for Case { name, pickle, .. } in cases() {
        let Ok(decoded) = decode(&pickle, &Budget::default()) else {
            continue;
        };
        for arrays in [Arrays::Lists, Arrays::Numpy] {
            let once = encode(&decoded.value, arrays);
            let again = decode(&once.clone().into(), &Budget::default()).expect(&name);
            assert_eq!(encode(&again.value, arrays), once, "{name}");
            let newer = encode_as(&decoded.value, arrays, Protocol::Five);
            let newer = decode(&newer.into(), &Budget::default()).expect(&name);
            assert_eq!(encode(&newer.value, arrays), once, "{name}, protocol 5");
        }
    }
}
