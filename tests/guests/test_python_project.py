"""A project in Python as people have them: a package in `src`, relative imports, dependencies of
which one has compiled parts, files, and imports that run only when a call does. What is expected is
what the same code gives natively. And a notebook, and what is said of modules that cannot work."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tarp

import command_line
from host import Host, MakeHost, eventually

#: Packages are fetched and packed, and two components built and compiled.
pytestmark = pytest.mark.timeout(900)

PROJECT = Path(__file__).parent / "python_project"
NOTEBOOK = Path(__file__).parent / "python_notebook" / "decay-curves.ipynb"


run = functools.partial(command_line.run, deadline=600)


@pytest.fixture(scope="module")
def served(make_module_host: MakeHost) -> Host:
    host = make_module_host()
    for source in (PROJECT, NOTEBOOK):
        built = run("build", source, "--output", host.folder)
        assert built.returncode == 0, built.stderr
        (host.folder / f"{source.stem}.stderr").write_text(built.stderr)
    eventually(lambda: {"half_life", "integral"} <= host.descriptions().keys(), deadline=600)
    return host


@pytest.fixture(scope="module")
def client(served: Host) -> Iterator[tarp.Host]:
    with tarp.connect(served.address, timeout=60) as client:
        yield client


ROADS = [
    {"start": "a", "end": "b", "length": 1.0},
    {"start": "b", "end": "c", "length": 2.0},
    {"start": "a", "end": "c", "length": 5.0},
]

#: By the procedure: its arguments, and what it gives natively.
CALLS: list[tuple[str, list[Any], Any]] = [
    ("integral", ["exp(-x)*sin(x)"], "-exp(-x)*sin(x)/2 - exp(-x)*cos(x)/2"),
    ("integral", ["x**2*log(x)"], "x**3*log(x)/3 - x**3/9"),
    ("shortest", [ROADS, "a", "c"], (3.0, ["a", "b", "c"])),
    ("convert", [3.0, "mile/hour", "m/s"], 1.34112),
    ("render", ["<p>{{ name|shout }}</p>", {"name": "<b>"}], "<p>&lt;B&gt;!</p>"),
    ("parse", ["31 Jan 2026", "%d %b %Y"], "2026-01-31T00:00:00"),
    ("local", ["2026-07-01T12:00:00Z", "Europe/Berlin"], "2026-07-01T14:00:00+02:00"),
    ("decode", [b"\x80", "cp1252"], "€"),
    ("decode", ["größe".encode("utf-16"), "utf-16"], "größe"),
    ("readings", [], [2.5, 4.0]),
    ("pooled", [[1, 2, 3]], [[1, 4, 9], [1, 4, 9], [1, 4, 9]]),
]


@pytest.mark.parametrize(("procedure", "arguments", "expected"), CALLS, ids=lambda it: str(it)[:30])
def test_a_call_gives_what_native_execution_gives(
    client: tarp.Host, procedure: str, arguments: list[Any], expected: Any
) -> None:
    assert client[procedure](*arguments) == expected


def test_what_a_package_brings_along_is_read_in_every_way(client: tarp.Host) -> None:
    modules = ["filters", "late", "mathematics", "pages", "readings", "system", "types"]
    found = ["mm", "limits.json", "limits.json", "14", "imported by its name", *modules]
    assert client.everything_read() == found


def test_the_versions_of_packages_are_known(client: tarp.Host) -> None:
    found = dict(client.versions())
    assert found.keys() == {"jinja2", "MarkupSafe", "networkx"}
    assert found["networkx"] == "3.5"


def test_what_was_seeded_by_the_system_differs_from_call_to_call(client: tarp.Host) -> None:
    first, second = client.chances(), client.chances()
    for place in (0, 3, 4):
        assert first[place] != second[place]
    # As `random.Random(7).random()` and `random.Random("notes").random()` give them anywhere.
    assert first[1:3] == second[1:3] == (0.32383276483316237, 0.6077565809541934)


def test_a_thread_says_what_to_do_instead(client: tarp.Host) -> None:
    with pytest.raises(tarp.ProcedureError, match="a component has no threads") as caught:
        client.starts_a_thread()
    assert "ThreadPoolExecutor" in str(caught.value)
    assert 'File "src/field_notes/system.py", line 43' in caught.value.stderr


def test_the_build_told_what_it_takes_and_what_cannot_work(served: Host) -> None:
    told = (served.folder / "python_project.stderr").read_text()
    assert f"taking {PROJECT / 'data' / 'readings.csv'} into the component" in told
    assert "system.py:43: `threading.Thread(...)` fails in a component" in told


def test_the_cells_of_a_notebook_are_a_module(served: Host, client: tarp.Host) -> None:
    assert client.half_life(0.5) == pytest.approx(1.3862943611198906)
    assert client.remaining([0.0, 2.0]) == [1000.0, 250.0]
    # The notebook has seeded the module's own generator.
    assert client.noise() == client.noise() == 0.32383276483316237
    told = (served.folder / "decay-curves.stderr").read_text()
    assert f"{NOTEBOOK}: cell 2, line 1: `%matplotlib inline` is left out" in told
    assert f"{NOTEBOOK}: cell 2, line 2: `!pip install something` is left out" in told
    assert f"{NOTEBOOK}: cell 6, line 1: the cell is left out: it is for `%%bash`" in told
    assert (served.folder / "decay_curves.wasm").exists()


@pytest.mark.parametrize(
    ("source", "line", "words"),
    [
        ("import numpy as np", 1, "`numpy` is compiled code, which cannot run in a component"),
        ("def f(x: int) -> int:\n    import scipy.stats", 2, "Rust or C"),
        ("import ctypes", 1, "a component loads no libraries"),
        ("from pydantic import BaseModel", 1, "use @dataclass"),
        ("import nowhere", 1, "put what brings it into `dependencies` under [project]"),
        ("import os\nimport tkinter", 2, "a component has no screen"),
    ],
)
def test_an_import_that_cannot_be_is_a_fault_before_anything_is_fetched(
    tmp_path: Path, source: str, line: int, words: str
) -> None:
    (tmp_path / "faulty.py").write_text(f"{source}\n\ndef g(x: int) -> int:\n    return x\n")
    tools = str(tmp_path / "tools")
    built = run("build", "faulty.py", "--json", at=tmp_path, TARP_TOOLS=tools)
    assert built.returncode == 1
    [fault] = json.loads(built.stdout)["faults"]
    assert (fault["file"], fault["line"]) == ("faulty.py", line)
    assert words in fault["message"]
    assert not (tmp_path / "tools").exists()


def test_a_dependency_that_cannot_be_is_a_fault_at_its_line(tmp_path: Path) -> None:
    (tmp_path / "mean.py").write_text("def mean(values: list[float]) -> float: ...\n")
    manifest = '[project]\nname = "mean"\ndependencies = [\n    "Scikit-Learn>=1.4",\n]\n'
    (tmp_path / "pyproject.toml").write_text(manifest)
    refused = run("build", "--json", at=tmp_path, TARP_TOOLS=str(tmp_path / "tools"))
    [fault] = json.loads(refused.stdout)["faults"]
    assert (fault["file"], fault["line"]) == ("pyproject.toml", 4)
    assert "`sklearn` is compiled code" in fault["message"]
    assert not (tmp_path / "tools").exists()


def test_an_index_that_does_not_answer_is_told_soon(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("def one() -> int:\n    return 1\n")
    # A port that nobody listens on.
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_CONFIG_FILE": "/dev/null"}
    tools = str(tmp_path / "tools")
    built = run("build", "one.py", at=tmp_path, TARP_TOOLS=tools, **nowhere)
    assert built.returncode == 1
    assert "warning: the package index (PyPI) does not answer; trying again" in built.stderr
    assert "does not answer; connect this machine, name a proxy" in built.stderr
