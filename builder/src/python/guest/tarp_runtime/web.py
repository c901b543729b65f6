"""Requests and responses of web procedures."""

from __future__ import annotations

from typing import Any

from .plain import Mismatch


def read_request(request: Any) -> Any:
    """What came, as `tarp_guest.Request`."""
    from tarp_guest import Request

    body = request.body
    kind = type(body).__name__.removeprefix("Body_").rstrip("_").lower()
    return Request(
        method=request.method,
        path=request.path,
        query=request.query,
        headers=dict(request.headers),
        kind=kind,
        body=getattr(body, "value", None),
    )


def write_response(given: Any) -> Any:
    """A `tarp_guest.Response`, or what it would be made from."""
    from tarp_guest import Response
    from wit_world.imports import web

    if not isinstance(given, Response):
        raise Mismatch(given, "Response")
    return web.Response(given.status, given.content_for(web))
