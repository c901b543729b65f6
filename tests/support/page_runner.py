"""Runs the commands of one page as a reader would: in one folder, one after the other.

The host of a page is the one that its tests were given, until the page starts its own with `tarp
serve` or `tarp dev`. Pages write its address as `http://127.0.0.1:8080`.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import tomllib
from pathlib import Path
from typing import ClassVar, Self

from host import BINARY, DEADLINE, LISTENING, READY, clean_environment
from pages import Block

#: How pages write the address of the host, with and without its scheme.
ADDRESS = re.compile(r"(?:127\.0\.0\.1|localhost|lab):8080")
WRITTEN = "127.0.0.1:8080"

#: Building a component fetches and compiles other people's tools the first time.
MINUTES = 1200.0

#: Building a Python module, which takes longer than everything else together.
BUILD = re.compile(r"tarp build (\S+)\.py --output (\S+)\n")

#: Stands in expected output for anything within a line, or alone on a line for any lines.
ANYTHING = "…"


def expected_pattern(text: str) -> re.Pattern[str]:
    """The pattern of a page's output."""
    lines = []
    for line in text.splitlines():
        if line.strip() == ANYTHING:
            lines.append(r"(?:.*\n)*?")
        else:
            lines.append(".*?".join(map(re.escape, line.rstrip().split(ANYTHING))) + r" *\n")
    return re.compile("".join(lines))


def commands(block: Block) -> list[tuple[str, str | None]]:
    """The commands of a block, each with the output that the page shows, or None."""
    if block.language == "sh":
        return [(block.text, None)]
    found: list[tuple[str, str]] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:] + "\n", ""))
            continue
        assert found, f"{block}: output comes before the first command"
        command, output = found[-1]
        if not output and (command.endswith("\\\n") or line.startswith("> ")):
            found[-1] = (command + line.removeprefix("> ") + "\n", output)
        else:
            found[-1] = (command, output + line + "\n")
    return [(command, output) for command, output in found]


class PageRunner:
    """A reader with a shell, a Python and an editor."""

    #: What `tarp build` made and printed, by source and command: several pages may build the same
    #: module.
    built: ClassVar[dict[tuple[str, str], tuple[bytes, str]]] = {}

    def __init__(self, folder: Path, address: str, python: Path, environment: dict[str, str]):
        self._folder = folder
        #: The folder that the next command runs in.
        self.here = folder / "work"
        self.here.mkdir()
        self._python_program = python
        self._address = address.removeprefix("http://")
        self._hosts: list[subprocess.Popen[str]] = []
        self._python: subprocess.Popen[str] | None = None
        # A reply with a failure is a failed command.
        (folder / ".curlrc").write_text("silent\nfail-with-body\n")
        self._environment = clean_environment() | environment
        self._environment |= {
            "CURL_HOME": str(folder),
            "NO_PROXY": "*",
            "PATH": os.pathsep.join(
                [str(BINARY.parent), str(python.parent), os.environ["PATH"]],
            ),
            "TARP_DATA": str(folder / "data"),
            "TARP_PORT": "0",
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in [*self._hosts, *([self._python] if self._python else [])]:
            if process.poll() is None:
                process.kill()
            process.wait(DEADLINE)
            for stream in (process.stdin, process.stdout):
                if stream:
                    stream.close()

    def run(self, block: Block) -> None:
        """Does what a block says; an AssertionError where that comes out otherwise."""
        self._write(block)
        match block.language:
            case "sh" | "console" if not block.option("file"):
                for command, output in commands(block):
                    self._command(block, command, output)
            case "python" if not block.option("file"):
                self._run_python(block)
            case "json":
                json.loads(block.text)
            case "toml":
                tomllib.loads(block.text)

    def _write(self, block: Block) -> None:
        """Keeps a block that is a file."""
        if name := block.option("file"):
            if block.language == "python":
                compile(block.text, name, "exec")
            file = self.here / name
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("a" if "append" in block.info else "w") as stream:
                stream.write(block.text)

    def _local(self, text: str) -> str:
        return ADDRESS.sub(self._address, text)

    def _written(self, text: str) -> str:
        return text.replace(self._address, WRITTEN)

    def _command(self, block: Block, command: str, expected: str | None) -> None:
        if re.match(r"tarp (serve|dev)\b", command):
            self._serve(block, command, expected)
            return
        if build := BUILD.fullmatch(command):
            output = self._build(block, command, *build.groups())
            if expected is not None:
                self._compare(block, command, expected, output)
            return
        # The next command begins in the folder in which this one ends.
        here = self._folder / "here"
        script = f"trap 'pwd > {here}' EXIT\n{self._local(command)}"
        ran = self._run(
            ["bash", "-e", "-o", "pipefail", "-c", script],
            TARP_URL=f"http://{self._address}",
        )
        self.here = Path(here.read_text().strip())
        output = self._written(ran.stdout)
        wanted = int(block.option("exit") or 0)
        assert ran.returncode == wanted, (
            f"{block}: exit code {ran.returncode}, not {wanted}, of: {command}{output}"
        )
        if expected is not None:
            self._compare(block, command, expected, output)

    def _build(self, block: Block, command: str, module: str, output: str) -> str:
        key = (self.here.joinpath(f"{module}.py").read_text(), command)
        component = self.here / output / f"{module}.wasm"
        if key in self.built:
            component.write_bytes(self.built[key][0])
        else:
            ran = self._run(command.split())
            assert ran.returncode == 0, f"{block}: {command}{ran.stdout}"
            self.built[key] = (component.read_bytes(), ran.stdout)
        return self.built[key][1]

    def _run(self, command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.here,
            env=self._environment | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=MINUTES,
            check=False,
        )

    def _compare(self, block: Block, command: str, expected: str, output: str) -> None:
        lines = "".join(f"{line.rstrip()}\n" for line in output.strip().splitlines())
        wanted = "".join(f"{line.rstrip()}\n" for line in expected.strip().splitlines())
        assert expected_pattern(wanted).fullmatch(lines), (
            f"{block}: {command}expected:\n{wanted}\ngot:\n{lines}"
        )

    def _serve(self, block: Block, command: str, expected: str | None) -> None:
        """Starts a host, which from then on is the page's."""
        # Compiles what is there, so that the host need not say that it still compiles.
        folder = command.split()[2]
        if command.startswith("tarp serve"):
            self._run(["tarp", "check", folder])
        log = self._folder / f"host{len(self._hosts)}.log"
        with log.open("w") as stream:
            process = subprocess.Popen(
                ["bash", "-c", f"exec {command}"],
                cwd=self.here,
                env=self._environment | {"TARP_DATA": str(log.with_suffix(".data"))},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stream,
                text=True,
            )
        for earlier in self._hosts:
            earlier.send_signal(signal.SIGTERM)
        self._hosts.append(process)
        assert process.stdout
        output = ""
        until = READY if command.startswith("tarp serve") else LISTENING
        for line in process.stdout:
            output += line
            if listening := re.search(r"http://([\d.]+:\d+)", line):
                self._address = listening.group(1)
            if until.fullmatch(line.strip()):
                break
        else:
            raise AssertionError(f"{block}: the host ended: {output}{log.read_text()}")
        if expected:
            self._compare(block, command, expected, self._written(output))

    def _run_python(self, block: Block) -> None:
        if not self._python:
            self._python = subprocess.Popen(
                [self._python_program, Path(__file__).with_name("page_python.py")],
                cwd=self.here,
                env=self._environment | {"TARP_URL": f"http://{self._address}"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        assert self._python.stdin
        assert self._python.stdout
        sent = {"source": self._local(block.text)}
        self._python.stdin.write(json.dumps(sent) + "\n")
        self._python.stdin.flush()
        reply = self._python.stdout.readline()
        assert reply, f"{block}: the interpreter ended"
        assert not (failure := json.loads(reply)), f"{block}: {failure}"
