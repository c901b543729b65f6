"""Everything that `cargo xtask demo` tells a newcomer to type is typed, against a host that serves
what the demo serves."""

from __future__ import annotations

import os
import re
import subprocess
import zlib
from pathlib import Path

import pytest

from host import BINARY, REPOSITORY, Host, MakeHost, clean_environment, run_binary

#: As `xtask/src/demo.rs` reads it.
GREETING = REPOSITORY / "xtask/src/greeting.txt"

#: The examples whose calls it prints, and the sidecars that the demo writes.
EXAMPLES = ("fit", "plot", "stats", "math", "signal_lab", "javascript_text", "c_checksum")
SIDECARS = {"c_checksum": 'prefix = "c"\n', "signal_lab": 'prefix = "signal"\n'}

#: What the output of a command has in it, by a part of the command.
EXPECTED = {
    "/fit_line?": '"slope":1.94',
    "text/csv": "x,y,fitted,residual\n",
    "fit.svg": "",
    "/describe": '"mean":3',
    "--help": "statistics/summary(values: list<f64>)",
    "statistics/summary 1,2,6": '"median": 2.0',
    "--job simulate": "[",
    "signal/find_peaks": "prominence",
    "count_words": "word",
    "c/checksum": str(zlib.crc32((REPOSITORY / "README.md").read_bytes())),
    "-m venv": "",
    "/pip install": "Successfully installed",
    "import tarp": "slope",
}


#: To compile the examples takes minutes on a busy machine.
pytestmark = pytest.mark.timeout(360)


def greeting_lines() -> list[str]:
    """Its indented lines without comments: addresses for a browser, and commands."""
    lines = [re.sub(r"^@\w+ ", "", line) for line in GREETING.read_text().splitlines()]
    indented = [line.strip() for line in lines if line.startswith("  ")]
    return [line for line in indented if not line.startswith(("#", "cd "))]


@pytest.fixture(scope="module")
def demo(make_module_host: MakeHost, cache: Path) -> Host:
    # Compiled first, as the demo does it.
    host = make_module_host(*EXAMPLES, sidecars=SIDECARS, start=False)
    checked = run_binary("check", host.folder, "--cache", cache, deadline=300)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    return host.start()


def test_every_address_is_a_page_or_a_picture(demo: Host) -> None:
    addresses = [line for line in greeting_lines() if line.startswith("{url}")]
    assert len(addresses) == 3
    for address in addresses:
        path = address.removeprefix("{url}")
        reply = demo.request("GET", path, headers={"Accept": "text/html,image/*;q=0.9,*/*;q=0.8"})
        assert reply.status_code == 200, path
        assert reply.headers["Content-Type"].split(";")[0] in ("text/html", "image/png"), path


@pytest.mark.timeout(600)
def test_every_command_works_as_printed(demo: Host, tmp_path: Path) -> None:
    commands = [line for line in greeting_lines() if not line.startswith("{url}")]
    (tmp_path / ".curlrc").write_text("silent\nfail-with-body\n")
    environment = clean_environment() | {
        "CURL_HOME": str(tmp_path),
        "NO_PROXY": "*",
        "PATH": os.environ["PATH"],
    }
    values = {"{url}": demo.address, "{target}": str(tmp_path), "{tarp}": str(BINARY)}
    unused = set(EXPECTED)
    for printed in commands:
        command = printed
        for placeholder, value in values.items():
            command = command.replace(placeholder, value)
        ran = subprocess.run(
            ["bash", "-c", command],
            cwd=REPOSITORY,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert ran.returncode == 0, f"{printed}\n{ran.stdout}{ran.stderr}"
        part = next((part for part in EXPECTED if part in printed), None)
        assert part, f"nothing is expected of {printed}"
        assert EXPECTED[part] in ran.stdout, f"{printed}\n{ran.stdout}"
        unused.discard(part)
    assert not unused, "not in the greeting"
    assert (tmp_path / "fit.svg").read_text().startswith("<svg")
