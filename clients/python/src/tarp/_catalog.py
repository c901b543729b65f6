"""What a host serves: an immutable snapshot of its procedures, found by any of their names."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ._names import meant
from ._types import Annotation, Type, in_python, in_words, is_optional, returned, spelled


@dataclass(frozen=True)
class Limits:
    """What one call of a procedure may use."""

    fuel: int
    #: Bytes.
    memory: int
    #: Seconds.
    deadline: float
    #: Bytes kept of each output stream.
    output: int
    #: Bytes of the result.
    result: int


@dataclass(frozen=True)
class ProcedureInfo:
    """What the host says about one procedure."""

    #: The full name, such as `statistics/mean`.
    name: str
    documentation: str = ""
    #: The signature in the host's own words.
    types: str = ""
    parameters: tuple[tuple[str, Type], ...] = ()
    result: Type | None = None
    #: Values of parameters that are left out, as JSON has them.
    defaults: Mapping[str, Any] = field(default_factory=dict)
    #: Whether it always runs as a job.
    is_async: bool = False
    #: Seconds after which to look at such a job; None for others.
    suggested_wait: float | None = None
    #: The component that it is in, and the digest of its bytes.
    file: str = ""
    digest: str = ""
    limits: Limits | None = None
    #: The methods of a web procedure, which sees the request itself; empty for others.
    web_methods: tuple[str, ...] = ()
    #: Further names that it answers to.
    aliases: tuple[str, ...] = ()

    @classmethod
    def of_json(cls, entry: Mapping[str, Any]) -> ProcedureInfo:
        """Reads an entry of the host's list."""
        limits = entry.get("limits")
        known = Limits.__dataclass_fields__
        return cls(
            name=entry["name"],
            documentation=entry.get("documentation") or "",
            types=entry.get("signature") or "",
            parameters=tuple((p["name"], p["type"]) for p in entry["parameters"]),
            result=entry.get("result"),
            defaults={p["name"]: p["default"] for p in entry["parameters"] if "default" in p},
            is_async=entry.get("mode") == "async",
            suggested_wait=entry.get("suggested_wait"),
            file=entry.get("file") or "",
            digest=entry.get("digest") or "",
            limits=limits and Limits(**{key: limits[key] for key in known}),
            web_methods=tuple((entry.get("web") or {}).get("methods", ())),
            aliases=tuple(entry.get("aliases", ())),
        )

    @property
    def flat_name(self) -> str:
        """The name as one identifier: `statistics_mean`."""
        return self.name.replace("/", "_")

    @cached_property
    def spellings(self) -> dict[str, str]:
        """The parameters' names as Python can have them, by the names themselves."""
        return spelled(name for name, _ in self.parameters)

    def by_name(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        """Arguments by the parameters' names, for which callers may use Python's spelling and the
        snake_case form. What is no parameter, or one that is there already, is left to the host."""
        if all(name in self.spellings for name in kwargs):
            return kwargs
        names = {spelling: name for name, spelling in self.spellings.items()}
        found: dict[str, Any] = {}
        for given, value in kwargs.items():
            name = given if given in self.spellings else names.get(given)
            name = name or meant(given, self.spellings) or given
            is_twice = name in found or (name != given and name in kwargs)
            found[given if is_twice else name] = value
        return found

    @cached_property
    def signature(self) -> inspect.Signature:
        """The signature in Python's terms."""
        if self.web_methods:
            return _WEB_SIGNATURE
        parameters = [
            inspect.Parameter(
                self.spellings[name],
                inspect.Parameter.POSITIONAL_OR_KEYWORD,
                annotation=Annotation(in_words(ty)),
                default=self.defaults.get(name)
                if self._may_be_left_out(index)
                else inspect.Parameter.empty,
            )
            for index, (name, ty) in enumerate(self.parameters)
        ]
        result = Annotation(in_words(returned(self.result)))
        return inspect.Signature(parameters, return_annotation=result)

    @cached_property
    def annotations(self) -> dict[str, Any]:
        """The annotations of parameters and result, as `typing.get_type_hints` gives them."""
        if self.web_methods:
            return {}
        hints = {self.spellings[name]: in_python(ty) for name, ty in self.parameters}
        return {**hints, "return": in_python(returned(self.result))}

    def _may_be_left_out(self, index: int) -> bool:
        # Python wants a default for all that follow one with a default.
        return all(name in self.defaults or is_optional(ty) for name, ty in self.parameters[index:])


#: How web procedures are called: keywords are the query, the positional argument is the body.
_WEB_SIGNATURE = inspect.Signature(
    [
        inspect.Parameter("body", inspect.Parameter.POSITIONAL_ONLY, default=None),
        inspect.Parameter("query", inspect.Parameter.VAR_KEYWORD),
    ]
)


@dataclass(frozen=True)
class Catalog:
    """All procedures of a host at one time."""

    version: str = ""
    etag: str = ""
    #: Whether the host had loaded all of its components.
    complete: bool = False
    procedures: Mapping[str, ProcedureInfo] = field(default_factory=dict)
    #: What is wrong with files of the host's folder: dicts with `file` and `message`.
    problems: tuple[Mapping[str, Any], ...] = ()

    @classmethod
    def of_json(cls, listing: Mapping[str, Any], etag: str) -> Catalog:
        """Reads the host's list."""
        infos = map(ProcedureInfo.of_json, listing["procedures"])
        return cls(
            version=listing["version"],
            etag=etag,
            complete=listing["complete"],
            procedures={info.name: info for info in infos},
            problems=tuple(listing.get("problems", ())),
        )

    @cached_property
    def _by_name(self) -> dict[str, ProcedureInfo]:
        """Procedures by all their names; an exact name beats an alias, and that a flat name."""
        infos = self.procedures.values()
        given = {alias: info for info in infos for alias in info.aliases}
        flat = {name.replace("/", "_"): info for name, info in given.items()}
        return {**flat, **{info.flat_name: info for info in infos}, **given, **self.procedures}

    @property
    def names(self) -> Iterable[str]:
        """All names that procedures answer to, full and flat, and their aliases."""
        return self._by_name.keys()

    def find(self, name: str) -> ProcedureInfo | None:
        """The procedure of that name: full or flat, or an alias."""
        return self._by_name.get(name)

    def children(self, namespace: str) -> list[str]:
        """The names one level below a namespace; those at the top for an empty text."""
        start = f"{namespace}/" if namespace else ""
        below = (name[len(start) :] for name in self._full_names if name.startswith(start))
        return sorted({name.partition("/")[0] for name in below})

    @cached_property
    def _full_names(self) -> list[str]:
        return [name for info in self.procedures.values() for name in (info.name, *info.aliases)]

    def suggestions(self, name: str) -> list[str]:
        """Names that are near to one that does not exist, the nearest first."""
        return nearest(name, [*self.names, *self._last_parts])

    @cached_property
    def _last_parts(self) -> dict[str, str]:
        return {name.rpartition("/")[2]: name for name in self.procedures}


def nearest(name: str, names: Iterable[str]) -> list[str]:
    """Up to three of the names that are nearest to the one that does not exist."""
    return difflib.get_close_matches(name, list(dict.fromkeys(names)), 3, 0.6)
