"""Fixtures: one host with all examples for the whole run, and hosts of their own for tests that
change what is served, how, or whether at all."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from browser import Browser, browser_in
from command_line import CommandLine
from host import BINARY, GOOD_GUESTS, GUESTS, Host, MakeHost, guest, place
from stand_in import StandIn, standing_in

pytest_plugins = ["openapi_host", "security_table"]


def pytest_sessionstart() -> None:
    for needed in (BINARY, GUESTS):
        if not needed.exists():
            pytest.exit(f"{needed} is missing; `cargo xtask test` builds it", returncode=3)
    # All hosts are on this machine; whatever proxy it uses has no part in this.
    os.environ["NO_PROXY"] = "*"


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of this run, which all of its processes share."""
    folder = tmp_path_factory.getbasetemp()
    # The processes of pytest-xdist have folders of their own in that of the run.
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


@pytest.fixture(scope="session")
def cache(run_folder: Path) -> Path:
    """Compiled components for all hosts of this run, so that each is compiled once."""
    return run_folder / "compiled"


@pytest.fixture(scope="session")
def rust_target(run_folder: Path) -> str:
    """Where cargo builds all projects of this run, so that what they share is compiled once."""
    return str(run_folder / "rust-target")


@pytest.fixture(scope="session")
def faults(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that makes what a host asks of the system fail, to be preloaded."""
    library = tmp_path_factory.mktemp("faults") / "faults.so"
    source = Path(__file__).parent / "support" / "faults.c"
    flags = ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror"]
    subprocess.run(["cc", *flags, "-o", library, source, "-ldl"], check=True)
    return library


def host_maker(factory: pytest.TempPathFactory, cache: Path, stack: ExitStack) -> MakeHost:
    def make(
        *guests: str,
        config: str = "",
        sidecars: Mapping[str, str] | None = None,
        flags: Iterable[str | Path] = (),
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        cache: Path = cache,
        start: bool = True,
    ) -> Host:
        """A host with a fresh folder that has these guests, with the text of its `tarp.toml` and,
        by the guest's name, of sidecars."""
        home = factory.mktemp("host")
        folder = folder or home / "procedures"
        folder.mkdir(exist_ok=True)
        for name in guests:
            place(guest(name), folder / f"{name}.wasm")
        for name, text in (sidecars or {}).items():
            place(text.encode(), folder / f"{name}.toml")
        config_file = None
        if config:
            config_file = home / "tarp.toml"
            config_file.write_text(config)
        host = Host(
            folder,
            cache=cache,
            log_file=home / "log.txt",
            config=config_file,
            flags=flags,
            environment=environment,
        )
        stack.callback(farewell, host)
        return host.start() if start else host

    return make


def farewell(host: Host) -> None:
    """Ends a host, and leaves its last words where pytest shows them if the test has failed."""
    host.kill()
    print(f"--- log of the host that watched {host.folder}:\n{host.log[-5000:]}")


@pytest.fixture
def make_host(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Iterator[MakeHost]:
    """Makes hosts that end with the test."""
    with ExitStack() as stack:
        yield host_maker(tmp_path_factory, cache, stack)


@pytest.fixture(scope="module")
def make_module_host(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Iterator[MakeHost]:
    """Makes hosts that end with the file's last test."""
    with ExitStack() as stack:
        yield host_maker(tmp_path_factory, cache, stack)


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Iterator[Host]:
    """The host that serves all good examples, for tests that only call."""
    with ExitStack() as stack:
        yield host_maker(tmp_path_factory, cache, stack)(*GOOD_GUESTS)


@pytest.fixture(scope="session")
def tarp(host: Host) -> CommandLine:
    """The command line, for the host of all good examples."""
    return CommandLine(host.address)


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    """A stand-in for a host, which serves nothing yet."""
    with standing_in() as stand_in:
        yield stand_in


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser for the tests of one file."""
    with browser_in(tmp_path_factory.mktemp("browser")) as browser:
        yield browser
