//! What hints become, as tables; needs `python3`, and nothing else.

use std::fs;
use std::path::Path;

use crate::BuildError;
use crate::report::{Silent, Step};
use serde_json::Value;
use tarp_schema::procedure::AuthorSignature;

use super::world::Mapped;
use super::{analysis, world};

fn map(source: &str) -> Result<Mapped, BuildError> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sample.py");
    fs::write(&file, source).unwrap();
    // As `tarp new` leaves it there.
    fs::write(folder.path().join("tarp_guest.py"), include_str!("guest/tarp_guest.py")).unwrap();
    let mut analysis = analysis::analyse(&file, &Step::begin(&Silent, ""))?;
    world::map(&mut analysis, "sample.py".as_ref()).map_err(BuildError::Diagnostics)
}

/// The faults of a module, without the folder that it was in.
fn faults(source: &str) -> Vec<String> {
    match map(source).unwrap_err() {
        BuildError::Diagnostics(faults) => {
            let text = |fault: &crate::error::Diagnostic| {
                let line = fault.line.map_or(String::new(), |line| line.to_string());
                format!("{line}: {}", fault.message)
            };
            faults.iter().map(text).collect()
        }
        error => panic!("{error}"),
    }
}

const IMPORTS: &str = "\
from __future__ import annotations
import collections.abc, dataclasses, enum, math, typing as t
from dataclasses import dataclass
from typing import Annotated, Dict, Literal, Any, Callable, Mapping, List, NewType, Optional, Sequence, Set, Tuple, TypeAlias, Union

@dataclass
class Point:
    x: float
    y: float = 0.0

@dataclasses.dataclass(frozen=True)
class Circle(Point):
    radius: float = 1.0

class Colour(enum.Enum):
    RED = 1
    DARK_BLUE = 2

Vector = list[float]
Matrix: TypeAlias = 'list[Vector]'
Hertz = NewType('Hertz', float)
Mode = Literal['linear', 'cubic_spline']
Shape = Union[Point, Circle]
";

#[test]
fn a_table_of_hints() {
    let table = [
        ("int", "s64"),
        ("float", "f64"),
        ("bool", "bool"),
        ("str", "string"),
        ("bytes", "list<u8>"),
        ("bytearray", "list<u8>"),
        ("list[int]", "list<s64>"),
        ("List[int]", "list<s64>"),
        ("t.List[int]", "list<s64>"),
        ("Sequence[float]", "list<f64>"),
        ("collections.abc.Iterable[float]", "list<f64>"),
        ("set[str]", "list<string>"),
        ("Set[str]", "list<string>"),
        ("frozenset[str]", "list<string>"),
        ("list[list[float]]", "list<list<f64>>"),
        ("tuple[int, str]", "tuple<s64, string>"),
        ("Tuple[float, ...]", "list<f64>"),
        ("dict[str, float]", "list<tuple<string, f64>>"),
        ("Mapping[str, list[int]]", "list<tuple<string, list<s64>>>"),
        ("dict[int, str]", "list<tuple<s64, string>>"),
        ("int | None", "option<s64>"),
        ("None | int", "option<s64>"),
        ("Optional[int]", "option<s64>"),
        ("Union[int, None]", "option<s64>"),
        ("Optional[int | None]", "option<s64>"),
        ("int | float", "f64"),
        ("float | int | None", "option<f64>"),
        ("Annotated[int, 'seconds']", "s64"),
        ("'int'", "s64"),
        ("'list[Point]'", "list<point>"),
        ("Vector", "list<f64>"),
        ("Matrix", "list<list<f64>>"),
        ("Hertz", "f64"),
        ("Mode", "mode"),
        ("Literal['a', 'b']", "f34-x"),
        ("Point", "point"),
        ("Colour", "colour"),
        ("Shape", "shape"),
        ("Point | Circle", "f38-x"),
        ("list[Point | Circle | None]", "list<option<f39-x>>"),
    ];
    let mapped = map(&module(table.map(|(hint, _)| hint))).unwrap();
    for (function, (hint, expected)) in mapped.world.functions.iter().zip(table) {
        assert_eq!(function.parameters[0].ty.to_string(), expected, "{hint}");
    }
    let wit = mapped.world.to_string();
    let mut resolve = wit_parser::Resolve::default();
    if let Err(error) = resolve.push_str("world.wit", &wit) {
        panic!("{error:#}\n{wit}");
    }
}

/// A module with a function for each hint, `f0` and so on.
fn module<const N: usize>(hints: [&str; N]) -> String {
    let function = |(index, hint)| format!("def f{index}(x: {hint}) -> int: ...\n");
    IMPORTS.to_owned() + &hints.into_iter().enumerate().map(function).collect::<String>()
}

#[test]
fn a_table_of_hints_that_are_refused() {
    let table = [
        ("complex", "use tuple[float, float]"),
        ("list", "say of what: list[float]"),
        ("Any", "name the type"),
        ("object", "name the type"),
        ("int | str", "the union `int | str` is not supported"),
        ("Literal[1, 2]", "only strings"),
        ("dict[float, int]", "have to be str or int"),
        ("Callable[[int], int]", "a function cannot be sent"),
        ("'no python'", "is no Python"),
        ("type[int]", "what is: int, float, bool"),
        ("math.pi", "is not supported"),
    ];
    let faults = faults(&module(table.map(|(hint, _)| hint)));
    assert_eq!(faults.len(), table.len(), "{faults:#?}");
    for (fault, (hint, expected)) in faults.iter().zip(table) {
        assert!(fault.contains(expected), "{hint}: {fault}");
    }
}

#[test]
fn names_that_are_not_in_a_component_are_faults() {
    let star = "from typing import *\ndef f(x: Optional[List[int]]) -> int: ...\n";
    assert_eq!(
        map(star).unwrap().world.functions[0].parameters[0].ty.to_string(),
        "option<list<s64>>"
    );
    let unknown = faults("def f(x: Unknown) -> int: ...\n");
    assert!(unknown[0].contains("the hint `Unknown` is not defined in"), "{unknown:?}");
}

#[test]
fn a_fault_names_line_function_parameter_and_hint() {
    let found = faults(
        "import numpy as np\n\n\
         def mean(values: list[float], weights: np.ndarray) -> float: ...\n\n\
         def half(x: int, y) -> float: ...\n\n\
         def other(x: int): return x\n\n\
         def many(*x: int) -> int: ...\n\n\
         def each(x: int) -> int:\n    yield x\n\n\
         def wrong(n: int = 'a') -> int: ...\n",
    );
    assert_eq!(
        found,
        [
            "3: `mean`: the parameter `weights`: the hint `np.ndarray` is not supported: numpy cannot run in a component; use list[float]",
            "5: `half`: the parameter `y`: it has no type hint, and all others have one",
            "7: `other`: what it returns has no type hint: `-> float`",
            "9: `many`: the parameter `*x` takes any number of arguments, which WIT cannot; name each, or take a list",
            "11: `each`: a generator cannot be a procedure; return a list",
            "14: `wrong`: the parameter `n`: the default 'a' does not fit its hint",
        ]
    );
}

#[test]
fn classes_that_cannot_be_sent_are_named_with_their_line() {
    let found = faults(
        "from dataclasses import dataclass\nclass Plain: pass\n\
         @dataclass\nclass Node:\n    children: list['Node']\n\
         @dataclass\nclass Bad:\n    good: int\n    when: complex\n\
         def f(x: Plain) -> int: ...\ndef g(x: Node) -> int: ...\ndef h(x: list[Bad]) -> int: ...\n",
    );
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found[0].starts_with("2: the class `Plain`: only dataclasses"), "{}", found[0]);
    assert!(found[1].contains("`Node` contains itself"), "{}", found[1]);
    assert!(found[2].starts_with("9: the class `Bad`: the field `when`"), "{}", found[2]);
}

/// By the procedure's name in WIT: what its author calls it, and its parameters and result.
fn authors(mapped: &Mapped) -> Vec<(String, String, String)> {
    let shown = |function: &crate::wit::Function| {
        let table = &mapped.tables[&function.name.replace('-', "_")];
        let author = table.signature.clone().map(|told| {
            let author: AuthorSignature = serde_json::from_value(told).unwrap();
            let parameters: Vec<_> = author.parameters.iter().map(ToString::to_string).collect();
            format!("({}) -> {}", parameters.join(", "), author.result.unwrap())
        });
        let name = table.name.clone().unwrap_or_default();
        (function.name.clone(), name, author.unwrap_or_default())
    };
    mapped.world.functions.iter().map(shown).collect()
}

#[test]
fn an_authors_names_are_kept_and_those_of_wit_differ() {
    let source = IMPORTS.to_owned()
        + "\
Unit = Literal['m', 'M', '2d', 'log-log', '', 'a b']
@dataclass
class Result:
    pKa: float
    T: float = 1.0
    t: float = 2.0
class Some(enum.Flag):
    readMe = 1
def log(x: float) -> float: ...
def fit_peak(t: float, T: float, self: int, lambda_: int, größe: Unit) -> Result: ...
def fitPeak(x: Some, y: Colour, z: Point | Circle) -> None: ...
def table(by: dict[int, Result], at: dict[str, float] = {'b': 1, 'a': 2}) -> list[dict[str, int]]: ...
def group(x: set[str] = {'b', 'a'}, y: frozenset[tuple[int, Unit]] = (), z: Set[Point] = ()) -> None: ...
def f_x(y: Literal['a'], y_z: Literal['b']) -> None: ...
def f(x_y: Literal['c', 'd']) -> None: ...
";
    let mapped = map(&source).unwrap();
    let result = "record { pKa: f64, T: option<f64>, t: option<f64> }";
    let unit = "enum { m, M, 2d, log-log, , a b }";
    let point = "record { x: f64, y: option<f64> }";
    let circle = "record { x: f64, y: option<f64>, radius: option<f64> }";
    let of =
        |wit: &str, name: &str, author: &str| (wit.to_owned(), name.to_owned(), author.to_owned());
    assert_eq!(
        authors(&mapped),
        [
            of("call-log", "log", ""),
            of(
                "fit-peak",
                "",
                &format!(
                    "(t: f64, T: f64, self: s64, lambda_: s64, größe: {unit}) -> result<{result}, string>"
                )
            ),
            of(
                "fit-peak-2",
                "fitPeak",
                &format!(
                    "(x: flags {{ readMe }}, y: enum {{ RED, DARK_BLUE }}, z: variant {{ Point({point}), Circle({circle}) }}) -> result<_, string>"
                )
            ),
            of(
                "call-table",
                "table",
                &format!(
                    "(by: map<s64, {result}>, at: map<string, f64>) -> result<list<map<string, s64>>, string>"
                )
            ),
            of(
                "call-group",
                "group",
                &format!(
                    "(x: set<string>, y: set<tuple<s64, {unit}>>, z: list<{point}>) -> result<_, string>"
                )
            ),
            of("f-x", "", ""),
            of("call-f", "f", ""),
        ]
    );
    assert_eq!(mapped.tables["call_table"].defaults["at"].to_string(), r#"[["b",1.0],["a",2.0]]"#);
    assert_eq!(mapped.tables["call_group"].defaults["x"].to_string(), r#"["a","b"]"#);
    let wit = mapped.world.to_string();
    assert!(
        wit.contains(
            "record result-2 {\n    p-ka: f64,\n    t: option<f64>,\n    t-2: option<f64>,"
        ),
        "{wit}"
    );
    assert!(
        wit.contains(
            "export fit-peak: func(t: f64, t-2: f64, self-2: s64, lambda: s64, gre: unit)"
        ),
        "{wit}"
    );
    assert!(
        wit.contains(
            "enum unit {\n    m,\n    m-2,\n    case-2d,\n    log-log,\n    case,\n    a-b,"
        ),
        "{wit}"
    );
    assert!(wit.contains("enum f-x-y-2 {\n    c,"), "{wit}");
    if let Err(error) = wit_parser::Resolve::default().push_str("world.wit", &wit) {
        panic!("{error:#}\n{wit}");
    }
}

#[test]
fn names_that_callers_could_not_use_are_faults() {
    let address = faults("x = 1\ndef größe(x: float) -> float: ...");
    assert!(address[0].starts_with("2: `größe` cannot be the name of a procedure"), "{address:?}");
    let folder = tempfile::tempdir().unwrap();
    let module = "from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int\n";
    for name in ["one.py", "other.py"] {
        fs::write(folder.path().join(name), module).unwrap();
    }
    let file = folder.path().join("both.py");
    fs::write(&file, "import one, other\ndef f(x: one.P | other.P) -> int: ...\n").unwrap();
    let mut both = analysis::analyse(&file, &Step::begin(&Silent, "")).unwrap();
    let twice = world::map(&mut both, &file).unwrap_err();
    assert!(twice[0].message.contains("two classes called `P`"), "{twice:?}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tarp_app.py");
    fs::write(&file, "def f(x: int) -> int: ...\n").unwrap();
    let taken = analysis::analyse(&file, &Step::begin(&Silent, "")).unwrap_err().to_string();
    assert!(taken.contains("cannot be called `tarp_app`"), "{taken}");
    assert!(faults("x = 1")[0].contains("there is no procedure in it"));
    assert!(faults("def f(:\n")[0].starts_with("1: not Python"));
}

#[test]
fn options_that_make_no_sense_are_faults() {
    for (options, words) in [
        ("aliases=['to-day']", "`to-day` cannot be a name"),
        ("aliases=['a', 'a']", "twice"),
        ("aliases='a'", "aliases a list of names"),
        ("arrays='pandas'", "arrays \"auto\", \"numpy\" or \"list\""),
        ("names=['a']", "aliases and arrays"),
    ] {
        let found = faults(&format!(
            "from tarp_guest import procedure\n@procedure({options})\ndef f(x: int) -> int: ...\n"
        ));
        assert!(found[0].contains(words), "{found:?}");
    }
}

#[test]
fn a_whole_module() {
    let mapped = map(include_str!("golden/sample.py")).unwrap();
    golden("sample.wit", &mapped.world.to_string());
    golden("sample.json", &(serde_json::to_string_pretty(&mapped.tables).unwrap() + "\n"));
}

/// Compares with a file that is read by people when it changes; `TARP_BLESS=1` writes it.
fn golden(file: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/python/golden").join(file);
    if std::env::var_os("TARP_BLESS").is_some() {
        fs::write(&file, text).unwrap();
    }
    let known = fs::read_to_string(file).unwrap();
    // The order of keys is that of serde_json's features, which other crates of a build choose.
    match (serde_json::from_str::<Value>(&known), serde_json::from_str::<Value>(text)) {
        (Ok(known), Ok(found)) => assert_eq!(known, found),
        _ => assert_eq!(known, text),
    }
}
