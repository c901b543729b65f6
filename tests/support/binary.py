"""Components written byte by byte: what no tool chain makes, and some sender might."""

from __future__ import annotations

import functools
from collections.abc import Iterable

from components import leb128

COMPONENT = b"\0asm\x0d\0\1\0"
CORE_MODULE = b"\0asm\1\0\0\0"

#: Types of the component model that need no definition.
U8, STRING = b"\x7d", b"\x73"

#: Types of core functions.
I32 = b"\x7f"


def text(word: str) -> bytes:
    encoded = word.encode()
    return leb128(len(encoded)) + encoded


def vector(items: Iterable[bytes]) -> bytes:
    items = list(items)
    return leb128(len(items)) + b"".join(items)


def section(kind: int, content: bytes) -> bytes:
    return bytes([kind]) + leb128(len(content)) + content


def core_function(parameters: bytes, results: bytes) -> bytes:
    return (
        b"\x60"
        + vector(bytes([byte]) for byte in parameters)
        + vector(bytes([byte]) for byte in results)
    )


def core_module(
    code: bytes = b"\0\x0b", table: int = 0, functions: int = 1, memories: int = 1
) -> bytes:
    """A module with a memory `m`, an allocator `r`, and a function `f` that takes a list: `code` is
    its body, without its length, and the `functions` and further `memories` beside it."""
    types = vector([core_function(I32 * 4, I32), core_function(I32 * 2, b"")])
    bodies = [b"\0\x41\0\x0b", *[code] * functions]
    module = CORE_MODULE + section(1, types)
    module += section(3, vector([b"\0", *[b"\1"] * functions]))
    if table:
        module += section(4, vector([b"\x70\0" + leb128(table)]))
    module += section(5, vector([b"\0\1"] * memories))
    exports = [text("m") + b"\2\0", text("r") + b"\0\0", text("f") + b"\0\1"]
    module += section(7, vector(exports))
    return module + section(10, vector(leb128(len(body)) + body for body in bodies))


class Builder:
    """Puts a component together, one section after the other."""

    def __init__(self) -> None:
        self.binary = COMPONENT
        self.types = 0
        self.instances = 0

    def type(self, definition: bytes) -> bytes:
        """Defines a type; gives it as others refer to it."""
        self.binary += section(7, vector([definition]))
        self.types += 1
        return leb128(self.types - 1)

    def named(self, name: str, definition: bytes) -> bytes:
        """The same for one that a function's type may hold only under a name of its own."""
        inner = self.type(definition)
        self.binary += section(11, vector([b"\0" + text(name) + b"\3" + inner + b"\0"]))
        self.types += 1
        return leb128(self.types - 1)

    def imports(self, *interfaces: str) -> Builder:
        """Imports interfaces that have one function each, `f`, which takes nothing."""
        declared = [b"\1\x40" + vector([]) + b"\1\0", b"\4\0" + text("f") + b"\1\0"]
        ty = self.type(b"\x42" + vector(declared))
        self.binary += section(10, vector(b"\0" + text(name) + b"\5" + ty for name in interfaces))
        self.instances = len(interfaces)
        return self

    def export_interfaces(self, *names: str) -> Builder:
        """Exports interfaces that have one function each, `f`, which takes a list of bytes."""
        self.lift(1, U8)
        inline = b"\1" + vector([b"\0" + text("f") + b"\1\0"])
        self.binary += section(5, vector(inline for _ in names))
        exports = (
            b"\0" + text(name) + b"\5" + leb128(self.instances + at) + b"\0"
            for at, name in enumerate(names)
        )
        self.binary += section(11, vector(exports))
        return self

    def export(
        self, names: Iterable[str], parameter: bytes, module: bytes | None = None
    ) -> Builder:
        """Exports functions that take one list of this type."""
        names = list(names)
        self.lift(len(names), parameter, module)
        exports = (b"\0" + text(name) + b"\1" + leb128(at) + b"\0" for at, name in enumerate(names))
        self.binary += section(11, vector(exports))
        return self

    def lift(self, count: int, parameter: bytes, module: bytes | None = None) -> None:
        """Makes functions, the first of the component, that take one list of this type."""
        listed = self.type(b"\x70" + parameter)
        function = self.type(b"\x40" + vector([text("x") + listed]) + b"\1\0")
        self.binary += section(1, module or core_module())
        self.binary += section(2, vector([b"\0\0" + vector([])]))
        aliases = [b"\0\2\1\0" + text("m"), b"\0\0\1\0" + text("r"), b"\0\0\1\0" + text("f")]
        self.binary += section(6, vector(aliases))
        options = vector([b"\3\0", b"\4\0"])
        self.binary += section(8, vector(b"\0\0\1" + options + function for _ in range(count)))


def tuple_of(*types: bytes) -> bytes:
    return b"\x6f" + vector(types)


def map_of(key: bytes, value: bytes) -> bytes:
    return b"\x63" + key + value


def record(**fields: bytes) -> bytes:
    return b"\x72" + vector(text(name) + ty for name, ty in fields.items())


def doubled(levels: int) -> bytes:
    """A component of some hundred bytes whose one function's type has 2 ** levels parts."""
    builder = Builder()
    ty = U8
    for _ in range(levels):
        ty = builder.type(tuple_of(ty, ty))
    return builder.export(["f"], ty).binary


def nested(levels: int) -> bytes:
    """A component whose one function takes a list of tuples, so many in one another."""
    builder = Builder()
    ty = U8
    for _ in range(levels):
        ty = builder.type(tuple_of(ty))
    return builder.export(["f"], ty).binary


def long_names(levels: int, length: int) -> bytes:
    """The same with a name of this length in every part."""
    builder = Builder()
    ty = builder.named("t", record(**{"a" * length: U8}))
    for _ in range(levels):
        ty = builder.type(tuple_of(ty, ty))
    return builder.export(["f"], ty).binary


@functools.cache
def slow_to_compile(blocks: int) -> bytes:
    """A component whose one function keeps the compiler busy: all of its locals are alive
    everywhere."""
    names = 2000
    body = [leb128(1), leb128(names), I32]
    for block in range(blocks):
        one, other = leb128(2 + block % names), leb128(2 + (block * 7 + 1) % names)
        # if (one) { other = other + one }
        body += [b"\x20", one, b"\x04\x40\x20", other, b"\x20", one, b"\x6a\x21", other, b"\x0b"]
    return Builder().export(["f"], U8, core_module(b"".join(body) + b"\x0b")).binary
