"""The interface of the original TARP client, for programs that were written for it.

    from tarp.client import client

    server = client("http://localhost:8080")
    server.add(1, 2)
    handle = server.simulate(9)   # of a procedure that is asynchronous
    handle.wait()

New programs use `tarp.connect`.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from ._address import Verify, parse_address
from ._exceptions import (
    InvalidReply,
    InvalidServerState,
    NotFound,
    OperationInProgress,
    TarpError,
)
from ._message import Reply, Request, ask
from ._pickling import pickle_value
from ._replies import JSON, failure_of, json_of
from ._transport import Transport
from ._unpickling import unpickle

__all__ = ["AsyncHandle", "InvalidServerState", "OperationInProgress", "client"]

#: Seconds after which to ask again, where the host does not say.
_RETRY_AFTER = 5


class client:
    """A server, with a method for each of its endpoints: `ns/add` is `ns_add`.

    `server_url` may hold a user and a token. `server_key` says how a certificate is verified: a
    file with authorities, or False for not at all.

    `config` is the server's listing, `remoteNames` the names of the methods, `getEndpoints` and
    `postEndpoints` those of the web procedures among them.
    """

    def __init__(self, server_url: str, server_key: str | bool | None = None) -> None:
        self.server_url = server_url
        self.server_key = server_key
        verify: Verify = True if server_key is None else server_key
        self._transport = Transport(parse_address(server_url, verify=verify), 10.0)
        self.config: dict[str, Any] = {}
        self.remoteNames: list[str] = []
        self.getEndpoints: list[str] = []
        self.postEndpoints: list[str] = []
        self.loadEndpoints()

    def configInfo(self) -> dict[str, Any]:
        """The server's listing as it is now: entries under GET, POST, RPC and ASYNCRPC."""
        listing: dict[str, Any] = self.checkAPIresult(self._send("GET", "/"))
        return listing

    def loadEndpoints(self) -> None:
        """Reads the listing, and makes a method for each of its entries."""
        self.config = self.configInfo()
        makers: dict[str, Callable[[str], Callable[..., Any]]] = {
            "GET": self._get_endpoint,
            "POST": self._post_endpoint,
            "RPC": self._rpc_endpoint,
            "ASYNCRPC": self._async_endpoint,
        }
        for kind, make in makers.items():
            for entry in self.config.get(kind, []):
                self._add(entry, make)
        self.getEndpoints = _flat_names(self.config.get("GET", []))
        self.postEndpoints = _flat_names(self.config.get("POST", []))

    def _add(self, entry: Mapping[str, Any], make: Callable[[str], Callable[..., Any]]) -> None:
        name = _flat(entry["name"])
        endpoint = make(name)
        endpoint.__name__ = endpoint.__qualname__ = name
        endpoint.__doc__ = entry.get("description")
        setattr(self, name, endpoint)
        if name not in self.remoteNames:
            self.remoteNames.append(name)

    # The four kinds of endpoints.

    def _get_endpoint(self, name: str) -> Callable[..., Any]:
        def endpoint(**query: Any) -> Any:
            text = f"?{urlencode(query)}" if query else ""
            return self._web_result(self._send("GET", f"/{quote(name)}{text}"))

        return endpoint

    def _post_endpoint(self, name: str) -> Callable[..., Any]:
        def endpoint(payload: Any = None) -> Any:
            if not payload:
                reply = self._send("POST", f"/{quote(name)}")
            elif isinstance(payload, (str, bytes, bytearray)):
                data = payload.encode() if isinstance(payload, str) else bytes(payload)
                reply = self._send("POST", f"/{quote(name)}", data, "application/octet-stream")
            else:
                data = json.dumps(payload).encode()
                reply = self._send("POST", f"/{quote(name)}", data, JSON)
            return self._web_result(reply)

        return endpoint

    def _rpc_endpoint(self, name: str) -> Callable[..., Any]:
        def endpoint(*args: Any, **kwargs: Any) -> Any:
            return _unpickled(self._rpc(name, args, kwargs))

        return endpoint

    def _async_endpoint(self, name: str) -> Callable[..., AsyncHandle]:
        def endpoint(*args: Any, **kwargs: Any) -> AsyncHandle:
            submitted = self._rpc(name, args, kwargs)
            return AsyncHandle(self, submitted["ID"], submitted.get("suggested_wait"))

        return endpoint

    def _rpc(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        body = {"args": _pickled(args), "kwargs": _pickled(kwargs)}
        reply = self._send("POST", f"/{quote(name)}", json.dumps(body).encode(), JSON)
        return self.checkAPIresult(reply, JSON)

    # Asynchronous calls, by handle or by ID.

    def probe(self, handle: AsyncHandle | str) -> dict[str, Any]:
        """How far a call is: `status`, `suggested_wait` and, if it failed, `error`."""
        state: dict[str, Any] = self.checkAPIresult(
            self._send("GET", f"/asyncProbe?UUID={quote(_id(handle))}")
        )
        return state

    def asyncResult(self, handle: AsyncHandle | str) -> Any:
        """The result of a call; OperationInProgress while there is none."""
        reply = self._send("GET", f"/asyncGet?UUID={quote(_id(handle))}")
        return _unpickled(self.checkAPIresult(reply, JSON))

    def wait(self, handle: AsyncHandle | str) -> Any:
        """Waits until a call has ended, and gives its result."""
        while True:
            try:
                return self.asyncResult(handle)
            except OperationInProgress as busy:
                time.sleep(busy.retry_after if busy.retry_after is not None else _RETRY_AFTER)

    # Replies.

    def checkAPIresult(self, response: Any, mimetype: str | None = None) -> Any:
        """The result in a reply's envelope, or the bytes of a reply without one; raises failures.

        Takes a response of `requests` as well.
        """
        return _checked(_reply_of(response), mimetype)[0]

    def _web_result(self, reply: Reply) -> Any:
        result, mimetype = _checked(reply, None)
        return base64.b64decode(result) if mimetype == "application/octet-stream" else result

    def _send(
        self, method: str, target: str, body: bytes = b"", content_type: str | None = None
    ) -> Reply:
        headers = {"Content-Type": content_type} if content_type else {}
        pieces = [body] if body else []
        request = Request(method, target, headers, pieces)
        return self._transport.carry_out(ask(request), lambda _: None)


class AsyncHandle:
    """The handle of an asynchronous call."""

    def __init__(self, server: client, ID: str, suggested_wait: float | None) -> None:
        self._server = server
        self.ID = ID
        self.suggested_wait = suggested_wait

    def probe(self) -> dict[str, Any]:
        """How far the call is: `status`, `suggested_wait` and, if it failed, `error`."""
        state = self._server.probe(self)
        self.suggested_wait = state["suggested_wait"]
        return state

    def status(self) -> str:
        """`in_progress`, `completed` or `failed`."""
        status: str = self.probe()["status"]
        return status

    def asyncResult(self) -> Any:
        """The result; OperationInProgress while there is none."""
        return self._server.asyncResult(self)

    def wait(self) -> Any:
        """Waits until the call has ended, and gives its result."""
        return self._server.wait(self)

    def waitCycle(self) -> Any:
        """The result if there is one; otherwise waits for the suggested time and gives None."""
        state = self.probe()
        if state["status"] == "completed":
            return self.asyncResult()
        if state["status"] == "failed":
            raise TarpError(state["error"])
        time.sleep(state["suggested_wait"])
        return None

    def __repr__(self) -> str:
        return f"<asynchronous call {self.ID}>"


def _checked(reply: Reply, mimetype: str | None) -> tuple[Any, str | None]:
    if reply.status == 404:
        raise NotFound("API endpoint not found.")
    if reply.status != 200:
        raise failure_of(reply)
    if reply.headers.get("content-type") != JSON:
        return bytes(reply.body), None
    envelope = json_of(reply)
    if not isinstance(envelope, dict) or envelope.get("status") != "success":
        raise InvalidReply("the reply's envelope does not report a success")
    if mimetype is not None and envelope.get("mimetype") != mimetype:
        raise InvalidReply(f"the result is of the kind {envelope.get('mimetype')!r}")
    return envelope["result"], envelope.get("mimetype")


def _reply_of(response: Any) -> Reply:
    if isinstance(response, Reply):
        return response
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Reply(response.status_code, headers, response.content)


def _pickled(value: Any) -> str:
    return base64.b64encode(b"".join(pickle_value(value))).decode("ascii")


def _unpickled(result: Any) -> Any:
    return unpickle(base64.b64decode(result["payload"]))


def _id(handle: AsyncHandle | str) -> str:
    return handle.ID if isinstance(handle, AsyncHandle) else handle


def _flat(name: str) -> str:
    return name.replace("/", "_")


def _flat_names(entries: list[Mapping[str, Any]]) -> list[str]:
    return [_flat(entry["name"]) for entry in entries]
