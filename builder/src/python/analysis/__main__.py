"""Reads a module of procedures without running it, and says in JSON what is in it.

`tarp build` runs this with the author's own Python, any from 3.9 on. It never imports the module:
what that imports in its turn may exist only inside the component. The order of the files, from the
ground up: `modules` (names to what they are bound to), `hints` (hints to types), `classes` (classes
to named types), `defaults` (default values to JSON), `functions` (the procedures), and this one.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from faults import Diagnostic
from functions import Analysis
from modules import Modules


def main(path: Path, shown: str) -> dict[str, object]:
    """What is in the module at this path, which its author knows by the name `shown`."""
    modules = Modules(path.parent, Path(shown).parent)
    try:
        module = modules.load(path)
    except Diagnostic as fault:
        return {"faults": [fault.as_json()], "python": sys.version.split()[0]}
    analysis = Analysis(module)
    analysis.run()
    return {
        "module": module.name,
        "docs": module.docs,
        "functions": analysis.functions,
        "definitions": analysis.definitions,
        "faults": [fault.as_json() for fault in analysis.faults],
        "warnings": [fault.as_json() for fault in analysis.warnings],
        "imports_guest": modules.imports("tarp_guest"),
        "imports_urllib": modules.imports("urllib.request"),
    }


if __name__ == "__main__":
    json.dump(main(Path(sys.argv[1]), sys.argv[2]), sys.stdout)
