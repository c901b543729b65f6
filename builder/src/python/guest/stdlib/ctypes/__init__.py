"""In place of `ctypes`, which needs what WebAssembly has not: libraries that are loaded while a
program runs. Packages that only mention it are imported all the same, types are types without
contents, and whatever would call into a library is an error."""

from __future__ import annotations

from typing import Any

REASON = "a component has no libraries of the system, so `ctypes` cannot load or call any"


class ArgumentError(Exception):
    pass


class _Meta(type):
    def __mul__(cls, count: int) -> type:
        return _type(f"{cls.__name__}_Array_{count}")


class _Type(metaclass=_Meta):
    def __init__(self, *_: Any, **__: Any) -> None:
        raise OSError(f"{REASON}: `{type(self).__name__}`")


def _type(name: str) -> type:
    return _Meta(name, (_Type,), {"__module__": __name__})


for _name in (
    *("Structure", "BigEndianStructure", "LittleEndianStructure", "Union", "Array", "py_object"),
    *("c_bool", "c_byte", "c_char", "c_char_p", "c_double", "c_float", "c_int", "c_int8"),
    *("c_int16", "c_int32", "c_int64", "c_long", "c_longdouble", "c_longlong", "c_short"),
    *("c_size_t", "c_ssize_t", "c_ubyte", "c_uint", "c_uint8", "c_uint16", "c_uint32"),
    *("c_uint64", "c_ulong", "c_ulonglong", "c_ushort", "c_void_p", "c_wchar", "c_wchar_p"),
):
    globals()[_name] = _type(_name)

_SIZES = {"c_void_p": 4, "c_size_t": 4, "c_ssize_t": 4, "c_long": 4, "c_ulong": 4, "py_object": 4}
_SIZES |= {"c_int": 4, "c_uint": 4, "c_float": 4, "c_double": 8, "c_longlong": 8, "c_char": 1}
RTLD_LOCAL, RTLD_GLOBAL, DEFAULT_MODE = 0, 256, 0


def sizeof(of: Any) -> int:
    try:
        return _SIZES[of.__name__]
    except (AttributeError, KeyError):
        raise OSError(f"{REASON}: `sizeof`") from None


def POINTER(of: Any) -> type:
    return _type(f"LP_{getattr(of, '__name__', of)}")


def CFUNCTYPE(*_: Any, **__: Any) -> type:
    return _type("CFunctionType")


PYFUNCTYPE = CFUNCTYPE


class CDLL:
    def __init__(self, name: Any = None, *_: Any, **__: Any) -> None:
        raise OSError(f"{REASON}: `{name}`")


PyDLL = CDLL


class LibraryLoader:
    def __init__(self, dlltype: Any) -> None:
        self._dlltype = dlltype

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._dlltype(name)

    __getitem__ = __getattr__

    def LoadLibrary(self, name: Any) -> Any:
        return self._dlltype(name)


cdll = LibraryLoader(CDLL)
pydll = LibraryLoader(PyDLL)


class _PythonApi:
    def __getattr__(self, name: str) -> Any:
        raise OSError(f"{REASON}: `pythonapi.{name}`")


pythonapi = _PythonApi()


def _lacks(name: str) -> Any:
    def function(*_: Any, **__: Any) -> Any:
        raise OSError(f"{REASON}: `{name}`")

    function.__name__ = name
    return function


for _name in (
    *("addressof", "alignment", "byref", "cast", "create_string_buffer", "get_errno"),
    *("create_unicode_buffer", "memmove", "memset", "pointer", "resize", "set_errno"),
    *("string_at", "wstring_at"),
):
    globals()[_name] = _lacks(_name)
