"""Writes stubs: a module for type checkers that declares each procedure of a host.

Records become TypedDicts, the same one for the same fields. Arguments have the types that a
procedure accepts, which are wider than those that it gives: any sequence for a list, anything that
offers itself as an array for a list of numbers.
"""

from __future__ import annotations

import inspect
import keyword
import re
from itertools import count
from typing import Any

from ._catalog import Catalog, ProcedureInfo
from ._host import BaseHost
from ._types import NUMBERS, Type, is_optional, kind_of, names, returned, scalar

_HEAD = '''\
"""The procedures of {url}, for type checkers and editors; made by `python -m tarp stubs`.

    from typing import TYPE_CHECKING, cast
    import {imports}

    if TYPE_CHECKING:
        from procedures import Procedures

    host = cast("Procedures", {connect})
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence, Set
from typing import Any, Literal, Protocol, overload

from typing_extensions import NotRequired, ReadOnly, TypedDict

import {imports}

class _Array(Protocol):
    def __array__(self, *args: Any, **kwargs: Any) -> Any: ...

_Bytes = bytes | bytearray | memoryview | _Array
'''


#: What no record may be called: any word of the head, to be safe.
_TAKEN = frozenset(re.findall(r"\w+", _HEAD)) | {"Procedures"}


def stubs(url: str, catalog: Catalog, *, for_asyncio: bool = False) -> str:
    """The text of a `.pyi` file for all procedures of a host."""
    writer = _Writer(for_asyncio)
    tree = _tree(catalog)
    procedures = writer.classes(tree)
    imports = "tarp.aio" if for_asyncio else "tarp"
    connect = f'await tarp.aio.connect("{url}")' if for_asyncio else f'tarp.connect("{url}")'
    head = _HEAD.format(url=url, imports=imports, connect=connect)
    return "\n".join([head, *writer.records, *procedures])


def _tree(catalog: Catalog) -> dict[str, Any]:
    """Namespaces as dicts in dicts, and procedures in them; flat names at the top as well."""
    tree: dict[str, Any] = {}
    infos = catalog.procedures.values()
    aliases = [(alias, info) for info in infos for alias in info.aliases]
    names = [*catalog.procedures.items(), *aliases]
    for name, info in names:
        *spaces, last = name.split("/")
        place = tree
        for space in spaces:
            inner = place.setdefault(space, {})
            if not isinstance(inner, dict):
                break
            place = inner
        else:
            place.setdefault(last, info)
    for name, info in names:
        tree.setdefault(name.replace("/", "_"), info)
    return tree


#: The options of `map` and `starmap`.
_MAPPING = (
    "kwargs: Mapping[str, Any] | None = None, progress: bool = False, window: int = 64,"
    " jobs: bool = True, ordered: bool = True, return_exceptions: bool = False"
)


def _is_attribute(name: str) -> bool:
    """Whether a name can be written behind a dot, and is looked for there."""
    return name.isidentifier() and not keyword.iskeyword(name) and not name.startswith("_")


class _Writer:
    def __init__(self, for_asyncio: bool) -> None:
        self._module = "tarp.aio" if for_asyncio else "tarp"
        self._define = "async def" if for_asyncio else "def"
        self._iterator = "AsyncIterator" if for_asyncio else "Iterator"
        self.records: list[str] = []
        self._record_names: dict[str, str] = {}
        #: The class of each procedure, by its full name.
        self._procedures: dict[str, str] = {}
        self._classes: set[str] = set()

    def classes(self, tree: dict[str, Any]) -> list[str]:
        """The classes of procedures and namespaces, those that others refer to first."""
        written: list[str] = []
        self._namespace(tree, "Procedures", f"({self._module}.BaseHost)", written)
        return written

    def _class(self, name: str) -> str:
        """A name for a class, which nothing else has: not every name can be one of Python's."""
        title = f"_{re.sub(r'[^0-9A-Za-z_]', '_', name)}"
        while title in self._classes:
            title += "_"
        self._classes.add(title)
        return title

    def _namespace(self, tree: dict[str, Any], title: str, base: str, written: list[str]) -> None:
        lines = [f"class {title}{base}:"]
        by_item = {}
        for name, inner in tree.items():
            if isinstance(inner, dict):
                of_space = self._class(f"{title.strip('_')}_{name}")
                self._namespace(inner, of_space, "", written)
            else:
                of_space = self._procedure(inner, written)
                if base and not _is_attribute(name):
                    by_item[inner.name] = of_space
            if _is_attribute(name) and not (base and hasattr(BaseHost, name)):
                lines.append(f"    @property\n    def {name}(self) -> {of_space}: ...")
        for name, of_space in by_item.items():
            # Names that no attribute can have.
            item = f"def __getitem__(self, name: Literal[{name!r}]) -> {of_space}: ..."
            lines.append(f"    @overload\n    {item}")
        if by_item:
            lines.append("    @overload\n    def __getitem__(self, name: str) -> Any: ...")
        if len(lines) == 1:
            lines.append("    pass")
        written.append("\n".join(lines) + "\n")

    def _procedure(self, info: ProcedureInfo, written: list[str]) -> str:
        if info.name in self._procedures:
            return self._procedures[info.name]
        title = self._class(info.flat_name)
        if info.web_methods:
            parameters, result = ", body: Any = ..., /, **query: Any", "Any"
        else:
            parameters = "".join(
                f", {info.spellings[name]}: {self._type(ty, accepted=True)}{default}"
                for (name, ty), default in zip(info.parameters, _defaults(info))
            )
            result = self._type(returned(info.result), accepted=False)
        # A parameter of that name leaves no other place for the object itself.
        itself = "__self, /" if "self" in dict(info.parameters) else "self"
        job = f"{self._module}.Job[{result}]"
        doc = info.documentation.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
        quoted = f'        """{doc}\n        """\n' if doc else ""
        text = (
            f"class {title}({self._module}.Procedure):\n"
            f"    {self._define} __call__({itself}{parameters}) -> {result}:\n"
            f"{quoted}        ...\n"
            f"    {self._define} submit({itself}{parameters}) -> {job}: ...\n"
            f"    def map(self, *iterables: Iterable[Any], {_MAPPING})"
            f" -> {self._iterator}[{result}]: ...\n"
            f"    def starmap(self, calls: Iterable[Iterable[Any]], *, {_MAPPING})"
            f" -> {self._iterator}[{result}]: ...\n"
        )
        self._procedures[info.name] = title
        written.append(text)
        return title

    def _type(self, ty: Type | None, accepted: bool) -> str:
        """The type of what may be sent, or of what comes back."""
        if ty is None:
            return "None"
        kind, inner = kind_of(ty)
        if kind == "list":
            return self._list(inner, accepted)
        if kind == "option":
            if is_optional(inner):
                some = self._record([{"name": "some", "type": inner}], accepted)
                return f"{some} | None"
            return f"{self._type(inner, accepted)} | None"
        if kind == "tuple":
            items = [self._type(item, accepted) for item in inner]
            return f"tuple[{', '.join(items) or '()'}]"
        if kind == "set":
            inside = self._type(inner, accepted)
            return f"Set[{inside}] | Sequence[{inside}]" if accepted else f"set[{inside}]"
        if kind == "map":
            key, value = (self._type(inner[part], accepted) for part in ("key", "value"))
            return f"{'Mapping' if accepted else 'dict'}[{key}, {value}]"
        if kind == "record":
            return self._record(inner, accepted)
        if kind == "variant":
            return self._variant(inner, accepted)
        if kind == "result":
            cases = [{"name": name, "type": inner[name]} for name in ("ok", "err")]
            return " | ".join(self._record([case], accepted) for case in cases)
        if kind == "enum":
            return names(inner)
        if kind == "flags":
            literal = names(inner)
            return f"Set[{literal}] | Sequence[{literal}]" if accepted else f"set[{literal}]"
        return scalar(kind)

    def _list(self, item: Type, accepted: bool) -> str:
        if item == "u8":
            return "_Bytes" if accepted else "bytes"
        inside = self._type(item, accepted)
        if not accepted:
            return f"list[{inside}]"
        options = [f"Sequence[{inside}]"]
        innermost = item
        while kind_of(innermost)[0] == "list":
            innermost = kind_of(innermost)[1]
        if kind_of(innermost)[0] in NUMBERS or kind_of(item)[0] == "record":
            # For records: a DataFrame is an array as well.
            options.append("_Array")
        kind, inner = kind_of(item)
        if kind == "tuple" and len(inner) == 2 and inner[0] == "string":
            options.append(f"Mapping[str, {self._type(inner[1], accepted)}]")
        return " | ".join(options)

    def _variant(self, cases: list[Any], accepted: bool) -> str:
        plain = [case["name"] for case in cases if case["type"] is None]
        options = [names(plain)] if plain else []
        loaded = [case for case in cases if case["type"] is not None]
        options += [self._record([case], accepted) for case in loaded]
        return " | ".join(options)

    def _record(self, fields: list[Any], accepted: bool) -> str:
        entries = self._entries(fields, accepted=False)
        if accepted and self._entries(fields, accepted=True) != entries:
            # Read-only, so that a value that came back fits where it came from.
            entries = self._entries(fields, accepted=True, wrap="ReadOnly[{}]")
        body = str(entries)
        if body not in self._record_names:
            name = self._new_name(list(entries))
            self._record_names[body] = name
            self.records.append(_declaration(name, entries))
        return self._record_names[body]

    def _entries(self, fields: list[Any], accepted: bool, wrap: str = "{}") -> dict[str, str]:
        entries = {}
        for field in fields:
            ty = wrap.format(self._type(field["type"], accepted))
            if accepted and len(fields) > 1 and field["type"] and is_optional(field["type"]):
                ty = f"NotRequired[{ty}]"
            entries[field["name"]] = ty
        return entries

    def _new_name(self, fields: list[str]) -> str:
        """Records have no names on the wire, so they are called after their first fields."""
        name = "".join(map(_camel, fields[:3])) + ("Etc" if len(fields) > 3 else "")
        taken = self._record_names.values()
        for n in count(1):
            candidate = f"{name}{n}" if n > 1 else name
            if candidate not in taken and candidate not in _TAKEN:
                break
        return candidate


def _is_field(name: str) -> bool:
    """Whether a class can declare it: in the body of one, Python renames what begins with `__`."""
    return name.isidentifier() and not keyword.iskeyword(name) and not name.startswith("__")


def _declaration(name: str, entries: dict[str, str]) -> str:
    if not all(map(_is_field, entries)):
        # No class can have such a field, and only classes may have read-only ones.
        body = ", ".join(f"{field!r}: Any" for field in entries)
        return f'{name} = TypedDict("{name}", {{{body}}})\n'
    lines = [f"    {field}: {ty}\n" for field, ty in entries.items()]
    return f"class {name}(TypedDict):\n{''.join(lines)}"


def _defaults(info: ProcedureInfo) -> list[str]:
    return [_default(parameter.default) for parameter in info.signature.parameters.values()]


def _default(value: Any) -> str:
    if value is inspect.Parameter.empty:
        return ""
    return " = None" if value is None else " = ..."


def _camel(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))
