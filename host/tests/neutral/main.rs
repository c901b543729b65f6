//! What is encoded neutrally comes back to the bit, and bytes that are damaged are refused.

#[path = "../values/mod.rs"]
mod values;

use std::sync::Arc;

use proptest::prelude::*;
use tarp_host::codec::neutral::{NeutralError, decode, encode, encoded_size};
use tarp_host::codec::types::Arguments;
use tarp_host::error::{CallError, ErrorKind, Output};
use tarp_host::value::{Array, Numbers, Value};

use values::value;

fn named() -> impl Strategy<Value = Value> {
    let class = prop::sample::select(vec![
        "datetime.datetime",
        "datetime.timedelta",
        "zoneinfo.ZoneInfo",
        "decimal.Decimal",
        "uuid.UUID",
    ]);
    (class, ".*")
        .prop_map(|(class, text): (&'static str, String)| Value::Named { class, text: text.into() })
}

fn error() -> impl Strategy<Value = CallError> {
    let kind = prop::sample::select(vec![
        ErrorKind::BadRequest,
        ErrorKind::ProcedureError,
        ErrorKind::Internal,
    ]);
    let optional = prop::option::of(value());
    (kind, ".*", optional, prop::option::of(".*"), any::<Option<u32>>()).prop_map(
        |(kind, message, value, backtrace, retry_after)| CallError {
            value,
            backtrace,
            retry_after,
            ..CallError::new(kind, message)
        },
    )
}

proptest! {
    #[test]
    fn values_come_back(value in value(), named in named()) {
        let value = Value::List(vec![value, named]);
        prop_assert_eq!(decode::<Value>(&encode(&value)).unwrap(), value);
    }

    #[test]
    fn arguments_come_back(
        positional in prop::collection::vec(value(), 0..4),
        named in prop::collection::vec((".*", value()), 0..4),
    ) {
        let named = named.into_iter().map(|(name, value)| (Arc::from(name), value)).collect();
        let arguments = Arguments { positional, named };
        prop_assert_eq!(decode::<Arguments>(&encode(&arguments)).unwrap(), arguments);
    }

    #[test]
    fn failures_come_back(error in error(), stdout in ".*", stderr in ".*") {
        prop_assert_eq!(decode::<CallError>(&encode(&error)).unwrap(), error);
        let output = Output { stdout, stderr };
        prop_assert_eq!(decode::<Output>(&encode(&output)).unwrap(), output);
    }

    #[test]
    fn damaged_bytes_are_answered(value in value(), at: prop::sample::Index, bits in 1u8..) {
        let encoded = encode(&value);
        let at = at.index(encoded.len());
        prop_assert!(decode::<Value>(&encoded[..at]).is_err());
        let mut damaged = encoded;
        damaged[at] ^= bits;
        let _ = decode::<Value>(&damaged);
    }

    #[test]
    fn arbitrary_bytes_are_answered(mut bytes in prop::collection::vec(any::<u8>(), 1..200)) {
        bytes[0] = 1;
        let _ = decode::<Value>(&bytes);
        let _ = decode::<Arguments>(&bytes);
        let _ = decode::<CallError>(&bytes);
    }
}

/// Every bit of a float: equality does not see the sign of zero, nor what a NaN carries.
#[test]
fn floats_keep_their_bits() {
    let bits = [0x7ff8_0000_0000_0001u64, 0xfff0_dead_beef_0000, 0x8000_0000_0000_0000, 1];
    let floats: Vec<f64> = bits.iter().copied().map(f64::from_bits).collect();
    let singles: Vec<f32> = [0x7fc0_0001u32, 0xff80_0001, 0x8000_0000].map(f32::from_bits).into();
    let value = Value::Tuple(vec![
        Value::Float(floats[0]),
        Value::Float32(singles[1]),
        Value::Array(Array::row(floats)),
        Value::Array(Array::row(singles)),
    ]);
    let encoded = encode(&value);
    let Value::Tuple(back) = decode(&encoded).unwrap() else { panic!("no tuple") };
    let [Value::Float(float), Value::Float32(single), Value::Array(row), Value::Array(short)] =
        &back[..]
    else {
        panic!("{back:?}")
    };
    assert_eq!((float.to_bits(), single.to_bits()), (bits[0], 0xff80_0001));
    let Numbers::F64(row) = row.numbers() else { panic!("{row:?}") };
    assert!(row.iter().map(|float| float.to_bits()).eq(bits));
    let Numbers::F32(short) = short.numbers() else { panic!("{short:?}") };
    assert!(short.iter().map(|float| float.to_bits()).eq([0x7fc0_0001, 0xff80_0001, 0x8000_0000]));
}

/// A million numbers take eight million bytes and a few, as a byte string does.
#[test]
fn rows_of_numbers_are_one_block() {
    let row = Value::Array(Array::row(vec![0.1f64; 1_000_000]));
    assert!(encode(&row).len() < 8_000_020);
    let bytes = Value::Bytes(vec![0xff; 1_000_000].into());
    assert!(encode(&bytes).len() < 1_000_010);
}

/// What is on a disk somewhere must be read by every later host.
#[test]
fn the_encoding_is_what_it_was() {
    let value = Value::Map(vec![
        (Value::text("a"), Value::Array(Array::row(vec![1u16, 258]))),
        (Value::None, Value::List(vec![Value::Int(-1), Value::Bool(true)])),
    ]);
    let encoded = [1, 12, 2, 6, 1, b'a', 8, 1, 2, 6, 4, 1, 0, 2, 1, 0, 9, 2, 2, 1, 1, 1];
    assert_eq!(encode(&value), encoded);
    assert_eq!(decode::<Value>(&encoded).unwrap(), value);
    let error = CallError::new(ErrorKind::Trap, "m");
    assert_eq!(encode(&error), [1, 4, b'T', b'r', b'a', b'p', 1, b'm', 0, 0, 0]);
}

#[test]
fn what_this_host_does_not_know_is_refused() {
    let refusal = |bytes: &[u8]| decode::<Value>(bytes).unwrap_err();
    assert_eq!(refusal(&[]), NeutralError::Empty);
    assert_eq!(refusal(&[2, 0]), NeutralError::Version(2));
    let malformed = |bytes: &[u8]| assert!(matches!(refusal(bytes), NeutralError::Malformed(_)));
    malformed(&[1, 99]);
    malformed(&[1, 0, 0]);
    // A class of nobody's, a shape of another product, a row that ends within a number, a bool of 2.
    malformed(&[&[1, 13, 7][..], b"os.Kill", &[1, b'x']].concat());
    malformed(&[1, 8, 1, 3, 5, 2, 0, 0]);
    malformed(&[1, 8, 1, 1, 6, 1, 0]);
    malformed(&[1, 8, 1, 1, 0, 1, 2]);
    let unknown = [&[1, 4][..], b"Trip", &[1, b'm', 0, 0, 0]].concat();
    assert!(decode::<CallError>(&unknown).is_err());
}

/// On a thread with the stack that the host's threads have.
#[test]
fn deep_values_come_back_and_deeper_ones_are_refused() {
    let deep = |levels| (1..levels).fold(Value::None, |inner, _| Value::List(vec![inner]));
    let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(move || {
        assert_eq!(decode::<Value>(&encode(&deep(1000))).unwrap(), deep(1000));
        let mut deeper = [9, 1].repeat(1_000_000);
        deeper.insert(0, 1);
        assert!(decode::<Value>(&deeper).is_err());
        // And the count of levels is right again.
        assert_eq!(decode::<Value>(&encode(&deep(1000))).unwrap(), deep(1000));
    });
    thread.unwrap().join().unwrap();
}

proptest! {
    #[test]
    fn the_size_is_known_before_anything_is_written(value in value()) {
        prop_assert_eq!(encoded_size(&value), encode(&value).len());
    }
}

/// A text that is shared was written out as often as it occurred before anybody asked how large that is.
#[test]
fn the_size_of_shared_text_is_found_without_writing_it() {
    let text: Arc<str> = "x".repeat(1 << 20).into();
    let shared = Value::List(vec![Value::Text(text); 100_000]);
    assert!(encoded_size(&shared) > 100_000 << 20);
}
