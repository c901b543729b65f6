//! What a body is charged before it is read, against what reading it really allocates.

#![expect(unsafe_code, reason = "an allocator that counts is unsafe to implement")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use tarp_host::codec::text::Item;
use tarp_host::codec::types::{Arguments, Parameter, Signature, Type, bind};
use tarp_host::codec::{json, text};
use tarp_host::value::Value;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The system's, counting what the current thread has and had at the most.
struct Counting;

thread_local! {
    static NOW: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

fn count(bytes: isize) {
    let now = NOW.get() + bytes;
    NOW.set(now);
    PEAK.set(PEAK.get().max(now));
}

// SAFETY: everything is the system allocator's; only sizes are noted on the way.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller's contract is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: the caller's contract is the same, and every block is the system's.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Where a block moves, both are there for a moment.
        count(size as isize);
        count(-(layout.size() as isize));
        // SAFETY: as above.
        unsafe { System.realloc(block, layout, size) }
    }
}

/// What `work` allocates at once, at the most, and what it makes.
fn peak<T>(work: impl FnOnce() -> T) -> (usize, T) {
    let before = NOW.get();
    PEAK.set(before);
    let made = work();
    ((PEAK.get() - before) as usize, made)
}

fn many(part: impl Fn(usize) -> String, around: [&str; 2]) -> String {
    let parts: Vec<String> = (0..20_000).map(part).collect();
    format!("{}{}{}", around[0], parts.join(","), around[1])
}

/// Documents that take as much as they can for their length.
fn documents() -> Vec<String> {
    let list = ["[", "]"];
    // One more than a power of two: the block of the list has just been doubled.
    let doubled = |n: usize| format!("[{}]", vec!["null"; n].join(","));
    vec![
        many(|_| "[]".into(), list),
        many(|_| "[[]]".into(), list),
        many(|_| "[null]".into(), list),
        many(|_| "[[[[[null]]]]]".into(), list),
        many(|_| "{}".into(), list),
        many(|_| "{\"a\":1}".into(), list),
        many(|n| format!("{{\"{n}\":{{\"a\":[null]}}}}"), list),
        many(|n| format!("\"{n}\":0"), ["{", "}"]),
        many(|n| format!("\"{n}\":[]"), ["{", "}"]),
        many(|_| "\"\"".into(), list),
        many(|_| "\"x\"".into(), list),
        many(|n| format!("\"{n}\""), list),
        many(|_| "1".into(), list),
        many(|_| "1.5,null".into(), list),
        many(|_| "99999999999999999999".into(), list),
        many(|_| "1e999".into(), list),
        doubled((1 << 14) + 1),
        doubled((1 << 15) + 1),
        doubled(5),
        format!("\"{}\"", "x".repeat(1 << 20)),
        format!("\"{}\"", "\\n".repeat(1 << 19)),
        format!("[{}", "[null,".repeat(100)),
        format!("[{}", "[".repeat(10_000)),
        "\"".repeat(1001),
        "1".repeat(100_000),
        "7".into(),
        "[0]".into(),
        "{\"x\":1,\"y\":2}".into(),
    ]
}

#[test]
fn json_never_takes_more_than_it_is_charged() {
    for text in documents() {
        let (taken, read) = peak(|| json::parse(text.as_bytes()));
        let charged = json::memory(text.as_bytes());
        let begins = &text[..text.len().min(40)];
        // What a refusal says is not of the document's size.
        let allowed = charged.max(if read.is_err() { 4 << 10 } else { 256 });
        assert!(taken <= allowed, "{begins}: {taken} bytes, {charged} charged");
    }
}

#[test]
fn the_bound_is_no_more_than_some_times_what_is_taken() {
    for text in
        [documents().remove(2), format!("[\"{}\"]", "some text, of: [all] kinds ".repeat(9000))]
    {
        let (taken, _) = peak(|| json::parse(text.as_bytes()).unwrap());
        let charged = json::memory(text.as_bytes());
        assert!(charged <= 4 * taken + (64 << 10), "{taken} bytes, {charged} charged");
    }
}

fn signature(ty: Type) -> Signature {
    let parameters = vec![Parameter { name: "x".into(), ty, default: None }];
    Signature { parameters, result: None, is_async: false }
}

fn list(ty: Type) -> Type {
    Type::List(Box::new(ty))
}

#[test]
fn bytes_in_json_are_never_there_as_text_beside_it() {
    let value = Value::Bytes(vec![7; 1 << 20].into());
    let mut json = Vec::with_capacity(2 << 20);
    let (taken, written) = peak(|| serde_json::to_writer(&mut json, &json::Json(&value)));
    written.unwrap();
    assert_eq!(json.len(), json::least_size(&value));
    assert!(taken < 4 << 10, "{taken} bytes");
}

#[test]
fn what_is_bound_takes_no_more_either() {
    for (text, ty) in [
        (many(|_| "1".into(), ["[", "]"]), list(Type::F64)),
        (many(|_| "[1,2]".into(), ["[", "]"]), list(list(Type::U32))),
        (many(|_| "\"x\"".into(), ["[", "]"]), list(Type::String)),
        (many(|_| "null".into(), ["[", "]"]), list(Type::Option(Box::new(Type::U8)))),
    ] {
        let signature = signature(ty);
        let (taken, bound) = peak(|| {
            let value = json::parse(text.as_bytes()).unwrap();
            let value = json::typed(value, &signature.parameters[0].ty);
            bind("f", Arguments { positional: vec![value], named: Vec::new() }, &signature)
        });
        bound.unwrap();
        let charged = json::memory(text.as_bytes());
        assert!(taken <= charged, "{}: {taken} bytes, {charged} charged", &text[..20]);
    }
}

#[test]
fn forms_never_take_more_than_they_are_charged() {
    let names: Vec<String> = (0..20_000).map(|n| format!("n{n}=1")).collect();
    for (form, ty) in [
        ("x=1&".repeat(20_000) + "x=1", list(Type::U32)),
        ("x=&".repeat(20_000) + "x", list(Type::String)),
        ("&".repeat(20_000), Type::U8),
        (names.join("&"), Type::U8),
        (format!("x={}", "%41".repeat(100_000)), Type::String),
        (format!("x={}", "QUJD".repeat(100_000)), list(Type::U8)),
    ] {
        let signature = signature(ty);
        let (taken, _) = peak(|| {
            let pairs: Vec<_> = form_urlencoded::parse(form.as_bytes()).collect();
            text::arguments(
                pairs.into_iter().map(|(name, text)| (name, Item::Text(text))),
                &signature,
            )
        });
        let charged = text::form_memory(form.as_bytes());
        assert!(taken <= charged, "{}: {taken} bytes, {charged} charged", &form[..20]);
    }
}

#[test]
fn a_plain_text_takes_no_more_than_it_is_charged() {
    for (plain, ty) in [
        (many(|_| "[]".into(), ["[", "]"]), list(list(Type::String))),
        ("x,".repeat(50_000), Type::String),
        ("QUJD".repeat(50_000), list(Type::U8)),
    ] {
        let (taken, value): (usize, Value) = peak(|| text::value(&plain, &ty));
        drop(value);
        let charged = text::memory(plain.as_bytes());
        assert!(taken <= charged, "{}: {taken} bytes, {charged} charged", &plain[..20]);
    }
}
