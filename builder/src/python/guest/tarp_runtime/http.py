"""`urllib.request` by way of the host: a component has no sockets."""

from __future__ import annotations

import io
import urllib.request
from http.client import HTTPMessage, responses
from typing import Any
from urllib.error import URLError
from urllib.response import addinfourl

from componentize_py_types import Err
from wit_world.imports import http as host

#: The host's own affair.
OWN = frozenset({"connection", "host", "transfer-encoding"})


class HostHandler(urllib.request.HTTPHandler):
    """Takes the place of the handlers that open sockets; all others work as ever."""

    def http_open(self, request: urllib.request.Request) -> Any:
        timeout = request.timeout
        sent = host.Request(
            method=request.get_method(),
            url=request.full_url,
            headers=[
                (name, str(value).encode("latin-1"))
                for name, value in request.header_items()
                if name.lower() not in OWN
            ],
            body=read(request.data),
            timeout=round(timeout * 1000) if isinstance(timeout, (int, float)) else None,
        )
        try:
            received = host.send(sent)
        except Err as error:
            raise URLError(error.value) from None
        headers = HTTPMessage()
        for name, value in received.headers:
            headers[name] = value.decode("latin-1")
        body = io.BytesIO(received.body)
        response = addinfourl(body, headers, request.full_url, received.status)
        response.msg = response.reason = responses.get(received.status, "")
        return response

    https_open = http_open
    https_request = urllib.request.HTTPHandler.http_request


def read(data: Any) -> bytes:
    """The body of a request, in the forms in which `urllib` takes one."""
    if data is None:
        return b""
    if isinstance(data, (bytes, bytearray, memoryview)):
        return bytes(data)
    return data.read() if hasattr(data, "read") else b"".join(data)


urllib.request.install_opener(urllib.request.build_opener(HostHandler))
