"""Every name that the console's modules use is defined or imported, and hides no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import typescript
from host import REPOSITORY

CONSOLE = REPOSITORY / "host" / "console"

OPTIONS = ["--noEmit", "--allowJs", "--checkJs", "--target", "es2022", "--module", "esnext",
           "--moduleResolution", "bundler", "--lib", "es2022,dom,dom.iterable"]  # fmt: skip

#: What TypeScript says of names alone, as its `diagnosticMessages.json` numbers it: no such name,
#: module or export, and a call of what is no function. Types are not declared in the console.
NAMES = r"error TS(?:2304|2305|2307|2349|2552|2613|2614|2724):"


def faults(*modules: Path) -> list[str]:
    done = typescript.run("typescript/bin/tsc", *OPTIONS, *modules, cwd=CONSOLE)
    assert "error TS" in done.stdout or done.returncode == 0, done.stdout + done.stderr
    return [line for line in done.stdout.splitlines() if re.search(NAMES, line)]


@pytest.mark.timeout(120)
def test_no_name_is_undefined(tmp_path: Path) -> None:
    own = [path for path in CONSOLE.rglob("*.js") if "vendor" not in path.parts]
    assert len(own) > 20
    assert faults(*own) == []
    wrong = tmp_path / "wrong.js"
    wrong.write_text("export const known = (job) => isOver(job.state);\n")
    assert len(faults(wrong)) == 1
