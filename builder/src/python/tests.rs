//! What hints become, as tables; needs `python3`, and nothing else.

use std::fs;
use std::path::Path;

use crate::BuildError;
use crate::report::{Silent, Step};

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
    let literal = faults("from typing import Literal\ndef f(x: Literal['a b']) -> int: ...\n");
    assert!(literal[0].contains("`a b` cannot be a name here"), "{literal:?}");
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

#[test]
fn names_that_wit_has_not_are_faults() {
    assert!(faults("def mean(größe: float) -> float: ...")[0].contains("`größe`"));
    assert!(faults("def f(a__b: int) -> int: ...")[0].starts_with("1: `a__b`"));
    let twice = faults("def fit_peak(x: int) -> int: ...\ndef fitPeak(x: int) -> int: ...\n");
    assert!(twice[0].contains("two functions are called `fit-peak`"), "{twice:?}");
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
    assert_eq!(fs::read_to_string(file).unwrap(), text);
}
