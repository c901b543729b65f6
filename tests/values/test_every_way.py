"""Every row of the table of values in every way that people call: what is sent is what arrives, and
the same comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import tarp

from browser import browser_in
from command_line import CommandLine
from equality import is_same
from host import Host, MakeHost, bare
from value_table import ROWS, Failed, Row
from ways import curl
from ways.clients import Original, Ours
from ways.forms import Form
from ways.shell import TarpCall
from ways.way import Signature, Way


@pytest.fixture(scope="module")
def shapes(make_module_host: MakeHost) -> Host:
    return make_module_host("shapes")


@pytest.fixture(scope="module")
def signatures(shapes: Host) -> dict[str, Signature]:
    told = bare(shapes.request("GET", "/-/procedures"))["procedures"]
    return {one["name"]: Signature.of(one) for one in told}


#: How a way is made for a host, with a folder for its files.
WAYS: dict[str, Callable[[Host, Path, ExitStack], Way]] = {
    "original_client": lambda host, *_: Original(host.address, by_name=False),
    "original_client_by_name": lambda host, *_: Original(host.address, by_name=True),
    "client": lambda host, _, stack: Ours(connected(host, stack), by_name=False),
    "client_by_name": lambda host, _, stack: Ours(connected(host, stack), by_name=True),
    **{
        f"curl_{write.__name__}": lambda host, folder, _, write=write: curl.Curl(
            host.address, folder, write
        )
        for write in curl.WRITERS
    },
    **{
        f"tarp_call_{style}": lambda host, folder, _, style=style: TarpCall(
            CommandLine(host.address), folder, style
        )
        for style in ("words", "names", "files")
    },
    "console": lambda host, folder, stack: Form(
        stack.enter_context(browser_in(folder / "profile")), host, folder
    ),
}


def connected(host: Host, stack: ExitStack) -> tarp.Host:
    return stack.enter_context(tarp.connect(host.address))


@pytest.fixture(scope="module")
def way(
    request: pytest.FixtureRequest, shapes: Host, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Way]:
    with ExitStack() as stack:
        yield WAYS[request.param](shapes, tmp_path_factory.mktemp("way"), stack)


def outcome(way: Way, row: Row, signature: Signature) -> Any:
    try:
        return way.call(row, signature)
    except Failed as failed:
        return failed


@pytest.mark.parametrize("way", WAYS, indirect=True)
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_what_is_sent_is_what_arrives(way: Way, row: Row, signatures: dict[str, Signature]) -> None:
    signature = signatures[row.procedure]
    expected = way.refusal(row, signature) or row.back
    back = outcome(way, row, signature)
    if isinstance(expected, Failed):
        assert isinstance(back, Failed), f"{back!r}, expected {expected}"
        assert back.kind in (expected.kind, None)
        assert expected.message in back.message
    else:
        assert is_same(back, expected), f"{back!r}, expected {expected!r}"


def test_every_procedure_is_in_the_table(signatures: dict[str, Signature]) -> None:
    assert {row.procedure for row in ROWS} == signatures.keys()
