"""Reads a module of procedures without running it, and says in JSON what is in it.

`tarp build` runs this with the author's own Python, any from 3.9 on. It never imports the module:
what that imports in its turn may exist only inside the component. The order of the files, from the
ground up: `limits` (what a component has not), `notebook` (cells to a module), `modules` (names to
what they are bound to), `hints` (hints to types), `classes` (classes to named types), `defaults`
(default values to JSON), `functions` (the procedures), `reach` (what the imports lead to), `calls`
(what cannot work in a component), and this one.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import calls
import limits
import notebook
from faults import Diagnostic
from functions import Analysis
from modules import Modules
from reach import Import, Reach


def main(path: Path, shown: str, project: Path) -> dict[str, object]:
    """What is in the module at this path, which its author knows by the name `shown`."""
    modules = Modules(path, shown, project)
    try:
        module = modules.load(path)
        reach = Reach(modules, module)
    except Diagnostic as fault:
        return {"faults": [notebook.located(fault).as_json()], "python": sys.version.split()[0]}
    analysis = Analysis(module)
    faults = reach.faults + imported(reach)
    analysis.run()
    warnings, mentioned = looked_at(reach)
    files = reach.files()
    mentioned -= set(files.values())
    files.update({inside(each, modules): each for each in sorted(mentioned)})
    return {
        "module": module.name,
        "name": re.sub("[^0-9A-Za-z]+", "_", module.name.rpartition(".")[2]),
        "docs": module.docs,
        "functions": analysis.functions,
        "definitions": analysis.definitions,
        "faults": told([*faults, *analysis.faults]),
        "warnings": told([*notebook.warnings, *analysis.warnings, *warnings]),
        "imports_guest": reach.imports("tarp_guest"),
        "imports_urllib": reach.imports("urllib.request"),
        "imports_zoneinfo": reach.imports("zoneinfo"),
        "imports": [
            {"name": each.name.split(".")[0], "at": Diagnostic("", where.file, each.line).as_json()}
            for each, where in reach.outside
            if not each.guarded and is_package(each)
        ],
        "roots": [root.relative_to(modules.project).as_posix() for root in modules.roots],
        "files": [
            {
                "name": name,
                "path": str(place),
                "shown": modules.label(place),
                "text": modules.text_of(place),
                "cells": notebook.cells(modules.label(place)),
                "mentioned": place in mentioned,
            }
            for name, place in files.items()
        ],
        "compiled": {
            **{name.lower(): limits.advice(name) for name in limits.COMPILED},
            **{name: limits.advice(of) for name, of in limits.DISTRIBUTIONS.items()},
        },
    }


def inside(path: Path, modules: Modules) -> str:
    return path.relative_to(modules.project).as_posix()


def told(faults: list[Diagnostic]) -> list[dict[str, object]]:
    return [notebook.located(fault).as_json() for fault in faults]


def is_package(each: Import) -> bool:
    """Whether it is neither of the standard library nor ours."""
    top = each.name.split(".")[0]
    ours = ("tarp_guest", "wit_world", "componentize_py_types")
    return top not in limits.STDLIB and top not in ours


def imported(reach: Reach) -> list[Diagnostic]:
    """The imports that cannot work in a component."""
    faults = []
    for each, module in reach.outside:
        if each.guarded:
            continue
        top = each.name.split(".")[0]
        why = limits.ABSENT.get(each.name) or limits.ABSENT.get(top)
        if why is not None:
            text = f"`{each.name}` is not in a component: {why}"
        elif limits.advice(each.name):
            text = str(limits.advice(each.name))
        else:
            continue
        fault = Diagnostic(text, module.file, each.line)
        if fault.as_json() not in [known.as_json() for known in faults]:
            faults.append(fault)
    return faults


def looked_at(reach: Reach) -> tuple[list[Diagnostic], set[Path]]:
    """What the modules do that a component cannot, and the files that they mention."""
    warnings: list[Diagnostic] = []
    files: set[Path] = set()
    seeded = any(calls.seeds(module) for module in reach.own)
    for module in reach.own:
        look = calls.Calls(module, seeded)
        look.visit(module.tree)
        warnings += look.warnings
        files |= look.files
    for each, module in reach.outside:
        if each.name.split(".")[0] in limits.SOCKETS and not each.guarded:
            text = f"`{each.name}` opens sockets by itself; {limits.NO_SOCKETS}"
            warnings.append(Diagnostic(text, module.file, each.line))
    return warnings, files


if __name__ == "__main__":
    json.dump(main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])), sys.stdout)
