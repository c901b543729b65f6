"""Procedures in C, from source to call: the example as `cargo xtask guests` builds it, and a world
with every type and with names of libc that this file builds with `tarp build`."""

from __future__ import annotations

import functools
import json
import shutil
import subprocess
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tarp

import command_line
from host import Host, MakeHost, eventually, guest, place
from ids import shown

PROJECT = Path(__file__).parent / "c_guest"


run = functools.partial(command_line.run, deadline=60)


@pytest.fixture(scope="module")
def served(make_module_host: MakeHost, tmp_path_factory: pytest.TempPathFactory) -> Host:
    """A host that runs already when its components are built into the folder."""
    host = make_module_host()
    project = tmp_path_factory.mktemp("c") / "every-type"
    shutil.copytree(PROJECT, project, ignore=shutil.ignore_patterns("bindings"))
    built = run("build", project, "--output", host.folder)
    assert built.returncode == 0, built.stderr
    assert "warning" not in built.stderr
    place(guest("c_checksum"), host.folder / "c_checksum.wasm")
    eventually(lambda: {"identity_byte", "checksum"} <= host.descriptions().keys())
    return host


@pytest.fixture(scope="module")
def client(served: Host) -> Iterator[tarp.Host]:
    with tarp.connect(served.address) as client:
        yield client


POINT = {"x": 1.0, "label": "größe"}

#: By the procedure: what goes there and comes back.
VALUES: list[tuple[str, Any]] = [
    ("integer", -(2**63)),
    ("byte", 255),
    ("float", 0.1),
    ("float", float("-inf")),
    ("bool", True),
    ("char", "🎉"),
    ("string", "größe 🎉"),
    ("string", ""),
    ("bytes", bytes(range(256))),
    ("floats", [1.5, -2.5]),
    ("option", None),
    ("option", -3),
    ("tuple", ("a", 1.0)),
    ("enum", "dark_blue"),
    ("flags", {"read", "write"}),
    ("variant", "dot"),
    ("variant", {"circle": 2.0}),
    ("record", POINT),
    ("records", [POINT, {"x": 2.0, "label": None}]),
]


@pytest.mark.parametrize(("kind", "value"), VALUES, ids=shown)
def test_every_type_round_trips(client: tarp.Host, kind: str, value: Any) -> None:
    answer = client[f"identity_{kind}"](value)
    assert answer == value
    assert type(answer) is type(value)


def test_comments_in_wit_give_further_names_and_arrays(served: Host, client: tarp.Host) -> None:
    assert client.sameNumbers([1.5]) == [1.5]
    assert type(served.rpc("sameNumbers", [1.5])).__name__ == "ndarray"
    assert served.descriptions()["identity_floats"].endswith("Gives numbers back.")


def test_names_of_libc_are_names_like_any_other(client: tarp.Host) -> None:
    assert client.exit(4) == 5
    assert client.malloc(300) == 300
    assert client.write("größe") == len("größe\n".encode())
    assert client.abort() == "not at all"
    assert client.strlen(b"a\0b") == 3


def test_an_interface_is_a_prefix(client: tarp.Host) -> None:
    assert client["sums/total"]([1, 2.5]) == 3.5
    assert client["sums/total"].__doc__.startswith("Adds up.")


def test_an_error_has_its_message_and_what_was_written(client: tarp.Host) -> None:
    with pytest.raises(tarp.ProcedureError) as caught:
        client.fails("no such thing")
    assert caught.value.message == "no such thing"
    assert caught.value.stdout == "on standard output\n"
    assert caught.value.stderr == "on standard error\n"


def test_a_failed_assertion_names_its_place(client: tarp.Host) -> None:
    assert client.asserts(9) == 9
    with pytest.raises(tarp.TarpError) as caught:
        client.asserts(10)
    assert "Assertion failed: number < 10" in str(caught.value)
    assert "every_type.c" in str(caught.value)


def test_the_example_works(client: tarp.Host) -> None:
    data = bytes(range(256)) * 10
    assert client.checksum(data) == zlib.crc32(data)
    assert client.checksum(data, "adler32") == zlib.adler32(data)
    assert client.verify(b"123456789", "cbf43926") is None
    with pytest.raises(
        tarp.ProcedureError, match="the checksum is cbf43926, not 00000001"
    ) as caught:
        client.verify(b"123456789", "1")
    assert caught.value.stderr == "of 9 bytes\n"
    with pytest.raises(tarp.ProcedureError, match="no number of 8 hexadecimal digits"):
        client.verify(b"", "xyz")


def test_the_documentation_is_seen(client: tarp.Host) -> None:
    documentation = client.checksum.__doc__
    assert documentation is not None
    assert documentation.startswith("A checksum of data.\n\nCRC-32 where no algorithm is named.")


def test_a_newcomers_project_tests_and_builds(tmp_path: Path) -> None:
    project = tmp_path / "my-stats"
    made = run("new", project, "--lang", "c")
    assert made.returncode == 0, made.stderr
    test = "cc statistics.c statistics_test.c -o statistics_test && ./statistics_test"
    assert test in (project / "README.md").read_text()
    tested = subprocess.run(
        test, shell=True, cwd=project, capture_output=True, text=True, check=False
    )
    assert (tested.returncode, tested.stdout) == (0, "ok\n"), tested.stderr
    built = run("build", "--json", at=project)
    assert built.returncode == 0, built.stderr
    report = json.loads(built.stdout)
    assert report["language"] == "c"
    assert (project / "my_stats.wasm").stat().st_size == report["size"]
    (procedure,) = report["procedures"]
    assert procedure["signature"] == "(values: list<f64>) -> result<f64, string>"
    assert procedure["description"].startswith("The arithmetic mean")
    header = project / "bindings/my_stats.h"
    first = header.stat().st_mtime_ns
    assert run("build", at=project).returncode == 0
    assert header.stat().st_mtime_ns == first, "what watches the folder is not woken for nothing"


def test_mistakes_are_shown_as_clang_shows_them(tmp_path: Path) -> None:
    assert run("new", tmp_path / "p", "--lang", "c").returncode == 0
    source = tmp_path / "p/p.c"
    source.write_text(source.read_text().replace("values->len > 0", "wrong"))
    built = run("build", "p", at=tmp_path)
    assert built.returncode == 1
    assert "p/p.c:9:16: error: use of undeclared identifier 'wrong'" in built.stderr


def test_a_procedure_that_is_not_written_is_named(tmp_path: Path) -> None:
    assert run("new", tmp_path / "p", "--lang", "c").returncode == 0
    wit = tmp_path / "p/p.wit"
    wit.write_text(wit.read_text().replace("export mean:", "export other: func();\n  export mean:"))
    built = run("build", "p", at=tmp_path)
    assert built.returncode == 1
    assert (
        "`exports_p_other` is not written yet; p/bindings/p.h has its declaration" in built.stderr
    )


def test_a_mistake_in_wit_is_shown_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.c").write_text("")
    (tmp_path / "a.wit").write_text("package a:b;\nworld w {\n  export f: func(x: nope);\n}\n")
    built = run("build", "a.c", at=tmp_path)
    assert built.returncode == 1
    assert "nope" in built.stderr
    assert "a.wit:3:21" in built.stderr


def test_a_missing_clang_says_how_to_get_it(tmp_path: Path) -> None:
    assert run("new", tmp_path / "p", "--lang", "c").returncode == 0
    built = run("build", "p", at=tmp_path, PATH=str(tmp_path), CLANG="", WASI_SDK_PATH="")
    assert built.returncode == 1
    assert "clang is needed to build procedures in C, and is not installed" in built.stderr
    assert "apt-get install clang lld wasi-libc libclang-rt-dev-wasm32" in built.stderr
