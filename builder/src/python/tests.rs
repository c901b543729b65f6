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
    let mut analysis = analysis::analyse(&file, folder.path(), &Step::begin(&Silent, ""))?;
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

/// A project of these files, of which the first one has the procedures.
fn analysed(files: &[(&str, &str)]) -> Result<analysis::Analysis, Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    let module = folder.path().join(files[0].0);
    let step = Step::begin(&Silent, "");
    let place = format!("{}/", folder.path().display());
    analysis::analyse(&module, folder.path(), &step).map_err(|error| {
        let faults = error.diagnostics().iter();
        faults.map(|fault| fault.to_string().replace(&place, "")).collect()
    })
}

/// What an author is warned of, by line and message.
fn warnings(source: &str) -> Vec<String> {
    let source = format!("{source}\ndef one(x: int) -> int: ...\n");
    let files = [("sample.py", source.as_str()), ("here.csv", "1")];
    let found = analysed(&files).unwrap().warnings;
    let text = |it: &crate::error::Diagnostic| {
        it.line.map_or(String::new(), |line| format!("{line}: ")) + &it.message
    };
    found.iter().map(text).collect()
}

const IMPORTS: &str = "\
from __future__ import annotations
import array, collections.abc, dataclasses, enum, math, pathlib, typing as t, uuid
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
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
        ("complex", "tuple<f64, f64>"),
        ("list[complex]", "list<tuple<f64, f64>>"),
        ("datetime", "string"),
        ("date | None", "option<string>"),
        ("time", "string"),
        ("timedelta", "string"),
        ("dict[str, Decimal]", "list<tuple<string, string>>"),
        ("uuid.UUID", "string"),
        ("pathlib.Path", "string"),
        ("Any", "string"),
        ("Literal[1, 2]", "s64"),
        ("Literal[True]", "bool"),
        ("Literal['a', None]", "option<f52-x>"),
        ("array.array", "list<f64>"),
        ("array.array[int]", "list<s64>"),
        ("int | str", "f55-x"),
        ("list[float | str | Point]", "list<f56-x>"),
        ("date | datetime | bytes | list[int] | Colour", "f57-x"),
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
        ("list", "say of what: list[float]"),
        ("object", "name the type, or say Any"),
        ("list[int] | list[str]", "the union `list[int] | list[str]` is not supported"),
        ("int | Any", "the union `int | Any` is not supported"),
        ("Literal[1, 'a']", "not of several kinds"),
        ("Literal[1.5]", "of whole numbers"),
        ("array.array[str]", "is not supported"),
        ("dict[float, int]", "have to be str or int"),
        ("Callable[[int], int]", "a function cannot be sent"),
        ("'no python'", "is no Python"),
        ("type[int]", "what is: int, float, complex, bool"),
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
        "try: import numpy as np\nexcept ImportError: np = None\n\
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
         @dataclass\nclass Bad:\n    good: int\n    what: object\n\
         def f(x: Plain) -> int: ...\ndef g(x: Node) -> int: ...\ndef h(x: list[Bad]) -> int: ...\n",
    );
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found[0].starts_with("2: the class `Plain`: only dataclasses"), "{}", found[0]);
    assert!(found[1].contains("`Node` contains itself"), "{}", found[1]);
    assert!(found[2].starts_with("9: the class `Bad`: the field `what`"), "{}", found[2]);
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
    let twice =
        analysis::analyse(&file, folder.path(), &Step::begin(&Silent, "")).unwrap_err().to_string();
    assert!(twice.contains("classes of different names"), "{twice}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tarp_app.py");
    fs::write(&file, "def f(x: int) -> int: ...\n").unwrap();
    let taken =
        analysis::analyse(&file, folder.path(), &Step::begin(&Silent, "")).unwrap_err().to_string();
    assert!(taken.contains("cannot be called `tarp_app`"), "{taken}");
    assert!(faults("x = 1")[0].contains("there is no procedure in it"));
    assert!(faults("def f(:\n")[0].starts_with("1: not Python"));
}

#[test]
fn imports_that_cannot_be_are_faults_in_functions_too() {
    let table = [
        ("import numpy as np", Some("`numpy` is compiled code")),
        ("def f():\n    from scipy.stats import norm", Some("`scipy` is compiled code")),
        ("import _ctypes", Some("loads no libraries of the system")),
        ("from multiprocessing import shared_memory", Some("a component is one process")),
        ("import importlib\nx = importlib.import_module('bz2')", Some("use zlib, gzip")),
        ("import telnetlib", Some("3.14, does not have it any more")),
        ("try:\n    import numpy\nexcept ImportError:\n    numpy = None", None),
        ("try:\n    import tomllib\nexcept ModuleNotFoundError:\n    import tomli", None),
        ("import contextlib\nwith contextlib.suppress(ImportError):\n    import numpy", None),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import pandas", None),
        ("if __name__ == '__main__':\n    import matplotlib.pyplot as plt", None),
        ("import os.path, xml.etree.ElementTree, concurrent.futures", None),
    ];
    for (imports, expected) in table {
        let source = format!("{imports}\ndef one(x: int) -> int: ...\n");
        let found = analysed(&[("sample.py", source.as_str())]);
        match expected {
            None => assert!(found.is_ok_and(|it| it.imports.is_empty()), "{imports}"),
            Some(words) => {
                let faults = found.unwrap_err();
                let line = imports.lines().count();
                assert!(faults[0].starts_with(&format!("sample.py:{line}: ")), "{faults:?}");
                assert!(faults[0].contains(words), "{faults:?}");
            }
        }
    }
}

#[test]
fn packages_that_are_imported_are_known_by_their_lines() {
    let source =
        "import yaml\ndef one(x: int) -> int:\n    from dateutil.tz import UTC\n    import json\n";
    let found = analysed(&[("sample.py", source)]).unwrap().imports;
    let found: Vec<_> = found.iter().map(|it| (it.name.as_str(), it.at.line)).collect();
    assert_eq!(found, [("yaml", Some(1)), ("dateutil", Some(3))]);
}

#[test]
fn what_cannot_work_or_happens_once_is_a_warning_at_its_line() {
    let table = [
        ("import uuid\nID = uuid.uuid4()", "2: `uuid.uuid4(...)` runs once"),
        ("from uuid import uuid4\ndef _f(x=uuid4()): ...", "2: `uuid4(...)` runs once"),
        ("import secrets\nclass A:\n    key = secrets.token_hex()", "3: `secrets.token_hex(...)`"),
        ("from datetime import datetime\nNOW = datetime.now()", "2: `datetime.now(...)` runs once"),
        ("import random as r\nX = [r.random() for _ in '12']", "2: `r.random(...)` runs once"),
        ("import os\nHOME = os.environ['HOME']", "2: `os.environ['HOME']` is read when"),
        ("import os\nKEY = os.getenv('KEY')", "2: `os.getenv(...)` is read when"),
        ("def _f():\n    open('data.csv')", "2: `open('data.csv')` finds no file"),
        ("def _f():\n    open('out.csv', 'w')", "2: `open('out.csv')` writes"),
        ("import subprocess as s\ndef _f():\n    s.run(['ls'])", "3: `s.run(...)` fails"),
        ("import socket\ndef _f():\n    socket.socket()", "opens no sockets: `urllib.request`"),
        ("from threading import Thread\ndef _f():\n    Thread()", "has no threads"),
        ("def _f():\n    input()", "nobody is there to answer"),
        ("import requests", "1: `requests` opens sockets by itself"),
    ];
    for (source, expected) in table {
        let found = warnings(source);
        assert!(found.len() == 1 && found[0].contains(expected), "{source}: {found:?}");
    }
    for source in [
        "import uuid\ndef _f():\n    return uuid.uuid4()",
        "import random\nrandom.seed(1)\nX = random.random()",
        "import random\nR = random.Random()",
        "DATA = open('here.csv').read()",
        "def _f(path):\n    open(path); open('/granted/x.csv')",
        "import os\ndef _f():\n    return os.environ['HOME']",
        "import subprocess\nif __name__ == '__main__':\n    subprocess.run(['ls']); open('x')",
    ] {
        assert_eq!(warnings(source), [""; 0], "{source}");
    }
}

#[test]
fn files_that_a_module_names_go_with_it() {
    let source = "import os\nfrom pathlib import Path\nHERE = Path(__file__).parent\n\
        a = open('here.csv')\nb = HERE / 'data' / 'deep.json'\n\
        c = os.path.join(os.path.dirname(__file__), 'data', 'other.txt')\nd = '.env', 'secret.py'\n\
        def one(x: int) -> int: ...\n";
    let files = [
        ("sample.py", source),
        ("here.csv", "1"),
        ("data/deep.json", "{}"),
        ("data/other.txt", ""),
        ("data/unnamed.txt", ""),
        (".env", ""),
        ("secret.py", ""),
    ];
    let analysis = analysed(&files).unwrap();
    let found: Vec<_> = analysis.files.iter().map(|it| (it.name.as_str(), it.mentioned)).collect();
    let expected = [("data/deep.json", true), ("data/other.txt", true), ("here.csv", true)];
    assert_eq!(found[0], ("sample.py", false));
    assert_eq!(found[1..], expected);
}

#[test]
fn a_helper_that_is_no_procedure_is_left_out_unless_it_is_asked_for() {
    let bad = "def mean(values: list[float]) -> float: ...\ndef helper(x: object) -> int: ...\n";
    let analysis = analysed(&[("sample.py", bad)]).unwrap();
    assert_eq!(analysis.functions.len(), 1);
    let warning = &analysis.warnings[0].to_string();
    assert!(warning.contains("`helper`: the parameter `x`"), "{warning}");
    assert!(warning.contains("it is left out"), "{warning}");
    for asked in [
        format!("__all__ = ['helper', 'mean']\n{bad}"),
        bad.replace("def helper", "@tarp_guest.procedure\ndef helper") + "import tarp_guest\n",
        bad.replace("def helper", "@procedure()\ndef helper")
            + "from tarp_guest import procedure\n",
    ] {
        let faults = analysed(&[("sample.py", &asked)]).unwrap_err();
        assert!(faults[0].contains("`helper`: the parameter `x`"), "{faults:?}");
    }
    let alone = analysed(&[("sample.py", "def helper(x: object) -> int: ...\n")]).unwrap_err();
    assert!(alone[0].starts_with("sample.py:1: `helper`"), "{alone:?}");
    // What only a function that is left out speaks of is no type of the component.
    let typed = "import enum\nclass E(enum.Enum):\n    A = 1\n\
        def mean(x: int) -> int: ...\ndef helper(e: E, x: object) -> int: ...\n";
    assert!(analysed(&[("sample.py", typed)]).unwrap().definitions.is_empty());
}

#[test]
fn a_package_has_what_it_imports_from_its_modules() {
    let init = "from .fits import line as fit\nfrom .more import *\nfrom math import sin\n";
    let fits = "from __future__ import annotations\nfrom .types import point\n\
        from . import types as t\n\
        def line(points: list[point.Point], kind: t.Kind = 'a') -> float:\n    from . import late\n";
    let more = "from lab.types import Kind\n__all__ = ['two']\ndef two(x: Kind) -> int: ...\n\
        def three(x: int) -> int: ...\n";
    let types = "from typing import Literal\nKind = Literal['a', 'b']\nfrom . import point\n";
    let point = "from dataclasses import dataclass\n@dataclass\nclass Point:\n    x: float\n";
    let files = [
        ("src/lab/__init__.py", init),
        ("src/lab/fits.py", fits),
        ("src/lab/late.py", "import lab.more\n"),
        ("src/lab/more.py", more),
        ("src/lab/types/__init__.py", types),
        ("src/lab/types/point.py", point),
        ("src/lab/data/limits.json", "{}"),
        ("src/lab/tests/test_fits.py", ""),
        ("src/other.py", ""),
    ];
    let analysis = analysed(&files).unwrap();
    assert_eq!((analysis.module.as_str(), analysis.name.as_str()), ("lab", "lab"));
    let names: Vec<_> = analysis.functions.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["fit", "two"]);
    let types = analysis.definitions.iter().map(|it| (it.name.as_str(), it.module.as_str()));
    assert_eq!(types.collect::<Vec<_>>(), [("Point", "lab.types.point"), ("Kind", "")]);
    assert_eq!(analysis.roots, ["src", "."]);
    let taken: Vec<_> = analysis.files.iter().map(|it| it.name.as_str()).collect();
    let own = ["__init__.py", "data/limits.json", "fits.py", "late.py", "more.py"];
    let own = own.into_iter().chain(["types/__init__.py", "types/point.py"]);
    assert_eq!(taken, own.map(|name| format!("src/lab/{name}")).collect::<Vec<_>>());

    let inner = [files[1], files[0], files[2], files[3], files[4], files[5]];
    let analysis = analysed(&inner).unwrap();
    assert_eq!((analysis.module.as_str(), analysis.name.as_str()), ("lab.fits", "fits"));
    assert_eq!(analysis.functions.len(), 1);
}

#[test]
fn a_file_may_be_called_as_no_module_is() {
    let one = "def one(x: int) -> int: ...\n";
    for (file, module, name, kept) in [
        ("my-analysis.py", "my-analysis", "my_analysis", "my-analysis.py"),
        ("v1.2 fits.py", "v1_2 fits", "v1_2_fits", "v1_2 fits.py"),
    ] {
        let analysis = analysed(&[(file, one)]).unwrap();
        assert_eq!((analysis.module.as_str(), analysis.name.as_str()), (module, name));
        assert_eq!(analysis.files[0].name, kept);
    }
}

#[test]
fn faults_of_a_notebook_are_told_by_cell_and_line() {
    let cell = |kind: &str, source: &str| serde_json::json!({"cell_type": kind, "source": source});
    let notebook = |cells: &[Value]| serde_json::json!({"cells": cells}).to_string();
    let text = cell("markdown", "# Fits");
    let code = "%load_ext x\nfiles = !ls\ndef one(x: int) -> int: ...";
    let plain = "text = '''\n%in a text\n'''";
    let cells =
        [text.clone(), cell("code", code), cell("code", "%%html\n<b>"), cell("code", plain)];
    let analysis = analysed(&[("a fit.ipynb", &notebook(&cells))]).unwrap();
    assert_eq!(analysis.files[0].name, "a fit.py");
    let written = analysis.files[0].text.as_deref().unwrap();
    assert!(written.contains("\n%in a text\n"), "{written}");
    let warned: Vec<_> = analysis.warnings.iter().map(|it| it.message.as_str()).collect();
    assert!(warned[0].starts_with("cell 2, line 1: `%load_ext x` is left out"), "{warned:?}");
    assert!(warned[1].starts_with("cell 2, line 2: `files = !ls` is left out"), "{warned:?}");
    assert!(warned[2].starts_with("cell 3, line 1: the cell is left out"), "{warned:?}");
    let bad = cell("code", "import os\n\ndef f(x: object) -> int: ...");
    let faults = analysed(&[("a fit.ipynb", &notebook(&[text, bad]))]).unwrap_err();
    assert!(faults[0].starts_with("a fit.ipynb: cell 2, line 3: `f`: the parameter"), "{faults:?}");
    let none = analysed(&[("a.ipynb", "{}")]).unwrap_err();
    assert!(none[0].contains("no notebook of Jupyter"), "{none:?}");
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
