"""Other versions of a component, made without building it again."""

from __future__ import annotations

from pathlib import Path

#: What begins as WebAssembly does and is a core module.
CORE_MODULE = b"\0asm\x01\0\0\0"


def leb128(number: int) -> bytes:
    """An unsigned number as WebAssembly writes it."""
    encoded = bytearray()
    while True:
        number, low = number >> 7, number & 0x7F
        encoded.append(low | (0x80 if number else 0))
        if not number:
            return bytes(encoded)


def with_section(component: bytes, name: str, content: bytes) -> bytes:
    """The component with one more custom section, which changes what it is by nothing but that."""
    encoded = name.encode()
    payload = leb128(len(encoded)) + encoded + content
    return component + b"\0" + leb128(len(payload)) + payload


def version_of_math(math: Path, text: str) -> bytes:
    """The example `math` in a version that is known by the documentation of `add`.

    The documentation travels in a section of its own, as length and text of WIT source.
    """
    wit = (
        "package demo:math@0.1.0;\n"
        f"world math {{\n  /// {text}\n  export add: func(x: s64, y: s64) -> s64;\n}}\n"
    ).encode()
    return with_section(math.read_bytes(), "tarp:wit", len(wit).to_bytes(4, "little") + wit)
