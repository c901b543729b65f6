"""What a procedure in Python may say to its host while it works, and the types of web procedures.

In a component this talks to the host. Anywhere else, in a test or a notebook, it does what makes
sense there: progress and log go to standard error, and nobody asks the procedure to stop.

    from tarp_guest import cancelled, log, progress

    def fit(spectra: list[list[float]]) -> list[float]:
        '''The highest point of each spectrum.'''
        peaks = []
        for index, spectrum in enumerate(spectra):
            if cancelled():
                raise RuntimeError(f"stopped after {index} spectra")
            progress(index, len(spectra), "fitting")
            peaks.append(max(spectrum))
        log("done")
        return peaks
"""

from __future__ import annotations

import json as _json
import sys as _sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

try:
    from wit_world.imports import job as _job
except ImportError:
    _job = None

__all__ = ["Request", "Response", "cancelled", "log", "procedure", "progress"]

Level = Literal["trace", "debug", "info", "warn", "error"]
_Function = TypeVar("_Function", bound=Callable[..., Any])


def progress(done: float, total: float | None = None, message: str | None = None) -> None:
    """Says how far the work has come, in any unit; without a total the end is not known."""
    if _job is None:
        of = "" if total is None else f" of {total}"
        print(f"progress: {done}{of} {message or ''}".rstrip(), file=_sys.stderr)
    else:
        _job.progress(float(done), None if total is None else float(total), message)


def cancelled() -> bool:
    """Whether the procedure is asked to stop. It may put things in order, and return or raise."""
    return _job is not None and _job.cancelled()


def log(message: object, level: Level = "info") -> None:
    """Adds a message to the job's log."""
    if _job is None:
        print(f"{level}: {message}", file=_sys.stderr)
    else:
        _job.log(_job.Level[level.upper()], str(message))


def procedure(
    *,
    mode: Literal["sync", "async"] | None = None,
    suggested_wait: int | None = None,
    methods: list[Literal["GET", "POST"]] | None = None,
    aliases: list[str] | None = None,
    arrays: Literal["auto", "numpy", "list"] | None = None,
) -> Callable[[_Function], _Function]:
    """Says of a function how it wants to be called; the function itself stays as it is.

    With `mode="async"` a caller gets a handle, and looks at it every `suggested_wait` seconds.
    `methods` narrows what a web procedure answers. `aliases` are further names, which may have
    capital letters. With `arrays="numpy"` the original client gets numpy's arrays for rows of
    numbers, as from its own servers; by default it does where its arguments have some, with
    `"list"` never.
    """
    return lambda function: function


@dataclass
class Request:
    """What the caller of a web procedure sent."""

    method: str
    path: str
    #: The parameters in the query string, in their order.
    query: list[tuple[str, str]]
    #: With names in lower case.
    headers: dict[str, str]
    #: What the body is: none, json, form, text or bytes.
    kind: str
    #: The body: None, a JSON text, pairs, a text or bytes.
    body: Any

    def parameter(self, name: str, default: str | None = None) -> str | None:
        """The first parameter of this name, in the query or in a form."""
        fields = self.body if self.kind == "form" else []
        return next((value for key, value in [*self.query, *fields] if key == name), default)

    def json(self) -> Any:
        """The body, read as JSON."""
        if self.kind != "json":
            raise ValueError(f"the body is not JSON but {self.kind}")
        return _json.loads(self.body)


@dataclass
class Response:
    """What a web procedure answers: text, bytes, or anything that JSON can hold.

    With a `media_type` the content goes out as it is, as an image or a page; without, in the
    host's envelope.
    """

    content: Any
    media_type: str | None = None
    status: int | None = None

    def content_for(self, web: Any) -> Any:
        """As the host takes it; `web` is the module of the host's types."""
        content = self.content
        if self.media_type is not None:
            data = content.encode() if isinstance(content, str) else bytes(content)
            return web.Content_Raw(web.Raw(self.media_type, data))
        if isinstance(content, str):
            return web.Content_Text(content)
        if isinstance(content, (bytes, bytearray)):
            return web.Content_Bytes(bytes(content))
        return web.Content_Json(_json.dumps(content))
