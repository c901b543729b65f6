"""numpy's own pickles of arrays and scalars, checked as numpy does not."""

from __future__ import annotations

import re
from typing import Any

from ._arrays import make_array
from ._exceptions import InvalidReply

#: Numbers, truth values, bytes and text of a fixed length, and Python's own objects.
_CODE = re.compile(r"b1|[iu][1248]|f[248]|c8|c16|[SU][0-9]{1,9}|O8?")


def _numpy() -> Any:
    try:
        import numpy
    except ImportError:
        raise InvalidReply("the reply has numpy arrays, but numpy is not installed") from None
    return numpy


def _refused(what: str) -> InvalidReply:
    return InvalidReply(f"the pickle in the reply has a damaged {what} of numpy")


def dtype(*arguments: object) -> Any:
    """`numpy.dtype(code, False, True)`: a type of its own, whose byte order BUILD sets."""
    code = arguments[0] if arguments else None
    if type(code) is not str or len(arguments) != 3:
        raise _refused("dtype")
    if not _CODE.fullmatch(code):
        raise InvalidReply(f"the reply has an array of the type {code!r:.100}, which is not read")
    return _numpy().dtype(code, False, True)


def reconstruct(*arguments: object) -> Any:
    """`_reconstruct(numpy.ndarray, (0,), b"b")`: an empty array, which BUILD fills."""
    # The class stands for itself here. Subclasses of arrays have other names.
    kind = arguments[0] if len(arguments) == 3 else None
    if getattr(kind, "make", None) is not make_array or arguments[1] != (0,):
        raise _refused("array")
    return _numpy().ndarray((0,), "b")


def frombuffer(*arguments: object) -> Any:
    """`_frombuffer(bytes, dtype, shape, order)`: a whole array."""
    numpy = _numpy()
    if len(arguments) < 4 or any(more is not None for more in arguments[4:]):
        raise _refused("array")
    data: Any = arguments[0]
    of, shape, order = arguments[1:4]
    if type(data) not in (bytes, bytearray) or order not in ("C", "F"):
        raise _refused("array")
    _check_size(shape, of, len(data))
    return numpy.ndarray(shape, of, bytearray(data), order=order)


def scalar(*arguments: object) -> Any:
    """`scalar(dtype, bytes)`: one number."""
    of, data = arguments if len(arguments) == 2 else (None, None)
    if type(data) is not bytes:
        raise _refused("scalar")
    _check_size((), of, len(data))
    return _numpy().ndarray((), of, bytearray(data))[()]


def build(value: object, state: object) -> None:
    """Sets the byte order of a dtype, or fills an array."""
    numpy = _numpy()
    if isinstance(value, numpy.dtype):
        _build_dtype(value, state)
    elif type(value) is numpy.ndarray:
        _build_array(value, state)
    else:
        raise InvalidReply("the pickle in the reply fills what cannot be filled")


def _build_dtype(value: Any, state: object) -> None:
    if type(state) is not tuple or len(state) != 8:
        raise _refused("dtype")
    sizes = (-1, value.itemsize) if value.kind in "SU" else (-1,)
    sound = (
        state[0] == 3
        and state[1] in ("<", ">", "|", "=")
        and state[2:5] == (None, None, None)
        and all(type(number) is int for number in state[5:])
        and state[5] in sizes
        and state[6] in (-1, value.alignment)
        and state[7] == value.flags
    )
    if not sound:
        raise _refused("dtype")
    value.__setstate__(state)


def _build_array(value: Any, state: object) -> None:
    numpy = _numpy()
    if type(state) is not tuple or len(state) != 5 or value.shape != (0,):
        raise _refused("array")
    version, shape, of, is_fortran, data = state
    if version != 1 or type(is_fortran) is not bool:
        raise _refused("array")
    if isinstance(of, numpy.dtype) and of.hasobject:
        if type(data) is not list:
            raise _refused("array")
        _check_size(shape, of, len(data) * of.itemsize, objects=True)
    elif type(data) is bytes:
        _check_size(shape, of, len(data))
    else:
        raise _refused("array")
    value.__setstate__(state)


def _check_size(shape: object, of: object, size: int, *, objects: bool = False) -> None:
    """That so many bytes are exactly what an array of this shape and type has."""
    if type(shape) is not tuple or not all(type(n) is int and n >= 0 for n in shape):
        raise _refused("array")
    if not isinstance(of, _numpy().dtype) or of.hasobject != objects or len(shape) > 32:
        raise _refused("array")
    needed: int = of.itemsize
    for n in shape:
        needed *= n
    if needed != size:
        raise InvalidReply(f"an array in the reply has {size} bytes, but needs {needed}")
