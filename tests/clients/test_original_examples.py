"""Programs written for the original client, run as they are with it and with ours: both print the
same.

What they call is the example `original`. A server of the original kept what `setRange` was told for
later calls, and said that data were not ready for ten seconds; procedures here keep nothing between
calls, so the programs see the range of the query, and nothing to wait for.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from host import TESTS, Host, MakeHost, clean_environment

EXAMPLES = TESTS / "clients" / "original_examples"

#: The names that the README of the original has; those of its longer examples are in the component.
SIDECAR = """
[procedures.set_range]
aliases = ["setRange", "set_params"]

[procedures.sine_data]
aliases = ["getData", "get_data"]

[procedures.sine_figure]
aliases = ["showFigure", "get_plot"]
"""


@pytest.fixture(scope="module")
def host(make_module_host: MakeHost) -> Host:
    return make_module_host("math", "original", sidecars={"original": SIDECAR})


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a package `tarp` whose `tarp.client` is the original's."""
    package = tmp_path_factory.mktemp("original") / "tarp"
    package.mkdir()
    # With this it comes before the installed one; the original itself has no such file.
    (package / "__init__.py").touch()
    shutil.copyfile(TESTS / "support" / "original_client.py", package / "client.py")
    return package.parent


@pytest.fixture
def printed(original: Path) -> Callable[..., str]:
    def run(example: str, *arguments: str, with_original: bool) -> str:
        environment = clean_environment()
        if with_original:
            environment["PYTHONPATH"] = str(original)
        command = [sys.executable, str(EXAMPLES / f"{example}.py"), *arguments]
        ran = subprocess.run(
            command, capture_output=True, text=True, timeout=120, env=environment, check=False
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    return run


def same(printed: Callable[..., str], example: str, *arguments: str) -> str:
    """What an example prints with either client, but for what differs from run to run."""

    def settled(text: str) -> str:
        text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID", text)
        return re.sub(r"^not yet: again in \d+ s\n", "", text, flags=re.MULTILINE)

    theirs = settled(printed(example, *arguments, with_original=True))
    ours = settled(printed(example, *arguments, with_original=False))
    assert ours == theirs
    return ours


def test_the_readme(host: Host, printed: Callable[..., str]) -> None:
    said = same(printed, "readme", host.address)
    assert said.startswith("3 3\n")
    assert "\n3.0\ncompleted\n3.0\n" in said
    assert "application/json {'x': [0.0, " in said
    assert re.search(r"^image/png \d+ b'\\x89PNG\\r\\n\\x1a\\n'$", said, re.MULTILINE)


def test_the_example_of_web_procedures(host: Host, printed: Callable[..., str]) -> None:
    said = same(printed, "web", "--server-url", f"{host.address}/")
    assert said.startswith("{'x': [0.0, 0.10101")
    assert "bytes of b'PNG'" in said
    assert "failed: `lower` is to be a number; it is `low`" in said


def test_the_example_of_rpc_and_jobs(host: Host, printed: Callable[..., str]) -> None:
    said = same(printed, "rpc", "--server-url", host.address)
    # As numpy writes an array.
    assert said.startswith("[  0.           7.14285714  14.28571429")
    assert re.search(r"^ended: completed, \[ 0\. +0\.71428571", said, re.MULTILINE)
    assert "failed: the argument `value`" in said
    for name in ("rpcExample", "rpc_example", "asyncRPCExample", "setRange", "showFigure"):
        assert re.search(f"^{name} ", said, re.MULTILINE)
