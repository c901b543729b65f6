"""What happens once, while the component is built: its files are taken into memory, and the
author's module is imported from there."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from types import ModuleType

from . import chance, lacking
from .files import Files

#: Where the author's files and the packages seem to be.
PROJECT, PACKAGES, STDLIB = "/component/project", "/component/packages", "/python"

#: Where `tarp build` has put what goes into the component.
BROUGHT = "/1"


def author(module: str, roots: list[str], checked: list[str]) -> ModuleType:
    """The author's module. `roots` are the folders of the project that modules are in, `checked`
    packages without their compiled parts, which may turn out to be needed only in a call."""
    files = Files(PROJECT)
    files.add_folder(PROJECT, f"{BROUGHT}/project")
    files.add_archive(STDLIB, f"{BROUGHT}/stdlib.archive")
    if os.path.exists(f"{BROUGHT}/packages.archive"):
        files.add_archive(PACKAGES, f"{BROUGHT}/packages.archive")
    # What componentize-py and we have put around the author's module.
    around = ["/0", "/world", "/bundled"]
    for folder in around:
        files.add_folder(folder, folder)
    files.install()
    within = [PROJECT if root == "." else f"{PROJECT}/{root}" for root in roots]
    sys.path[:] = [*within, STDLIB, PACKAGES, *around]
    lacking.supply()
    chance.watch()
    found = importlib.import_module(module)
    for name in checked:
        importlib.import_module(name)
    chance.keep()
    # What is there now is there in every call: looking through it for garbage would only take time.
    gc.collect()
    gc.freeze()
    return found
