//! Pickles made to break their reader: each is answered soon, and none takes much memory.

use std::time::{Duration, Instant};

use bytes::Bytes;
use tarp_host::codec::pickle::{Budget, Decoded, PickleError, PickleErrorKind, decode};

use crate::fixtures;

/// What no answer may take, however slow and busy the machine.
const LONG: Duration = Duration::from_secs(20);

fn answer(pickle: impl Into<Bytes>) -> Result<Decoded, PickleError> {
    let start = Instant::now();
    let result = decode(&pickle.into(), &Budget::default());
    assert!(start.elapsed() < LONG, "answered after {:?}", start.elapsed());
    result
}

fn refused(pickle: impl Into<Bytes>) -> PickleErrorKind {
    answer(pickle).expect_err("a refusal").kind
}

fn is_over_budget(pickle: impl Into<Bytes>, what: &str) {
    match refused(pickle) {
        PickleErrorKind::OverBudget { what: ran_out, .. } => assert_eq!(ran_out, what),
        fault => panic!("{fault}"),
    }
}

fn is_malformed(pickle: impl Into<Bytes>) {
    let pickle = pickle.into();
    let fault = refused(pickle.clone());
    assert!(matches!(fault, PickleErrorKind::Malformed(_)), "{pickle:?}: {fault}");
}

fn repeat(head: &[u8], part: &[u8], count: usize, tail: &[u8]) -> Vec<u8> {
    [head, &part.repeat(count), tail].concat()
}

#[test]
fn deep_nesting_is_refused() {
    let levels = "levels of nesting";
    for count in [201, 2_000, 1_000_000] {
        is_over_budget(
            [b"]".repeat(count), b"a".repeat(count - 1), b".".to_vec()].concat(),
            levels,
        );
        is_over_budget(repeat(b")", b"\x85", count, b"."), levels);
        let dicts = [b"}K\x01".repeat(count), b"N".to_vec(), b"s".repeat(count), b".".to_vec()];
        is_over_budget(dicts.concat(), levels);
    }
    is_over_budget([b"]".repeat(30 << 20), b"a".repeat(30 << 20)].concat(), "objects");
    assert!(answer([b"]".repeat(200), b"a".repeat(199), b".".to_vec()].concat()).is_ok());
    let budget = Budget { depth: usize::MAX, ..Budget::default() };
    let deep = [b"]".repeat(100_000), b"a".repeat(99_999), b".".to_vec()].concat();
    assert!(decode(&deep.into(), &budget).is_err());
}

#[test]
fn shared_references_may_not_explode() {
    let memory = "bytes of memory for its values";
    // Each level holds the one below twice: 2^57 values from a few bytes.
    is_over_budget(repeat(b"N", b"2\x86", 57, b"."), memory);
    is_over_budget(repeat(b"]\x94]", b"\x942\x86", 57, b"."), memory);
    let mut lists = b"]\x94K\x01a0".to_vec();
    for level in 0..100 {
        lists.extend([b'h', level, b'0', b']', 0x94, b'(', b'h', level, b'h', level, b'e', b'0']);
    }
    lists.extend(*b"h\x64.");
    is_over_budget(lists, memory);
    // One array of a megabyte, a million times.
    let mut arrays =
        b"\x8c\x05numpy\x8c\x07ndarray\x93(J\x00\x00\x10\x00\x85\x8c\x02u1B\x00\x00\x10\x00"
            .to_vec();
    arrays.extend(vec![7; 1 << 20]);
    arrays.extend(*b"tR\x94(");
    arrays.extend(b"h\x00".repeat(1_000_000));
    arrays.extend(*b"t.");
    is_over_budget(arrays, memory);
}

#[test]
fn stack_memo_and_marks_are_bounded() {
    for part in [&b"N"[..], b"2", b"(", b"\x94", b"]", b")", b"]\x94", b"K\x01(", b"N\x85"] {
        let count = (60 << 20) / part.len();
        is_over_budget(repeat(b"N", part, count, b"."), "objects");
    }
    let tight = Budget { operations: 10, ..Budget::default() };
    assert!(decode(&repeat(b"", b"N0", 100, b"N.").into(), &tight).is_err());
    let tight = Budget { bytes: 10, ..Budget::default() };
    assert!(decode(&repeat(b"", b"N0", 100, b"N.").into(), &tight).is_err());
}

#[test]
fn copies_are_counted() {
    let list = [b"](".to_vec(), b"N".repeat(100_000), b"e\x94".to_vec()].concat();
    let sets = repeat(&list, b"c__builtin__\nset\n(h\x00tR0", 10_000, b"N.");
    assert!(matches!(refused(sets), PickleErrorKind::OverBudget { .. }));
    let digits = [b"X\x40\x42\x0f\x00".to_vec(), b"7".repeat(1_000_000), b"\x94".to_vec()].concat();
    let decimals = repeat(&digits, b"cdecimal\nDecimal\n(h\x00tR0", 100_000, b"N.");
    is_over_budget(decimals, "operations");
    let bytes = repeat(&digits, b"c_codecs\nencode\n(h\x00U\x06latin1tR0", 100_000, b"N.");
    is_over_budget(bytes, "bytes of copies");
    let long = [b"\x8b\xe8\x03\x00\x00".to_vec(), vec![0x7f; 1000], b"\x94".to_vec()].concat();
    let fractions = repeat(&long, b"cfractions\nFraction\n(h\x00h\x00tR0", 1_000_000, b"N.");
    assert!(matches!(refused(fractions), PickleErrorKind::OverBudget { .. }));
}

#[test]
fn declared_sizes_are_not_believed() {
    let giant = (1u64 << 63).to_le_bytes();
    for opcode in [0x8d, 0x8e, 0x96] {
        is_malformed([&[opcode], &giant[..], b"abc."].concat());
    }
    for pickle in [
        &b"X\xff\xff\xff\xffabc."[..],
        b"B\xff\xff\xff\x7fabc.",
        b"T\xff\xff\xff\xff.",
        b"\x8b\xff\xff\xff\xff.",
        b"\x8b\xff\xff\xff\x7f.",
        b"\x8c\x05ab",
        b"U\x05ab",
        b"\x8a\x05ab",
    ] {
        is_malformed(pickle);
    }
    let shape = |shape: &[u8]| [b"cnumpy\nndarray\n(", shape, b"\x8c\x03<f8C\x00tR."].concat();
    is_malformed(shape(b"J\xff\xff\xff\x7fJ\xff\xff\xff\x7fJ\xff\xff\xff\x7f\x87"));
    let memory = "bytes of memory for its values";
    is_over_budget(shape(b"J\xff\xff\xff\x7fK\x00\x86"), memory);
    is_malformed(shape(b"J\xff\xff\xff\xff\x85"));
    let empty_texts = b"cnumpy\nndarray\n(J\xff\xff\xff\x7f\x85\x8c\x02U0C\x00tR.";
    is_over_budget(&empty_texts[..], memory);
    let range = b"cbuiltins\nrange\n(K\x00\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7fK\x01tR.";
    is_over_budget(&range[..], memory);
    is_malformed(&b"Nr\xff\xff\xff\xff0j\xfe\xff\xff\xff."[..]);
    assert!(answer(&b"Nr\xff\xff\xff\xff0j\xff\xff\xff\xff."[..]).is_ok());
}

#[test]
fn broken_programs_are_malformed() {
    for pickle in [
        &b""[..],
        b".",
        b"0",
        b"1",
        b"2.",
        b"a.",
        b"Na.",
        b"NNa.",
        b"e.",
        b"(e.",
        b"N(Ne.",
        b"s.",
        b"]NNs.",
        b"}(Nu.",
        b"t.",
        b"\x85.",
        b"N\x86.",
        b"NN\x87.",
        b"R.",
        b"NR.",
        b"N)R.",
        b"b.",
        b"h\x00.",
        b"g0\n.",
        b"gx\n.",
        b"j\x00\x00\x00\x00.",
        b"\x94.",
        b"q\x00.",
        b"p0\n.",
        b"d.",
        b"l.",
        b"(Nd.",
        b"\x91.",
        b"\x90.",
        b"\x8f(N\x90",
        b"](N\x90.",
        b"\x93.",
        b"N\x93.",
        b"NN\x93.",
        b"\xff.",
        b"z.",
        b"I\n.",
        b"Ix\n.",
        b"F\n.",
        b"S'\n.",
        b"Vx",
        b"L5",
        b"(.",
        b"N(.",
        b"}](N\x86K\x01u.",
        b"(}d.",
        b"}]Ns.",
        b"\x8f(]\x90.",
    ] {
        is_malformed(pickle);
    }
}

#[test]
fn refusals_name_the_culprit_and_the_cure() {
    for (pickle, culprit) in [
        (&b"cos\nsystem\n(S'true'\ntR."[..], "`os.system`; only plain values"),
        (b"\x8c\x05posix\x8c\x06system\x93.", "`posix.system`"),
        (b"cbuiltins\neval\n.", "`builtins.eval`"),
        (b"c__builtin__\ngetattr\n(c__builtin__\nset\nX\x03\x00\x00\x00abctR.", "getattr"),
        (b"c\n\n.", "`.`"),
        (b"Pid\n.", "PERSID"),
        (b"NQ.", "BINPERSID"),
        (b"\x82\x01.", "EXT1"),
        (b"\x83\x01\x00.", "EXT2"),
        (b"\x84\x01\x00\x00\x00.", "EXT4"),
        (b"(ios\nsystem\n.", "INST"),
        (b"(o.", "OBJ"),
        (b"\x97.", "NEXT_BUFFER"),
        (b"\x98.", "READONLY_BUFFER"),
        (b"cuuid\nUUID\n)}\x92.", "NEWOBJ_EX"),
        (b"\x80\x06N.", "protocol 6"),
        (b"cuuid\nUUID\n)\x81.", "UUID without its state"),
        (b"cuuid\nUUID\n.", "uuid.UUID"),
        (b"]\x94h\x00a.", "contains itself"),
    ] {
        let fault = refused(pickle);
        assert!(matches!(fault, PickleErrorKind::Refused(_)), "{fault:?}");
        assert!(fault.to_string().contains(culprit), "{fault}");
    }
    let error = answer(&b"\x80\x04NNcos\nsystem\n."[..]).expect_err("a refusal");
    assert_eq!(error.offset, 4);
    assert!(error.to_string().starts_with("pickle, byte 4: the pickle refers to `os.system`"));
}

#[test]
fn every_fixture_may_end_anywhere() {
    for fixtures::Case { name, pickle, .. } in fixtures::cases() {
        for end in 0..pickle.len() - 1 {
            assert!(answer(pickle.slice(..end)).is_err(), "{name} cut at {end}");
        }
    }
}

#[test]
fn every_fixture_may_have_flipped_bits() {
    // A linear congruential generator (Knuth's MMIX), so that a failure can be repeated.
    let mut seed = 1u64;
    let mut random = move |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    for fixtures::Case { pickle, .. } in fixtures::cases() {
        for _ in 0..50 {
            let mut broken = pickle.to_vec();
            for _ in 0..=random(3) {
                let at = random(broken.len());
                broken[at] ^= 1 << random(8);
            }
            let _ = answer(broken);
        }
    }
}
