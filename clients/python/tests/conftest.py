"""Fixtures: one host with all examples for the whole run, and hosts of their own for tests that
change what is served, or stop it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import pytest
from running_host import BINARY, GUESTS, RunningHost

import tarp

#: All examples but the one that never starts.
EXAMPLES = ("math", "text", "shapes", "misbehave", "asynchronous", "jobs")

MakeHost = Callable[..., RunningHost]


def pytest_sessionstart() -> None:
    if not BINARY.is_file() or not GUESTS.is_dir():
        pytest.exit("TARP_BIN is the host's binary, TARP_GUESTS the folder of examples", 3)
    os.environ.pop("TARP_TOKEN", None)
    # Else Jupyter warns that it will look elsewhere for its files one day.
    os.environ["JUPYTER_PLATFORM_DIRS"] = "1"


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compiled components for all hosts of this run, so that each is compiled once."""
    folder = tmp_path_factory.getbasetemp()
    # The processes of pytest-xdist have folders of their own in that of the run.
    return (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "compiled"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Iterator[RunningHost]:
    """The host that serves all examples."""
    host = RunningHost(tmp_path_factory.mktemp("host"), cache, guests=EXAMPLES)
    yield host
    host.kill()
    assert "panicked" not in host.log


@pytest.fixture(scope="session")
def url(server: RunningHost) -> str:
    return server.url


@pytest.fixture(scope="session")
def host(url: str) -> Iterator[tarp.Host]:
    """A connection to it."""
    with tarp.connect(url) as connected:
        yield connected


@pytest.fixture
def make_server(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Iterator[MakeHost]:
    """Makes hosts that end with the test."""
    made = []

    def make(*guests: str, flags: tuple[str, ...] = ()) -> RunningHost:
        made.append(RunningHost(tmp_path_factory.mktemp("host"), cache, *flags, guests=guests))
        return made[-1]

    yield make
    for host in made:
        host.kill()
