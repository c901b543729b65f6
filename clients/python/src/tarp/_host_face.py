"""What a host looks like, whether its calls wait or are awaited: names that lead to procedures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from . import _html
from ._address import Address
from ._catalog import Catalog, ProcedureInfo, nearest
from ._exceptions import NoSuchProcedure
from ._message import Reply
from ._protocol import Options

H = TypeVar("H", bound="HostFace")


class HostFace:
    """A host and its procedures by their names: `host.add`, `host.statistics.mean`.

    A procedure whose name is that of a method here is `host["close"]`; any name works so, also
    `host["statistics/mean"]`.
    """

    def __init__(self, address: Address, options: Options) -> None:
        self._address = address
        self._options = options
        self._catalog = Catalog()
        self._is_stale = True
        #: What has been found by attribute, in which catalog.
        self._found: dict[str, Any] = {}
        self._found_in = self._catalog

    @property
    def url(self) -> str:
        """The host's address, without credentials."""
        return self._address.url

    @property
    def procedures(self) -> Mapping[str, ProcedureInfo]:
        """What the host says about each of its procedures, by full name."""
        return self._current().procedures

    @property
    def problems(self) -> tuple[Mapping[str, Any], ...]:
        """What is wrong with files of the host's folder, each with `file` and `message`."""
        return self._current().problems

    # What the two faces do in their own ways.

    def _current(self) -> Catalog:
        """The catalog, renewed first where that can be done here and the host has changed."""
        return self._catalog

    def _renewed(self) -> Catalog:
        """The catalog, renewed first where that can be done here."""
        return self._catalog

    def _glance(self) -> Catalog:
        """The catalog for who only looks: never waits for long, and fails for nothing."""
        return self._catalog

    def _procedure(self, info: ProcedureInfo) -> Any:
        raise NotImplementedError

    # Names.

    def _notice(self, reply: Reply) -> None:
        """Looks whether the host's procedures have changed."""
        version = reply.headers.get("x-tarp-catalog")
        if version is not None and version != self._catalog.version:
            self._is_stale = True

    if not TYPE_CHECKING:
        # Generated stubs name every procedure, and a checker is to find fault with other names.

        def __getattr__(self, name: str) -> Any:
            check_name(name)
            catalog = self._current()
            if self._found_in is not catalog:
                self._found_in, self._found = catalog, {}
            found = self._found.get(name)
            if found is None:
                found = self._found[name] = resolve(self, "", name)
            return found

    def __getitem__(self, name: str) -> Any:
        if not isinstance(name, str):
            raise NoSuchProcedure(f"a procedure's name is a str, not {type(name).__name__}")
        info = self._current().find(name) or self._renewed().find(name)
        if info is None:
            raise NoSuchProcedure(missing(self._catalog, "", name))
        return self._procedure(info)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._current().find(name) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self._current().procedures)

    def __len__(self) -> int:
        return len(self._current().procedures)

    def __dir__(self) -> list[str]:
        catalog = self._glance()
        flat = [name for name in catalog.names if "/" not in name]
        return sorted({*object.__dir__(self), *flat, *catalog.children("")})

    def __copy__(self: H) -> H:
        return self

    def __deepcopy__(self: H, _: Any) -> H:
        return self

    def __bool__(self) -> bool:
        # Not whether it has procedures, which would have to be asked.
        return True

    def _ipython_key_completions_(self) -> list[str]:
        return list(self._glance().procedures)

    def __repr__(self) -> str:
        return f"<TARP host at {self.url} with {len(self._catalog.procedures)} procedures>"

    def _repr_html_(self) -> str:
        return _html.host(self.url, self._glance())


class Namespace:
    """The procedures whose names begin alike: `host.statistics`."""

    def __init__(self, host: HostFace, path: str) -> None:
        self._host = host
        self._path = path

    def __reduce__(self) -> Any:
        return Namespace, (self._host, self._path)

    def __getattr__(self, name: str) -> Any:
        check_name(name)
        return resolve(self._host, self._path, name)

    def __dir__(self) -> list[str]:
        return sorted([*object.__dir__(self), *self._host._glance().children(self._path)])

    def __repr__(self) -> str:
        names = ", ".join(self._host._catalog.children(self._path))
        return f"<namespace {self._path.replace('/', '.')} of {self._host.url}: {names}>"

    def _repr_html_(self) -> str:
        return _html.namespace(self._path, self._host._glance())


def check_name(name: str) -> None:
    """Refuses what is no procedure's name: Python and Jupyter ask any object for many such, also
    before it has any attributes of its own."""
    if name.startswith("_"):
        raise AttributeError(name)


def resolve(host: HostFace, path: str, name: str) -> Any:
    """The procedure or the namespace `name` below `path`; NoSuchProcedure with near names."""
    full = f"{path}/{name}" if path else name
    found = _look(host, host._current(), full)
    if found is None:
        found = _look(host, host._renewed(), full)
    if found is None:
        raise NoSuchProcedure(missing(host._catalog, path, name))
    return found


def _look(host: HostFace, catalog: Catalog, full: str) -> Any | None:
    info = catalog.find(full)
    if info is not None:
        return host._procedure(info)
    return Namespace(host, full) if catalog.children(full) else None


#: Characters; of a longer name only the beginning is said.
_LONG_NAME = 100


def missing(catalog: Catalog, path: str, name: str) -> str:
    """What to say where a name leads to nothing."""
    if len(name) > _LONG_NAME:
        return f"the host has no procedure `{name[:_LONG_NAME]}...`"
    near = nearest(name, catalog.children(path)) if path else catalog.suggestions(name)
    where = f"{path.replace('/', '.')} has" if path else "the host has"
    if not catalog.complete:
        return f"{where} no procedure `{name}` yet; it is still loading its components"
    if near:
        hint = "; did you mean " + " or ".join(f"`{other.replace('/', '.')}`" for other in near)
    elif not catalog.procedures:
        hint = f"; it serves none at all{_problems(catalog)}"
    else:
        shown = f"; `dir` shows its {len(catalog.procedures)} procedures" if not path else ""
        hint = shown + _problems(catalog)
    return f"{where} no procedure `{name}`{hint}{'?' if near else ''}"


def _problems(catalog: Catalog) -> str:
    """What is wrong with files that may have what a name leads to."""
    if not catalog.problems:
        return ""
    first, *more = catalog.problems
    cause = str(first["message"]).partition("\n")[0]
    count = f"; files with problems: {len(more) + 1}" if more else ""
    return f"; there is a problem with {first['file']}: {cause}{count}"
