"""What a procedure looks like, whether its calls wait or are awaited."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from . import _html
from ._arrays import Arrays, check_arrays
from ._catalog import ProcedureInfo
from ._checks import check_key, check_priority, check_seconds
from ._culprits import named
from ._host_face import HostFace, check_name, resolve
from ._pickling import pickle_arguments
from ._protocol import GRACE, Call, Options
from ._replies import PICKLE
from ._web import web_call

P = TypeVar("P", bound="ProcedureFace")


class ProcedureFace:
    """A procedure of a host, with its signature and documentation as any function has them."""

    def __init__(self, host: HostFace, info: ProcedureInfo, options: Options) -> None:
        self._host = host
        self._options = options
        self._info = info
        # What `help`, `inspect` and editors look at.
        self.__name__ = info.name.rpartition("/")[2]
        self.__qualname__ = info.name.replace("/", ".")
        self.__doc__ = info.documentation
        self.__signature__ = info.signature
        self.__annotations__ = info.annotations

    @property
    def info(self) -> ProcedureInfo:
        """What the host says about it: types, limits, file, version."""
        return self._info

    def __get__(self: P, instance: object, owner: type | None = None) -> P:
        # Makes `inspect.isroutine` true, so that `help` shows this procedure and not this class.
        return self

    def options(
        self: P,
        *,
        timeout: float | None = None,
        arrays: Arrays | None = None,
        idempotency_key: str | None = None,
        priority: int | None = None,
    ) -> P:
        """The same procedure, to be called in another way.

        `timeout`: seconds that the host may keep silent before TimedOut is raised; by default a
        bit more than the procedure's deadline. `arrays`: `"numpy"`, `"list"` or `"auto"`.
        `idempotency_key`: for 24 hours, further calls with the same key and arguments give the
        outcome or the job of the first, and a lost connection leads to another attempt.
        `priority`: of a job, from 0, most urgent, to 7; 3 by default.
        """
        changed = {
            "timeout": timeout,
            "arrays": arrays,
            "idempotency_key": idempotency_key,
            "priority": priority,
        }
        if arrays is not None:
            check_arrays(arrays)
        if priority is not None:
            check_priority(priority)
        if idempotency_key is not None:
            check_key(idempotency_key)
        check_seconds("timeout", timeout)
        given = {name: value for name, value in changed.items() if value is not None}
        options = replace(self._options, **given)  # type: ignore[arg-type]
        return type(self)(self._host, self._info, options)

    @property
    def _patience(self) -> float | None:
        """The timeout of a call; by default what the host gives the procedure, and some more."""
        limits = self._info.limits
        if self._options.timeout is not None or limits is None:
            return self._options.timeout
        return limits.deadline + GRACE

    def _call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
        """The call with these arguments."""
        if self._info.web_methods:
            return web_call(self._info.name, self._info.web_methods, args, kwargs)
        kwargs = self._info.by_name(kwargs)
        parameters = self._info.parameters
        body = pickle_arguments(args, kwargs, parameters)
        refused = partial(named, args=args, kwargs=kwargs, parameters=parameters)
        return Call("POST", self._info.name, "", PICKLE, body, refused=refused)

    def __reduce__(self) -> Any:
        return type(self), (self._host, self._info, self._options)

    def __copy__(self: P) -> P:
        return self

    def __deepcopy__(self: P, _: Any) -> P:
        return self

    def __getattr__(self, name: str) -> Any:
        check_name(name)
        return resolve(self._host, self._info.name, name)

    def __dir__(self) -> list[str]:
        children = self._host._catalog.children(self._info.name)
        return sorted([*object.__dir__(self), *children])

    def __repr__(self) -> str:
        return f"<procedure {self.__qualname__}{self._info.signature} of {self._host.url}>"

    def _repr_html_(self) -> str:
        return _html.procedure(self._info)
