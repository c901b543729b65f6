"""Starts and ends what is called, each a process of its own on a free port of 127.0.0.1."""

import contextlib
import os
import pathlib
import shutil
import subprocess
import sys
import threading
from typing import NamedTuple


class Host(NamedTuple):
    """A running host."""

    url: str
    pid: int


@contextlib.contextmanager
def host(binary, guests, folder, config=""):
    """A host that serves the example `math`, with this configuration."""
    procedures = folder / "procedures"
    procedures.mkdir(exist_ok=True)
    shutil.copy(guests / "math.wasm", procedures)
    file = folder / "tarp.toml"
    file.write_text(config)
    command = [binary, "serve", procedures, "--port", "0", "--config", file]
    command += ["--cache", folder / "cache", "--data", folder / "data"]
    with _process(command) as process:
        listening = _line(process, "listening on ")
        _line(process, "ready:")
        # Whatever else it says is read, so that it does not wait for that.
        threading.Thread(target=process.stdout.read, daemon=True).start()
        yield Host(listening.split()[2].rstrip(","), process.pid)


@contextlib.contextmanager
def pyro():
    """The URI of an object of Pyro5 that adds."""
    script = pathlib.Path(__file__).with_name("pyro_server.py")
    with _process([sys.executable, script]) as process:
        yield _line(process, "PYRO:").strip()


@contextlib.contextmanager
def _process(command):
    clean = {
        k: v for k, v in os.environ.items() if not k.startswith(("TARP_", "PYRO_"))
    }
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, env=clean
    )
    try:
        yield process
    finally:
        # It has nothing to lose.
        process.kill()
        process.wait()


def _line(process, start):
    for line in process.stdout:
        if line.startswith(start):
            return line
    raise RuntimeError(f"{process.args[0]} ended without saying `{start}`")
