"""numpy, where it is installed: the only module that imports it."""

from __future__ import annotations

import sys
from typing import Any, Literal

from ._exceptions import InvalidOption, InvalidReply

#: What rows of numbers in results become: numpy arrays, lists, or (`"auto"`) arrays where numpy
#: values went in and lists otherwise.
Arrays = Literal["auto", "numpy", "list"]

_DTYPES = frozenset({"|b1", "|i1", "|u1"}) | {
    order + kind + size for order in "<>" for kind in "iuf" for size in "248"
} - {"<f2", ">f2"}


class NumpyMissing(InvalidOption, ImportError):
    """Arrays of numpy are asked for, and it is not installed."""


def check_arrays(arrays: str) -> None:
    """Refuses what cannot be had with InvalidOption."""
    if arrays not in ("auto", "numpy", "list"):
        raise InvalidOption(f"arrays is {arrays!r}; it is one of 'auto', 'numpy' and 'list'")
    if arrays == "numpy":
        try:
            import numpy  # noqa: F401
        except ImportError as error:
            raise NumpyMissing(f"arrays='numpy' needs numpy: {error}") from error


#: As memory for numbers is aligned everywhere; numpy and what builds on it are slow with less.
ALIGNMENT = 16


class Received:
    """Bytes that an array may take over, behind ALIGNMENT others that nobody needs any more."""

    def __init__(self, memory: memoryview) -> None:
        self.memory = memory

    def __len__(self) -> int:
        return len(self.memory) - ALIGNMENT

    def aligned(self) -> memoryview:
        """The bytes, moved to the front as little as makes them aligned."""
        import numpy

        address = numpy.frombuffer(self.memory, "u1").__array_interface__["data"][0]
        start = ALIGNMENT - address % ALIGNMENT
        end = start + len(self)
        if start < ALIGNMENT:
            self.memory[start:end] = self.memory[ALIGNMENT:]
        return self.memory[start:end]


def make_array(shape: object, dtype: object, data: object) -> Any:
    """`numpy.ndarray(shape, dtype, data)`, checked as numpy does not."""
    if type(shape) is not tuple or not all(type(n) is int and n >= 0 for n in shape):
        raise InvalidReply(f"an array in the reply has the shape {shape!r:.100}")
    if type(dtype) is not str or dtype not in _DTYPES:
        raise InvalidReply(f"an array in the reply has the type {dtype!r:.100}")
    if not isinstance(data, (bytearray, Received)) or len(shape) > 32:
        raise InvalidReply("an array in the reply is not made of bytes")
    size = int(dtype[2:])
    for n in shape:
        size *= n
    if size != len(data):
        raise InvalidReply(f"an array in the reply has {len(data)} bytes, but needs {size}")
    try:
        import numpy
    except ImportError:
        raise InvalidReply(
            "the reply has numpy arrays, but numpy is not installed; use arrays='list'"
        ) from None
    return numpy.ndarray(shape, dtype, data.aligned() if isinstance(data, Received) else data)


def offers_array(value: object) -> bool:
    """Whether something that is no numpy array can be made one: pandas' Series, tensors ..."""
    if "numpy" not in sys.modules or not hasattr(type(value), "__array__"):
        return False
    import numpy

    return not isinstance(value, (numpy.ndarray, numpy.generic))


def as_array(value: object) -> Any:
    """A numpy array of what offers itself as one."""
    import numpy

    return numpy.asarray(value)
