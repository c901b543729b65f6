"""Files in memory: the standard library, the packages and the author's own modules and data.

A component has no files when a call runs. What lay on the disk while it was built is kept in its
memory, compressed, and read-only; nothing is decompressed before it is opened. It is served below
the functions of the operating system that Python itself uses, so `import`, `importlib.resources`,
`importlib.metadata`, `pkgutil`, `pathlib` and `open` all find it. Every other path goes to the
system, where the folders are that a sidecar grants.
"""

from __future__ import annotations

import _io
import builtins
import io
import marshal
import os
import posix
import stat
import sys
import tokenize
import zlib
from collections.abc import Callable, Iterator
from importlib.machinery import SourceFileLoader
from typing import Any

#: The length of an archive's index, in front of it.
HEADER = 8


class Entry:
    """A file or a folder, as `os.scandir` gives it."""

    def __init__(self, files: Files, folder: str, name: str) -> None:
        self.name = name
        self.path = os.path.join(folder, name)
        self._files = files

    def __fspath__(self) -> str:
        return self.path

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        del follow_symlinks
        return self._files.stat(self.path)

    def is_file(self, *, follow_symlinks: bool = True) -> bool:
        return stat.S_ISREG(self.stat(follow_symlinks=follow_symlinks).st_mode)

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        return not self.is_file(follow_symlinks=follow_symlinks)

    def is_symlink(self) -> bool:
        return False

    is_junction = is_symlink

    def inode(self) -> int:
        return 0


class Entries:
    """What `os.scandir` returns."""

    def __init__(self, entries: Iterator[Entry]) -> None:
        self._entries = entries

    def __iter__(self) -> Iterator[Entry]:
        return self._entries

    def __next__(self) -> Entry:
        return next(self._entries)

    def __enter__(self) -> Entries:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        pass


class Files:
    """The files, by their absolute paths. Relative paths begin in the folder `home`."""

    def __init__(self, home: str) -> None:
        self.home = home
        #: The block of bytes that a file lies in, from where to where, and its size.
        self._files: dict[str, tuple[bytes | bytearray, int, int, int]] = {}
        self._folders: dict[str, list[str]] = {}
        #: Below these there is nothing else, whatever the disk has there during the build.
        self._roots: list[str] = []

    def add_archive(self, root: str, path: str) -> None:
        """What `tarp_pack` has written, below the folder `root`."""
        self._roots.append(f"{root}/")
        # Read into its place at once: what is freed again would stay in the component's memory.
        block = bytearray(os.stat(path).st_size)
        with open(path, "rb", buffering=0) as file:
            done = 0
            while count := file.readinto(memoryview(block)[done:]):
                done += count
        begin = HEADER + int.from_bytes(block[:HEADER], "little")
        index = marshal.loads(memoryview(block)[HEADER:begin])
        for name, (start, end, size) in index.items():
            self._add(f"{root}/{name}", (block, begin + start, begin + end, size))

    def add_folder(self, root: str, folder: str) -> None:
        """What a folder on the disk has now."""
        self._roots.append(f"{root}/")
        self._add_folder(root, folder)

    def _add_folder(self, root: str, folder: str) -> None:
        for name in sorted(os.listdir(folder)):
            path = f"{folder}/{name}"
            if os.path.isdir(path):
                self._add_folder(f"{root}/{name}", path)
                continue
            with open(path, "rb") as file:
                data = file.read()
            packed = zlib.compress(data)
            self._add(f"{root}/{name}", (packed, 0, len(packed), len(data)))

    def _add(self, path: str, place: tuple[bytes | bytearray, int, int, int]) -> None:
        self._files[path] = place
        while path:
            folder, _, name = path.rpartition("/")
            names = self._folders.get(folder)
            if names is not None:
                names.append(name)
                break
            self._folders[folder] = [name]
            path = folder

    def find(self, path: Any) -> str | None:
        """The path as it is known here, of something that is here; None for one of the system's."""
        if isinstance(path, int) or not path:
            return None
        path = os.fspath(path)
        if isinstance(path, bytes):
            path = os.fsdecode(path)
        known = path if path in self._files else os.path.normpath(os.path.join(self.home, path))
        if known in self._files or known in self._folders:
            return known
        if path.startswith("/") and known.startswith(tuple(self._roots)):
            raise FileNotFoundError(2, "No such file or directory", path)
        return None

    def data(self, path: str) -> bytes:
        block, start, end, _ = self._files[path]
        return zlib.decompress(memoryview(block)[start:end])

    def is_file(self, path: str) -> bool:
        return path in self._files

    def names(self, path: str) -> list[str]:
        if path in self._files:
            raise NotADirectoryError(20, "Not a directory", path)
        return list(self._folders[path])

    def stat(self, path: str) -> os.stat_result:
        if path in self._files:
            kind, size = stat.S_IFREG | 0o444, self._files[path][3]
        else:
            kind, size = stat.S_IFDIR | 0o555, 0
        return os.stat_result((kind, 0, 0, 1, 0, 0, size, 0, 0, 0))

    def scandir(self, path: str) -> Entries:
        return Entries(Entry(self, path, name) for name in self.names(path))

    def open(self, path: str, mode: str, text: dict[str, Any]) -> Any:
        if path not in self._files:
            raise IsADirectoryError(21, "Is a directory", path)
        raw = io.BytesIO(self.data(path))
        raw.name = path
        if "b" in mode:
            return raw
        wrapper = io.TextIOWrapper(raw, **text)
        wrapper.mode = mode
        return wrapper

    def install(self) -> None:
        """Lets every function that asks for files look here first."""
        self._wrap("stat", self.stat)
        self._wrap("lstat", self.stat)
        self._wrap("listdir", self.names, default=".")
        self._wrap("scandir", self.scandir, default=".")
        self._wrap("access", lambda path, mode=0, **_: not mode & os.W_OK)
        self._wrap_open()
        get_data = SourceFileLoader.get_data

        def get_data_here(loader: Any, path: Any) -> bytes:
            here = self.find(path)
            return self.data(here) if here and self.is_file(here) else get_data(loader, path)

        # Of the class that all loaders of files descend from.
        FileLoader = SourceFileLoader.__mro__[1]
        FileLoader.get_data = get_data_here
        # What it has seen on the disk is not there any more.
        sys.path_importer_cache.clear()

    def _wrap(self, name: str, here: Callable[..., Any], default: str | None = None) -> None:
        system = getattr(os, name)

        def function(path: Any = default, *arguments: Any, **named: Any) -> Any:
            found = self.find(path) if named.get("dir_fd") is None else None
            if found is None:
                return system(path, *arguments, **named)
            named.pop("follow_symlinks", None), named.pop("dir_fd", None)
            return here(found, *arguments, **named)

        function.__name__ = function.__qualname__ = name
        setattr(os, name, function)
        setattr(posix, name, function)
        for support in (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks):
            if system in support:
                support.add(function)

    def _wrap_open(self) -> None:
        system, system_code = io.open, io.open_code

        def open(
            file: Any,
            mode: str = "r",
            buffering: int = -1,
            encoding: str | None = None,
            errors: str | None = None,
            newline: str | None = None,
            closefd: bool = True,
            opener: Any = None,
        ) -> Any:
            if opener is None and "r" in mode and "+" not in mode:
                here = self.find(file)
                if here is not None:
                    text = {"encoding": encoding, "errors": errors, "newline": newline}
                    return self.open(here, mode, text)
            return system(file, mode, buffering, encoding, errors, newline, closefd, opener)

        def open_code(path: str) -> Any:
            here = self.find(path)
            return system_code(path) if here is None else self.open(here, "rb", {})

        for module in (builtins, io, _io):
            module.open = open
        for module in (io, _io):
            module.open_code = open_code
        tokenize._builtin_open = open
