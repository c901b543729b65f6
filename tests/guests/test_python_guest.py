"""Procedures in Python, from source to call: the example as `cargo xtask guests` builds it, and a
module with every type hint and every way to fail that this file builds with `tarp build`."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tarp

import command_line
from host import BINARY, Host, MakeHost, eventually, guest, place
from ids import shown

#: A component of 18 MiB is built and compiled, on a machine that has other things to do.
pytestmark = pytest.mark.timeout(600)

MODULE = Path(__file__).parent / "python_guest" / "every_hint.py"


run = functools.partial(command_line.run, deadline=400)


@pytest.fixture(scope="module")
def served(make_module_host: MakeHost) -> Host:
    """A host that runs already when its components are built into the folder."""
    host = make_module_host()
    built = run("build", MODULE, "--output", host.folder)
    assert built.returncode == 0, built.stderr
    place(guest("signal_lab"), host.folder / "signal_lab.wasm")
    eventually(lambda: {"identity_int", "smooth"} <= host.descriptions().keys(), deadline=400)
    return host


@pytest.fixture(scope="module")
def client(served: Host) -> Iterator[tarp.Host]:
    with tarp.connect(served.address) as client:
        yield client


POINT = {"x": 1.0, "y": 2.0}

#: By the function in the module: what is sent, and what comes back of it through Python.
VALUES: list[tuple[str, Any, Any]] = [
    ("int", -(2**63), -(2**63)),
    ("float", 0.1, 0.1),
    ("float", float("inf"), float("inf")),
    ("bool", True, True),
    ("str", "größe 🎉", "größe 🎉"),
    ("bytes", bytes(range(256)), bytes(range(256))),
    ("bytearray", b"ab", b"ab"),
    ("list", [1.5, 2.5], [1.5, 2.5]),
    ("matrix", [[1.0], [], [2.0, 3.0]], [[1.0], [], [2.0, 3.0]]),
    ("tuple", (1, "a"), (1, "a")),
    ("vector", [1.0, 2.0], [1.0, 2.0]),
    ("set", [3, 3], {3}),
    ("dict", {"a": 1, "b": 2}, {"a": 1, "b": 2}),
    ("option", None, None),
    ("option", 3, 3),
    ("literal", "dark_blue", "dark_blue"),
    ("enum", "second_one", "SECOND_ONE"),
    ("flags", {"read", "write"}, {"READ", "WRITE"}),
    ("flags", set(), set()),
    ("dataclass", POINT, POINT),
    ("dataclass", {"x": 1.0}, {"x": 1.0, "y": 7.5}),
    ("typed_dict", {"width": 1}, {"width": 1, "label": None}),
    ("typed_dict", {"width": 1, "label": "l"}, {"width": 1, "label": "l"}),
    ("named_tuple", {"position": 1, "height": 2.0}, {"position": 1, "height": 2.0}),
    ("union", {"point": POINT}, {"Point": POINT}),
    (
        "union",
        {"circle": {"centre": POINT, "radius": 3.0}},
        {"Circle": {"centre": POINT, "radius": 3.0}},
    ),
    ("nested", [{"a": [POINT]}], [{"a": [POINT]}]),
    ("complex", [(1.0, -0.5)], [(1.0, -0.5)]),
    ("datetime", "2026-01-31T12:30:00Z", "2026-01-31T12:30:00+00:00"),
    ("date", "2026-01-31", "2026-01-31"),
    ("time", "12:30:00.5", "12:30:00.500000"),
    ("timedelta", "P1DT2H0.5S", "P1DT2H0.5S"),
    ("timedelta", "-PT90M", "-PT1H30M"),
    ("timedelta", "P2W", "P14D"),
    ("timedelta", "PT0S", "PT0S"),
    ("decimal", "12.50", "12.5"),
    ("uuid", "{12345678-1234-5678-1234-567812345678}", "12345678-1234-5678-1234-567812345678"),
    ("path", "a/b", "a/b/x"),
    ("json", '{"a": [1, null, "ß"]}', '{"a": [1, null, "ß"]}'),
    ("array", [1.5, 2.0], [1.5, 2.0]),
    ("choice", 2, 2),
    ("scalars", {"int": 3}, {"int": 3}),
    ("scalars", {"str": "3"}, {"str": "3"}),
    ("scalars", {"bool": True}, {"bool": True}),
    ("scalars", {"date": "2026-01-31"}, {"date": "2026-01-31"}),
    ("scalars", {"list": [1, 2]}, {"list": [1, 2]}),
]


@pytest.mark.parametrize(("hint", "sent", "back"), VALUES, ids=shown)
def test_every_hint_round_trips(client: tarp.Host, hint: str, sent: Any, back: Any) -> None:
    answer = client[f"identity_{hint}"](sent)
    assert answer == back
    assert type(answer) is type(back)


def test_what_the_function_sees_is_what_its_hints_say(client: tarp.Host) -> None:
    assert client.seen({"x": 1}, "second_one", "red", [1.0], [2], {"a": 1}) == (
        "Point(x=1.0, y=7.5) Grade.SECOND_ONE 'red' (1.0,) {2} {'a': 1}"
    )


def test_a_docstring_is_seen(client: tarp.Host) -> None:
    assert client.smooth.__doc__ is not None
    assert client.smooth.__doc__.startswith("The moving average of a signal.\n\nAt the ends")


def test_an_exception_is_an_error_with_the_authors_traceback(client: tarp.Host) -> None:
    with pytest.raises(tarp.ProcedureError) as caught:
        client.fails("no such thing")
    assert "ValueError: no such thing" in str(caught.value)
    assert caught.value.stdout == "about to fail\n"
    trace = caught.value.stderr
    assert trace.startswith("Traceback (most recent call last):\n")
    assert 'File "every_hint.py", line' in trace
    assert "    raise ValueError(message)\n" in trace
    assert "tarp_runtime" not in trace


@pytest.mark.parametrize(
    ("procedure", "message"),
    [
        ("wrong_result", "wrong_result returned '2' (str), but its hint says float"),
        ("wrong_class", "but its hint says Point"),
        ("too_large", "but its hint says int, of which 64 bits can be sent"),
        ("leaves", "SystemExit: 3"),
        ("recurses", "RecursionError"),
        ("loses_time", "but its hint says date"),
        ("number_as_key", "JSON, whose keys are texts"),
        ("third_choice", "but its hint says 1 or 2"),
    ],
)
def test_every_other_way_to_fail_is_an_error_too(
    client: tarp.Host, procedure: str, message: str
) -> None:
    with pytest.raises(tarp.ProcedureError, match=r".") as caught:
        client[procedure]()
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("hint", "sent", "message"),
    [
        ("datetime", "31.1.2026", "'31.1.2026' is not a date and time such as 2026-01-31T12:30:00"),
        ("date", "2026-13-01", "'2026-13-01' is not a date such as 2026-01-31: month must be in"),
        ("timedelta", "P1M", "is not a duration such as P1DT2H30M"),
        ("timedelta", "PT0.0000001S", "it is finer than a microsecond"),
        ("decimal", "1,5", "is not a decimal number such as 12.50"),
        ("uuid", "x", "is not a UUID such as"),
        ("json", "{a: 1}", "is not JSON"),
        ("choice", 3, "expected 1 or 2, got 3"),
    ],
)
def test_a_text_that_is_none_of_its_hint_names_the_argument(
    client: tarp.Host, hint: str, sent: Any, message: str
) -> None:
    with pytest.raises(tarp.ProcedureError, match=r".") as caught:
        client[f"identity_{hint}"](sent)
    assert str(caught.value).startswith(f"`identity_{hint}`: the argument `value`: ")
    assert message in str(caught.value)
    assert caught.value.stderr == ""


def test_a_case_of_a_union_is_of_its_class(client: tarp.Host) -> None:
    assert client.kinds({"int": 3}) == "int 2"
    assert client.kinds({"bool": True}, {"float": 3}) == "bool 3.0"
    assert client.kinds({"date": "2026-01-31"}, {"str": "a"}) == "date 'a'"


def test_a_default_that_only_the_function_knows_may_be_left_out(client: tarp.Host) -> None:
    assert client.own_default(1) == 13.0
    assert client.own_default(1, {"x": 2.0}) == 10.5


def test_a_coroutine_runs_to_its_end(client: tarp.Host) -> None:
    assert client.gathers(3) == [0, 1, 2]


def test_random_numbers_differ_from_call_to_call(client: tarp.Host) -> None:
    assert client.throws() != client.throws()


def test_defaults_are_part_of_the_signature(served: Host, client: tarp.Host) -> None:
    listed = served.request("GET", "/-/procedures").json()["procedures"]
    smooth = next(each for each in listed if each["name"] == "smooth")
    defaults = {each["name"]: each.get("default") for each in smooth["parameters"]}
    assert defaults == {"values": None, "width": 5, "window": "flat"}
    assert client.smooth([1.0, 4.0, 1.0], width=3) == [2.5, 2.0, 2.5]


def test_a_coroutine_is_a_job_with_progress_and_a_log(served: Host, client: tarp.Host) -> None:
    job = client.simulate.submit(steps=250)
    assert len(job.result(timeout=60)) == 250
    assert "simulated 250 steps" in str(served.logs(job.id))
    listed = served.request("GET", "/-/procedures").json()["procedures"]
    assert next(each for each in listed if each["name"] == "simulate")["mode"] == "async"


def test_a_web_procedure_answers_as_it_likes(served: Host) -> None:
    reply = served.request("GET", "/plot?values=1,3,2")
    assert reply.headers["content-type"] == "image/svg+xml"
    assert reply.text.startswith("<svg ")
    assert 'points="0,95.0 10,5.0 20,50.0"' in reply.text


def test_a_newcomers_project_tests_and_builds(tmp_path: Path) -> None:
    project = tmp_path / "my-stats"
    made = run("new", project, "--lang", "python")
    assert made.returncode == 0, made.stderr
    assert "tarp build" in made.stdout
    tested = subprocess.run(
        [sys.executable, "-m", "unittest"], cwd=project, capture_output=True, text=True, check=False
    )
    assert tested.returncode == 0, tested.stderr
    assert "Ran 3 tests" in tested.stderr
    built = run("build", "--json", at=project)
    assert built.returncode == 0, built.stderr
    report = json.loads(built.stdout)
    assert report["language"] == "python"
    assert (project / report["component"]).stat().st_size == report["size"]
    found = {each["name"]: each for each in report["procedures"]}
    assert found.keys() == {"mean", "histogram", "estimate_pi"}
    assert found["histogram"]["signature"].startswith("(values: list<f64>, bins: s64 = 10)")
    assert found["estimate_pi"]["mode"] == "async"
    assert found["mean"]["description"].startswith("The arithmetic mean")
    again = run("new", project, "--lang", "python")
    assert again.returncode != 0
    assert "not empty" in again.stderr


def test_a_fault_is_named_by_file_and_line(tmp_path: Path) -> None:
    module = tmp_path / "faulty.py"
    module.write_text("import numpy as np\n\ndef f(x: np.ndarray) -> float: ...\n")
    built = run("build", "faulty.py", at=tmp_path)
    assert built.returncode == 1
    assert built.stderr.splitlines()[-2] == (
        "faulty.py:3: `f`: the parameter `x`: the hint `np.ndarray` is not supported: numpy cannot "
        "run in a component; use list[float]"
    )
    as_json = json.loads(run("build", "faulty.py", "--json", at=tmp_path).stdout)
    places = [(fault["file"], fault["line"]) for fault in as_json["faults"]]
    assert places == [("faulty.py", 1), ("faulty.py", 3)]


def test_a_module_that_fails_on_import_shows_where(tmp_path: Path) -> None:
    source = "DATA = open('nothing.csv').read()\n\ndef f(x: int) -> int:\n    return x\n"
    (tmp_path / "faulty.py").write_text(source)
    built = run("build", "faulty.py", at=tmp_path)
    assert built.returncode == 1
    assert "faulty.py:1: fails when it is imported" in built.stderr
    assert 'File "faulty.py", line 1, in <module>\n    DATA = open(' in built.stderr
    assert "`files` under [tool.tarp] in pyproject.toml" in built.stderr


def test_a_missing_python_says_how_to_get_it(tmp_path: Path) -> None:
    (tmp_path / "f.py").write_text("def f(x: int) -> int:\n    return x\n")
    environment = os.environ | {"TARP_PYTHON": "no-such-python"}
    built = subprocess.run(
        [BINARY, "build", "f.py"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 1
    assert "no-such-python is needed to build procedures in Python" in built.stderr
    assert "apt-get install python3" in built.stderr


def test_a_package_of_pure_python_is_in_the_component(client: tarp.Host) -> None:
    assert client.uses_a_package(2_500_000) == "2.5 MB"


def test_a_package_with_compiled_parts_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mean.py").write_text("def mean(values: list[float]) -> float: ...\n")
    manifest = '[project]\nname = "mean"\ndependencies = ["numpy"]\n'
    (tmp_path / "pyproject.toml").write_text(manifest)
    refused = run("build", at=tmp_path)
    assert refused.returncode == 1
    assert "pyproject.toml:3: the dependency `numpy`: `numpy` is compiled code" in refused.stderr
    assert not (tmp_path / "mean.wasm").exists()
