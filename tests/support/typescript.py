"""TypeScript and what makes clients with it, as `cargo xtask test node` installs them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from host import REPOSITORY

_NODE = Path(os.environ.get("TARP_TEST_NODE") or REPOSITORY / "target/test-node")

MODULES = _NODE / "node_modules"


def run(script: str, *args: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Runs a script of one of the packages, by its path in `node_modules`."""
    assert MODULES.exists(), f"{_NODE}: `cargo xtask test node` installs it"
    command = ["node", MODULES / script, *args]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
