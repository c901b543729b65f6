"""Procedures in JavaScript and TypeScript, from source to call: the example as `cargo xtask guests`
builds it, and a module with every type and every way to fail that this file builds itself."""

from __future__ import annotations

import functools
import json
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import tarp

import command_line
from host import Host, MakeHost, eventually, guest, place
from ids import shown

#: The first build fetches the tool chain.
pytestmark = pytest.mark.timeout(300)

MODULE = Path(__file__).parent / "javascript_guest" / "every_type.ts"


run = functools.partial(command_line.run, deadline=240)


@pytest.fixture(scope="module")
def served(make_module_host: MakeHost) -> Host:
    """A host that runs already when its components are built into the folder."""
    host = make_module_host()
    built = run("build", MODULE, "--output", host.folder)
    assert built.returncode == 0, built.stderr
    place(guest("javascript_text"), host.folder / "javascript_text.wasm")
    eventually(lambda: {"identity_number", "wrap"} <= host.descriptions().keys(), deadline=240)
    return host


@pytest.fixture(scope="module")
def client(served: Host) -> Iterator[tarp.Host]:
    with tarp.connect(served.address) as client:
        yield client


POINT = {"x": 1.0, "yOffset": 2.0}

#: By the function in the module: what is sent, and what comes back of it through Python.
VALUES: list[tuple[str, Any, Any]] = [
    ("number", 0.1, 0.1),
    ("number", float("-inf"), float("-inf")),
    ("bigint", 2**53 - 1, 2**53 - 1),
    ("bigint", -(2**53) + 1, -(2**53) + 1),
    ("boolean", True, True),
    ("string", "größe 🎉", "größe 🎉"),
    ("bytes", bytes(range(256)), bytes(range(256))),
    ("floats", [1.5, -0.25], [1.5, -0.25]),
    ("shorts", [-32768, 32767], [-32768, 32767]),
    ("bigints", [7, -7], [7, -7]),
    ("array", ["a", ""], ["a", ""]),
    ("matrix", [[1.0], [], [2.0, 3.0]], [[1.0], [], [2.0, 3.0]]),
    ("set", ["a", "a"], {"a"}),
    ("tuple", ("a", 1.0), ("a", 1.0)),
    ("record", {"p": POINT}, {"p": POINT}),
    ("map", {"a": 1}, {"a": 1}),
    ("optional", None, None),
    ("optional", 3.0, 3.0),
    ("null", None, None),
    ("null", "a", "a"),
    ("union", "dark_blue", "darkBlue"),
    ("enum", "very_fast", "VeryFast"),
    ("interface", POINT, POINT),
    ("interface", {"x": 1.0}, {"x": 1.0, "yOffset": None}),
    ("tagged", {"circle": {"radius": 1.0}}, {"circle": {"radius": 1.0}}),
    ("tagged", {"bigBox": {"w": 1.0}}, {"bigBox": {"w": 1.0, "at": None}}),
    ("tagged", "point", "point"),
    ("nested", [{"a": [POINT]}], [{"a": [POINT]}]),
]


@pytest.mark.parametrize(("kind", "sent", "back"), VALUES, ids=shown)
def test_every_type_round_trips(client: tarp.Host, kind: str, sent: Any, back: Any) -> None:
    answer = client[f"identity_{kind}"](sent)
    assert answer == back
    assert type(answer) is type(back)


def test_what_the_function_sees_is_what_its_types_say(client: tarp.Host) -> None:
    seen = client.seen(
        {"x": 1}, "dark_blue", "very_fast", b"a", [1.0], {"a": 7}, {"b": 2}, None, None
    )
    assert seen == "x darkBlue 1 Uint8Array,Float64Array,Map,Object true 2 undefined null"


@pytest.mark.parametrize("value", [2**53, -(2**53), 2**63 - 1])
def test_an_integer_that_would_lose_digits_is_refused(client: tarp.Host, value: int) -> None:
    with pytest.raises(tarp.ProcedureError, match="would lose digits"):
        client.identity_bigint(value)


def test_arrays_of_large_integers_go_out_exactly(client: tarp.Host) -> None:
    assert client.large_bigints() == [2**62 + 1, -(2**63)]
    assert client.large_typed() == [2**64 - 1]


def test_a_tagged_object_is_whole_for_the_function(client: tarp.Host) -> None:
    assert client.kind_of({"circle": {"radius": 1}}) == "circle 2"
    assert client.kind_of("point") == "point 1"


def test_there_is_a_buffer(client: tarp.Host) -> None:
    assert client.base64("hé") == "aMOp"


def test_the_documentation_is_seen(client: tarp.Host) -> None:
    documentation = client.wrap.__doc__
    assert documentation is not None
    assert documentation.startswith("Breaks a text into lines.")
    assert "width: of the longest line, if no word is longer" in documentation


def test_an_error_has_the_authors_stack(client: tarp.Host) -> None:
    with pytest.raises(tarp.ProcedureError) as caught:
        client.fails_deep("no such thing")
    error = caught.value
    assert error.message == "NO SUCH THING"
    assert error.stdout == 'about to fail {"text":"no such thing"}\n'
    lines = MODULE.read_text().splitlines()
    thrown = next(n for n, line in enumerate(lines, 1) if "throw new RangeError" in line)
    called = next(n for n, line in enumerate(lines, 1) if "return deepest()" in line)
    assert error.stderr.splitlines()[:3] == [
        "RangeError: NO SUCH THING",
        f"    at deepest (every_type.ts:{thrown})",
        f"    at failsDeep (every_type.ts:{called})",
    ]
    assert "caused by Error: the reason" in error.stderr
    assert "runtime.mjs" not in error.stderr


def test_a_stack_goes_through_imported_files(client: tarp.Host) -> None:
    with pytest.raises(tarp.ProcedureError) as caught:
        client.throws_in_another_file()
    assert (
        "    at shout (shout.ts:2)\n    at throwsInAnotherFile (every_type.ts:"
        in caught.value.stderr
    )


@pytest.mark.parametrize(
    ("procedure", "message"),
    [
        ("throws_text", "only a text"),
        ("wrong_result", 'what `wrongResult` gives: expected a number, got the string "x"'),
        ("wrong_element", 'gives, at list[1]: expected a number, got the string "2"'),
        ("wrong_case", 'expected "red" or "darkBlue", got the string "green"'),
        ("large_result", "would lose digits"),
        ("too_large", "at [1]: 9223372036854775808 does not fit into an integer of 64 bits"),
        ("wrong_tag", 'at kind: expected "circle" or "bigBox" or "point", got the string "cube"'),
        ("rejects", "later"),
        ("waits_for_ever", "it waits for a promise that nothing will ever settle"),
    ],
)
def test_every_other_way_to_fail_is_an_error_too(
    client: tarp.Host, procedure: str, message: str
) -> None:
    with pytest.raises(tarp.ProcedureError, match=r".") as caught:
        client[procedure]()
    assert message in str(caught.value)


def test_an_asynchronous_function_waits_for_its_timers(client: tarp.Host) -> None:
    assert client.sleeps(50) >= 50


def test_random_numbers_differ_from_call_to_call(client: tarp.Host) -> None:
    assert client.random() != client.random()
    assert uuid.UUID(client.uuid()).version == 4
    assert all(0 <= number < 1 for number in client.random())


@pytest.mark.parametrize(
    "data",
    ["aé漢🎉".encode(), b"\xff", b"\xe2\x82", b"\xed\xa0\x80", b"\xf0\x9f\x8e", b"\xc0\x80a", b""],
)
def test_text_is_coded_as_everywhere(client: tarp.Host, data: bytes) -> None:
    assert client.recode(data) == data.decode(errors="replace").encode()


def test_rest_parameters_are_a_list(client: tarp.Host) -> None:
    assert client.total([1, 2, 3]) == 6.0


def test_every_call_begins_anew(client: tarp.Host) -> None:
    assert [client.count_calls(), client.count_calls()] == [1.0, 1.0]


def test_what_surrounds_quickjs_is_no_procedure(served: Host) -> None:
    assert "init" not in served.descriptions()


def test_the_example_works(client: tarp.Host) -> None:
    assert client.count_words("to be or not to be", 2) == [
        {"word": "be", "times": 2.0},
        {"word": "to", "times": 2.0},
    ]
    assert client.wrap("one two three", 8, "right") == " one two\n   three"
    with pytest.raises(tarp.ProcedureError, match="leaves no room"):
        client.wrap("a", 0, "left")


def test_defaults_are_part_of_the_signature(served: Host, client: tarp.Host) -> None:
    listed = requests.get(f"{served.address}/-/procedures", timeout=10).json()["procedures"]
    wrap = next(each for each in listed if each["name"] == "wrap")
    defaults = {each["name"]: each.get("default") for each in wrap["parameters"]}
    assert defaults == {"text": None, "width": 72, "align": "left"}
    assert client.wrap("one two", width=3) == "one\ntwo"


def test_an_asynchronous_function_is_a_job_with_progress_and_a_log(
    served: Host, client: tarp.Host
) -> None:
    job = client.suggest.submit("recieve", ["receive", "deceive", "relieve"], 1)
    assert job.result(timeout=60) == ["relieve"]
    logs = requests.get(f"{served.address}/-/jobs/{job.id}/logs", timeout=10).text
    assert "compared with 3 words" in logs
    listed = requests.get(f"{served.address}/-/procedures", timeout=10).json()["procedures"]
    assert next(each for each in listed if each["name"] == "suggest")["mode"] == "async"


def test_a_newcomers_project_tests_and_builds(tmp_path: Path) -> None:
    project = tmp_path / "my-text"
    made = run("new", project, "--lang", "javascript")
    assert made.returncode == 0, made.stderr
    tested = subprocess.run(
        ["node", "--test"], cwd=project, capture_output=True, text=True, check=False
    )
    assert tested.returncode == 0, tested.stdout
    assert "pass 3" in tested.stdout
    built = run("build", "--json", at=project)
    assert built.returncode == 0, built.stderr
    report = json.loads(built.stdout)
    assert report["language"] == "javascript"
    assert (project / "my_text.wasm").stat().st_size == report["size"]
    found = {each["name"]: each for each in report["procedures"]}
    assert found.keys() == {"summarise", "greet"}
    assert found["summarise"]["description"].startswith("Counts numbers")


def test_a_fault_is_named_by_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "faulty.ts").write_text("\nexport function f(x: Matrix): void {}\n")
    built = run("build", "faulty.ts", at=tmp_path)
    assert built.returncode == 1
    assert (
        "faulty.ts:2: `f`: the parameter `x`: `Matrix` is no type that is known here"
        in built.stderr
    )


def test_what_cannot_be_imported_is_named(tmp_path: Path) -> None:
    (tmp_path / "faulty.js").write_text(
        'import net from "node:net";\nimport x from "no-such-package";\n'
        'import y from "./gone.js";\nimport axios from "axios";\n'
        "export function f() { return String([net, x, y, axios]); }\n"
    )
    built = run("build", "faulty.js", at=tmp_path)
    assert built.returncode == 1
    net = "faulty.js:1: `node:net` is a part of Node that a procedure does not have; use `fetch`"
    assert net in built.stderr
    assert (
        "faulty.js:2: `no-such-package` cannot be found; `npm install no-such-package`"
        in built.stderr
    )
    assert "faulty.js:3: `./gone.js` cannot be found" in built.stderr
    assert "faulty.js:4: `axios` opens sockets by itself" in built.stderr
    assert "use `fetch`, which needs no import" in built.stderr


def test_a_module_that_fails_at_its_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "faulty.js").write_text(
        'throw new Error("not today");\nexport function f() { return 1; }\n'
    )
    built = run("build", "faulty.js", at=tmp_path)
    assert built.returncode == 1
    assert "the module cannot be started" in built.stderr
    assert "not today" in built.stderr


def test_a_missing_node_says_how_to_get_it(tmp_path: Path) -> None:
    (tmp_path / "f.js").write_text("export function f() { return 1; }\n")
    built = run("build", "f.js", at=tmp_path, PATH=str(tmp_path))
    assert built.returncode == 1
    assert "node is needed to build procedures in JavaScript, and is not installed" in built.stderr
    assert "apt-get install nodejs npm" in built.stderr
