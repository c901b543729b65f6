"""What a component's exports are called, and what is said where one cannot be served: no export
vanishes without a word."""

from __future__ import annotations

import pytest

from binary import U8, Builder
from host import Host, MakeHost, eventually, place


def load(make_host: MakeHost, builder: Builder) -> tuple[set[str], str]:
    """The procedures of a component, and what is said of it."""
    host: Host = make_host()
    place(builder.binary, host.folder / "x.wasm")
    eventually(lambda: host.descriptions() or host.problems())
    messages = [problem["message"] for problem in host.problems().get("x.wasm", [])]
    return set(host.descriptions()), "\n".join(messages)


@pytest.mark.attack(
    "interfaces of one name in two packages or versions",
    "all are served, under longer names where short ones clash",
)
@pytest.mark.parametrize(
    ("interfaces", "names"),
    [
        (("a:one/stats@1.0.0", "a:two/stats@1.0.0"), {"one/stats/f", "two/stats/f"}),
        (("a:one/stats@1.0.0", "a:one/stats@2.0.0"), {"stats/f", "one/stats/f"}),
        (("a:one/stats@1.0.0", "b:two/stats@0.9.0"), {"stats/f", "two/stats/f"}),
    ],
    ids=["two packages", "two versions", "both"],
)
def test_interfaces_of_one_name_are_served_under_longer_ones(
    make_host: MakeHost, interfaces: tuple[str, ...], names: set[str]
) -> None:
    served, said = load(make_host, Builder().export_interfaces(*interfaces))
    assert served == names
    for name in names - {"stats/f"}:
        assert f"`{name.removesuffix('f')}`" in said


def test_a_function_called_init_is_served(make_host: MakeHost) -> None:
    served, said = load(make_host, Builder().export(["init", "other"], U8))
    assert served == {"init", "other"}
    assert not said


def test_an_interface_called_exports_is_served(make_host: MakeHost) -> None:
    served, _ = load(make_host, Builder().export_interfaces("exports"))
    assert served == {"exports/f"}


def test_exports_for_others_are_named(make_host: MakeHost) -> None:
    builder = Builder().export_interfaces("wasi:cli/run@0.2.0", "wasi:logging/logging", "mine")
    served, said = load(make_host, builder)
    assert served == {"mine/f"}
    assert "wasi:cli/run@0.2.0" in said
    assert "wasi:logging/logging" in said


@pytest.mark.attack(
    "imports that the host does not have, drafts of WASI among them",
    "refused; all of them are named, with what to do",
)
def test_missing_imports_are_all_named(make_host: MakeHost) -> None:
    missing = ("wasi:logging/logging@0.1.0-draft", "wasi:keyvalue/store@0.2.0-draft", "lab:a/b")
    builder = Builder().imports(*missing[:2], "tarp:procedure/job@0.1.0", missing[2])
    served, said = load(make_host, builder.export(["f"], U8))
    assert not served
    for name in missing:
        assert f"`{name}`" in said
    assert "drafts of WASI are not provided" in said
    assert "build it without" in said
