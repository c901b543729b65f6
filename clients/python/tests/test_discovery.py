"""What a host offers is found as any Python object's attributes are."""

from __future__ import annotations

import contextlib
import copy
import inspect
import io
import pickle
import rlcompleter

import pytest
from conftest import MakeHost
from script import Played, reply

import tarp
from tarp import _protocol
from tarp._address import parse_address
from tarp._catalog import Catalog
from tarp._host_face import HostFace
from tarp._procedure_face import ProcedureFace
from tarp._protocol import Options
from tarp._stubs import stubs

TYPES = [
    ("bool", "bool"),
    ("u64", "int"),
    ("f32", "float"),
    ("char", "str"),
    ({"list": "u8"}, "bytes"),
    ({"list": {"list": "f64"}}, "list[list[float]]"),
    ({"option": "s32"}, "int | None"),
    ({"option": {"option": "s32"}}, "{'some': int | None} | None"),
    ({"tuple": ["s32", "string"]}, "tuple[int, str]"),
    ({"map": {"key": "s32", "value": {"list": "f64"}}}, "dict[int, list[float]]"),
    ({"record": [{"name": "x", "type": "f64"}]}, "{'x': float}"),
    (
        {"variant": [{"name": "none", "type": None}, {"name": "some", "type": "u8"}]},
        "'none' | {'some': int}",
    ),
    ({"enum": ["red", "green"]}, "Literal['red', 'green']"),
    ({"flags": ["a", "b"]}, "set[Literal['a', 'b']]"),
    ({"list": {"result": {"ok": "u8", "err": None}}}, "list[{'ok': int} | {'err': None}]"),
    ("a-type-of-the-future", "Any"),
]


def listing(*procedures: dict[str, object], complete: bool = True) -> dict[str, object]:
    entries = [{"parameters": [], "result": None, **procedure} for procedure in procedures]
    return {"version": "1", "complete": complete, "procedures": entries, "problems": []}


@pytest.mark.parametrize(("ty", "words"), TYPES, ids=[words for _, words in TYPES])
def test_types_are_shown_as_python_has_them(ty: object, words: str) -> None:
    entry = {"name": "f", "parameters": [{"name": "a", "type": ty}], "result": ty}
    info = Catalog.of_json(listing(entry), "").procedures["f"]
    default = " = None" if isinstance(ty, dict) and "option" in ty else ""
    assert str(info.signature) == f"(a: {words}{default}) -> {words}"


def test_defaults_are_shown_where_python_can_have_them() -> None:
    parameters = [
        {"name": "a", "type": "u8", "default": 7},
        {"name": "b", "type": "u8"},
        {"name": "c", "type": {"list": "f64"}, "default": [1.5, 2]},
        {"name": "d", "type": {"option": "string"}},
        {"name": "e", "type": {"option": "string"}, "default": "x"},
    ]
    catalog = Catalog.of_json(listing({"name": "f", "parameters": parameters}), "")
    info = catalog.procedures["f"]
    # One that must be given follows `a`.
    words = "(a: int, b: int, c: list[float] = [1.5, 2], d: str | None = None, e: str | None = 'x')"
    assert str(info.signature) == f"{words} -> None"
    assert info.defaults == {"a": 7, "c": [1.5, 2], "e": "x"}
    stub = stubs("http://a", catalog)
    call = next(line for line in stub.splitlines() if "__call__" in line)
    assert [part.endswith("= ...") for part in call.partition(")")[0].split(", ")] == [
        *([False] * 3),
        True,
        False,
        True,
    ]


def test_names_that_python_keeps_for_itself() -> None:
    entry = {"name": "f", "parameters": [{"name": "in", "type": "u8"}]}
    info = Catalog.of_json(listing(entry), "").procedures["f"]
    assert str(info.signature) == "(in_: int) -> None"
    face = ProcedureFace(HostFace(parse_address("http://a"), Options()), info, Options())
    call = face._call((), {"in_": 1, "other_": 2})
    assert pickle.loads(b"".join(call.body)) == ((), {"other_": 2, "in": 1})


def test_a_signature_is_what_inspect_says(host: tarp.Host) -> None:
    assert str(inspect.signature(host.add)) == "(x: int, y: int) -> int"
    assert str(inspect.signature(host.statistics.mean)) == "(values: list[float]) -> float"
    assert str(inspect.signature(host.greet)) == "(who: str, greeting: str | None = None) -> str"
    assert str(inspect.signature(host.nothing)) == "() -> None"
    assert inspect.signature(host.add).bind(1, y=2).arguments == {"x": 1, "y": 2}


def test_help_shows_the_procedure(host: tarp.Host) -> None:
    with contextlib.redirect_stdout(io.StringIO()) as shown:
        help(host.statistics.mean)
    assert "mean(values: list[float]) -> float" in shown.getvalue()
    assert "The arithmetic mean; an error for an empty list." in shown.getvalue()
    assert inspect.getdoc(host.add) == "Adds two integers. Wraps around at 64 bits."


def test_names_in_namespaces_and_flat(host: tarp.Host) -> None:
    for mean in (
        host.statistics.mean,
        host.statistics_mean,
        host["statistics/mean"],
        host["statistics_mean"],
    ):
        assert mean([1, 2, 6]) == 3.0
    assert host.statistics.mean.info.name == "statistics/mean"
    assert "statistics/mean" in host
    assert "add" in list(host)
    assert len(host) == len(host.procedures)
    assert "nobody" not in host
    assert 7 not in host


def test_dir_and_completion(host: tarp.Host) -> None:
    assert {"add", "statistics", "statistics_mean", "close"} <= set(dir(host))
    assert {"mean", "median"} <= set(dir(host.statistics))
    assert {"submit", "map"} <= set(dir(host.add))
    completer = rlcompleter.Completer({"host": host})
    assert completer.complete("host.statistics.med", 0) == "host.statistics.median("


def test_a_name_that_is_near_is_suggested(host: tarp.Host) -> None:
    with pytest.raises(AttributeError, match=r"no procedure `ad`; did you mean `add`\?$") as caught:
        host.ad  # noqa: B018
    assert isinstance(caught.value, tarp.NoSuchProcedure)
    with pytest.raises(AttributeError, match=r"statistics has no procedure `meen`.*`mean`"):
        host.statistics.meen  # noqa: B018
    with pytest.raises(AttributeError, match=r"did you mean `median`"):
        host.medan  # noqa: B018
    with pytest.raises(KeyError, match="did you mean `add`"):
        host["ad"]
    assert not hasattr(host, "zzzzzz")
    assert not hasattr(host, "_repr_png_")


def test_what_python_asks_of_any_object_asks_nothing_of_the_host(host: tarp.Host) -> None:
    assert copy.copy(host.add)(1, 2) == 3
    assert "add(x: int, y: int) -> int" in repr(host.add)
    assert host.url in repr(host)
    assert "mean" in repr(host.statistics)


def test_what_the_host_says_about_a_procedure(host: tarp.Host) -> None:
    info = host.add.info
    assert info.types == "(x: s64, y: s64) -> s64"
    assert info.file == "math.wasm"
    assert len(info.digest) == 64
    assert info.limits is not None
    assert info.limits.deadline > 0
    assert not info.is_async


def test_new_procedures_are_found_and_lost_ones_are_not(make_server: MakeHost) -> None:
    server = make_server("math")
    with tarp.connect(server.url, retry_for=60) as host:
        kept = host.add
        assert "reverse" not in dir(host)
        server.add("text")
        while not hasattr(host, "reverse"):
            pass
        assert host.reverse("abc") == "cba"
        assert "reverse" in dir(host)
        (server.folder / "text.wasm").unlink()
        while "reverse" in dir(host):
            # The reply of any call says that the host has changed.
            assert kept(1, 2) == 3
        with pytest.raises(tarp.NoSuchProcedure):
            host.reverse  # noqa: B018


def test_a_procedure_that_is_gone_is_not_found(make_server: MakeHost) -> None:
    server = make_server("math", "text")
    with tarp.connect(server.url) as host:
        reverse = host.reverse
        (server.folder / "text.wasm").unlink()
        while "reverse" in host:
            host.refresh()
        with pytest.raises(tarp.NotFound):
            reverse("abc")


def test_a_catalog_that_has_not_changed_is_kept() -> None:
    known = Catalog.of_json(listing({"name": "f"}), '"tag"')
    played = Played(_protocol.catalog(known, 0.0), reply({}, 304))
    assert played.result is known
    assert played.requests[0].headers["If-None-Match"] == '"tag"'


def test_exact_names_beat_aliases() -> None:
    catalog = Catalog.of_json(listing({"name": "a_b"}, {"name": "a/b"}, {"name": "a/b/c"}), "")
    for name in ("a_b", "a/b"):
        found = catalog.find(name)
        assert found is not None
        assert found.name == name
    assert catalog.children("a") == ["b"]
    assert catalog.children("a/b") == ["c"]


def test_a_damaged_catalog_is_an_invalid_reply() -> None:
    for body in ({"version": "1"}, {"version": "1", "complete": True, "procedures": [7]}, []):
        played = Played(_protocol.catalog(Catalog(), 0.0), reply(body))
        assert isinstance(played.error, tarp.InvalidReply)
