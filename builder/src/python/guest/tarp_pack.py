"""Packs the standard library, or packages, into an archive that `tarp_runtime.files` reads.

`tarp build` runs this once for each of them, in the Python that components have: modules are
compiled, so that a call need not, and everything is compressed, file by file.
"""

from __future__ import annotations

import importlib.util
import marshal
import os
import zlib
from collections.abc import Iterator

#: Folders that no procedure has a use for.
LEFT_OUT = {
    *("__pycache__", "bin", "include", "share", "tests"),
    *("_pyrepl", "ensurepip", "idlelib", "lib-dynload", "pydoc_data", "site-packages"),
    *("tkinter", "turtledemo", "venv", "config-3.14-wasm32-wasi"),
}

#: What importlib.metadata reads; the rest of these folders is for installers.
METADATA = {"METADATA", "entry_points.txt", "top_level.txt"}

#: Files that only compilers and type checkers read, or that cannot run in a component.
USELESS = (".c", ".cpp", ".h", ".hpp", ".pyc", ".pyd", ".pyi", ".pyx", ".pxd", ".so", ".pth")


def files(folder: str, below: str = "") -> Iterator[tuple[str, str]]:
    """The paths within a folder, and where they are."""
    for name in sorted(os.listdir(folder)):
        path, inner = f"{folder}/{name}", f"{below}{name}"
        if os.path.isdir(path):
            if name not in LEFT_OUT:
                yield from files(path, f"{inner}/")
        elif below.endswith(".dist-info/"):
            if name in METADATA:
                yield inner, path
        elif not name.startswith(".") and not name.endswith(USELESS):
            yield inner, path


def compiled(data: bytes, path: str) -> bytes | None:
    """A module as a `.pyc` that is not compared with its source; None for one that is broken."""
    try:
        code = compile(data, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return None
    flags, source_hash = (1).to_bytes(4, "little"), bytes(8)
    return importlib.util.MAGIC_NUMBER + flags + source_hash + marshal.dumps(code)


def pack(folder: str, root: str, to: str, replacements: str | None = None) -> None:
    """Packs a folder whose files will be seen below `root`; some of them replaced."""
    places = dict(files(folder))
    if replacements is not None:
        places.update(files(replacements))
    index: dict[str, tuple[int, int, int]] = {}
    with open(f"{to}.block", "wb") as block:
        for name, place in places.items():
            with open(place, "rb") as file:
                data = file.read()
            if name.endswith(".py"):
                module = compiled(data, f"{root}/{name}")
                if module is not None:
                    data, name = module, f"{name}c"
            packed = zlib.compress(data)
            start = block.tell()
            block.write(packed)
            index[name] = (start, start + len(packed), len(data))
    with open(to, "wb") as archive, open(f"{to}.block", "rb") as block:
        header = marshal.dumps(index)
        archive.write(len(header).to_bytes(8, "little") + header + block.read())
    os.remove(f"{to}.block")
