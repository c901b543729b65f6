"""Reads the pickles of replies: the values that procedures return, and nothing else.

Python's own unpickler is a machine that imports and calls what a pickle names, keeps a memo that
eight bytes can make gigabytes of, and builds values that crash the interpreter when it hashes
them; a list of allowed names stops only the first of these. This one knows just the opcodes that
a host writes, and those in which the original's own servers write plain values and arrays. It
imports nothing, calls nothing that a pickle names, and takes memory only for what has arrived. Rows
of numbers, which make up large replies, are read in one go.
"""

from __future__ import annotations

import collections
import struct
from typing import Any, Callable, NoReturn

from ._arrays import ALIGNMENT, Received
from ._exceptions import InvalidReply
from ._globals import NAMES, Name, build, make_new

#: Tuples in tuples in a key of a dict; hashing them recurses without a limit of its own.
_KEY_DEPTH = 50

#: As many numbers are read in one go, at most; the batches of a list are no longer.
_ROW = 1024

#: An array of so many bytes, which are most of the pickle, stays where they were received.
_LARGE = 1 << 16


def unpickle(data: bytes | bytearray) -> Any:
    """The value in a pickle; InvalidReply for anything that no host would write.

    A bytearray is given away: a large array in the value has its memory there.
    """
    try:
        return _Machine(data).run()
    except InvalidReply:
        raise
    except (LookupError, ValueError, TypeError, OverflowError, MemoryError, struct.error) as error:
        raise InvalidReply(f"the pickle in the reply is damaged: {error!r}") from error


class _WithNames(tuple):  # type: ignore[type-arg]
    """A tuple that holds names: the arguments of something that takes a class."""

    __slots__ = ()


class _Machine:
    """Runs one pickle."""

    def __init__(self, data: bytes | bytearray) -> None:
        self.data = data
        self.view = memoryview(data)
        self.at = 0
        self.stack: list[Any] = []
        #: The height of the stack at each open MARK.
        self.marks: list[int] = []
        #: Names on the stack that nothing has been made with yet.
        self.names = 0
        self.memo: dict[int, Any] = {}
        #: How many more parts of keys are looked at. A part takes a byte, unless keys share it.
        self.key_parts = len(data)

    def run(self) -> Any:
        data, opcodes = self.data, _OPCODES
        while True:
            opcode = data[self.at]
            self.at += 1
            step = opcodes[opcode]
            if step is None:
                break
            step(self)
        if self.at != len(data) or len(self.stack) != 1 or self.marks or self.names:
            raise InvalidReply("the pickle in the reply does not end where it should")
        return self.stack[0]

    # Reading.

    def take(self, size: int) -> memoryview:
        start = self.at
        self.at += size
        if self.at > len(self.data):
            raise InvalidReply("the pickle in the reply is cut off")
        return self.view[start : self.at]

    def counted(self, size_of_length: int) -> memoryview:
        return self.take(int.from_bytes(self.take(size_of_length), "little"))

    def row(self, prefix: bytes, order: str, number: str) -> None:
        """Numbers of one kind, as many as follow each other here; each has the same prefix."""
        data, start = self.data, self.at - 1
        size = struct.calcsize(order + number)
        count = 1
        if data[start + size] == prefix[0]:
            # Another one follows, so this may be a long row: its opcode stands every `size` bytes.
            count = _ROW
            for offset, byte in enumerate(prefix):
                column = bytes(data[start + offset : start + count * size : size])
                count = len(column) - len(column.lstrip(bytes([byte])))
            count = min(count, (len(data) - start) // size)
        self.stack += struct.unpack_from(order + number * count, data, start)
        self.at = start + count * size

    def long(self) -> None:
        if self.data[self.at] == 8:
            self.row(b"\x8a\x08", "<", "xxq")
        else:
            self.stack.append(int.from_bytes(self.counted(1), "little", signed=True))

    def short_text(self) -> None:
        start = self.at + 1
        self.at = start + self.data[start - 1]
        self.stack.append(self.data[start : self.at].decode())

    def block(self) -> None:
        """A bytearray: the numbers of an array, which what follows makes of it."""
        data = self.counted(8)
        start = self.at - len(data)
        if (
            type(self.data) is bytearray
            and len(data) >= max(_LARGE, len(self.data) // 2)
            and start >= ALIGNMENT
            # So it goes to `make_array` at once; nothing else that REDUCE knows takes three.
            and self.data[self.at : self.at + 2] == b"\x87R"
        ):
            self.stack.append(Received(self.view[start - ALIGNMENT : self.at]))
        else:
            self.stack.append(bytearray(data))

    # The stack.

    def pop_mark(self) -> list[Any]:
        height = self.marks.pop()
        items = self.stack[height:]
        del self.stack[height:]
        return items

    def top(self, *kinds: type) -> Any:
        top = self.stack[-1]
        if type(top) not in kinds or (self.marks and len(self.stack) <= self.marks[-1]):
            raise InvalidReply(f"the pickle in the reply fills something else than a {kinds[0]}")
        return top

    def tuple(self, size: int) -> None:
        if len(self.stack) - (self.marks[-1] if self.marks else 0) < size:
            raise InvalidReply("the pickle in the reply has a tuple of more than there is")
        self.stack[-size:] = [self.with_names(tuple(self.stack[-size:]))]

    def with_names(self, items: Any) -> Any:
        """The tuple, marked if it holds names."""
        if self.names and any(type(item) in (Name, _WithNames) for item in items):
            return _WithNames(items)
        return items

    def append(self) -> None:
        item = self.stack.pop()
        self.top(list, collections.deque).append(item)

    def appends(self) -> None:
        items = self.pop_mark()
        self.top(list, collections.deque).extend(items)

    def setitems(self) -> None:
        items = self.pop_mark()
        keys = items[::2]
        self.check_keys(keys)
        self.top(dict, collections.OrderedDict).update(zip(keys, items[1::2]))

    def setitem(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self.check_keys([key])
        self.top(dict, collections.OrderedDict)[key] = value

    def additems(self) -> None:
        items = self.pop_mark()
        self.check_keys(items)
        self.top(set).update(items)

    def frozenset(self) -> None:
        items = self.pop_mark()
        self.check_keys(items)
        self.stack.append(frozenset(items))

    def name(self) -> None:
        member, module = self.stack.pop(), self.stack.pop()
        name = NAMES.get((module, member))
        if name is None:
            raise InvalidReply(f"the pickle in the reply names {module}.{member}")
        self.names += 1
        self.stack.append(name)

    def called(self) -> Any:
        """What is called, and its arguments; both are no longer on the stack."""
        arguments, name = self.stack.pop(), self.stack.pop()
        if type(name) is not Name or type(arguments) not in (tuple, _WithNames):
            raise InvalidReply("the pickle in the reply calls what is no name")
        self.names -= 1 + _names_in(arguments)
        return name, arguments

    def reduce(self) -> None:
        name, arguments = self.called()
        self.stack.append(name.make(*arguments))

    def new(self) -> None:
        self.stack.append(make_new(*self.called()))

    def build(self) -> None:
        state = self.stack.pop()
        build(self.stack[-1], state)

    # The memo. It is a dict, since an index is only a number: as a list, one of 2**32 takes memory.

    def put(self, index: int) -> None:
        self.memo[index] = self.stack[-1]

    def get(self, index: int) -> None:
        value = self.memo[index]
        self.names += _names_in((value,))
        self.stack.append(value)

    def check_keys(self, keys: list[Any], room: int = _KEY_DEPTH) -> None:
        """Refuses keys that cannot be hashed safely."""
        self.key_parts -= len(keys)
        if self.key_parts < 0:
            raise InvalidReply("the pickle in the reply has keys that take too long to hash")
        for key in keys:
            if type(key) in (tuple, frozenset):
                if not room:
                    raise InvalidReply("the pickle in the reply has a key that nests too deeply")
                self.check_keys(list(key), room - 1)


def _names_in(items: Any) -> int:
    """How many names are among the items, and in tuples among them."""
    return sum(
        1 if type(item) is Name else _names_in(item)
        for item in items
        if type(item) in (Name, _WithNames)
    )


def _refuse(machine: _Machine) -> NoReturn:
    opcode = bytes(machine.data[machine.at - 1 : machine.at])
    raise InvalidReply(f"the pickle in the reply has the opcode {opcode!r}, which no value needs")


_KNOWN: dict[int, Callable[[_Machine], Any] | None] = {
    ord("."): None,
    # What is optional and says nothing: the protocol, and frames.
    0x80: lambda m: m.take(1),
    0x95: lambda m: m.take(8),
    0x94: lambda m: m.put(len(m.memo)),
    ord("q"): lambda m: m.put(m.take(1)[0]),
    ord("r"): lambda m: m.put(int.from_bytes(m.take(4), "little")),
    ord("h"): lambda m: m.get(m.take(1)[0]),
    ord("j"): lambda m: m.get(int.from_bytes(m.take(4), "little")),
    ord("N"): lambda m: m.stack.append(None),
    0x88: lambda m: m.stack.append(True),
    0x89: lambda m: m.stack.append(False),
    ord("K"): lambda m: m.row(b"K", "<", "xB"),
    ord("M"): lambda m: m.row(b"M", "<", "xH"),
    ord("J"): lambda m: m.row(b"J", "<", "xi"),
    ord("G"): lambda m: m.row(b"G", ">", "xd"),
    0x8A: _Machine.long,
    0x8B: lambda m: m.stack.append(int.from_bytes(m.counted(4), "little", signed=True)),
    0x8C: _Machine.short_text,
    ord("X"): lambda m: m.stack.append(str(m.counted(4), "utf-8")),
    0x8D: lambda m: m.stack.append(str(m.counted(8), "utf-8")),
    ord("C"): lambda m: m.stack.append(bytes(m.counted(1))),
    ord("B"): lambda m: m.stack.append(bytes(m.counted(4))),
    0x8E: lambda m: m.stack.append(bytes(m.counted(8))),
    0x96: _Machine.block,
    ord("("): lambda m: m.marks.append(len(m.stack)),
    ord(")"): lambda m: m.stack.append(()),
    0x85: lambda m: m.tuple(1),
    0x86: lambda m: m.tuple(2),
    0x87: lambda m: m.tuple(3),
    ord("t"): lambda m: m.stack.append(m.with_names(tuple(m.pop_mark()))),
    ord("]"): lambda m: m.stack.append([]),
    ord("a"): _Machine.append,
    ord("e"): _Machine.appends,
    ord("}"): lambda m: m.stack.append({}),
    ord("s"): _Machine.setitem,
    ord("u"): _Machine.setitems,
    0x8F: lambda m: m.stack.append(set()),
    0x90: _Machine.additems,
    0x91: _Machine.frozenset,
    0x93: _Machine.name,
    ord("R"): _Machine.reduce,
    0x81: _Machine.new,
    ord("b"): _Machine.build,
}

_OPCODES: list[Callable[[_Machine], Any] | None] = [
    _KNOWN.get(opcode, _refuse) for opcode in range(256)
]
