"""`client`: a server with a method for each of its endpoints."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from .._address import parse_address
from .._exceptions import BadArguments, InvalidReply, OperationInProgress, TarpError
from .._message import Reply, Request, ask
from .._replies import JSON, json_of
from .._transport import Transport
from ._failures import as_from_requests, failure
from ._handle import asyncResult as AsyncCall
from ._pickles import pickled, unpickled
from ._verify import verification

#: Seconds until a connection is there.
_CONNECT_TIMEOUT = 10.0


class client:
    """A server, with a method for each of its endpoints: `ns/add` is `ns_add`.

    `server_url` may hold a user and a token. `server_key` says how a certificate is verified: a
    file with authorities, or False for not at all. Both are attributes, of the client and of its
    `config`, and what is assigned to them counts from the next call on.

    `remoteNames` are the names of the methods. Those of web endpoints give a tuple of the result's
    media type and the result; those of others give the result itself, or the handle of an
    asynchronous call.
    """

    asyncResult = AsyncCall

    class configInfo:
        """The attributes of a client, but for the methods that its server gave it."""

        def __init__(self, client: client) -> None:
            object.__setattr__(self, "client", client)

        def __getattr__(self, name: str) -> Any:
            return getattr(self.client, self._local(name))

        def __setattr__(self, name: str, value: Any) -> None:
            setattr(self.client, self._local(name), value)

        def _local(self, name: str) -> str:
            if name in self.client.remoteNames:
                raise AttributeError(f"{name} is a remote method, not a local attribute.")
            return name

    def __init__(self, server_url: str, server_key: str | bool | None = None) -> None:
        self.server_url = server_url.rstrip("/")
        self.server_key = server_key
        self.remoteNames: list[str] = []
        self._connection: tuple[tuple[Any, Any], Transport] | None = None
        self._web: dict[str, list[str]] = {"GET": [], "POST": []}
        # Whether the server is a TARP host, and not the original's own.
        self._is_host = True
        self.loadEndpoints()
        self.config = self.configInfo(self)

    def loadEndpoints(self) -> None:
        """Reads the server's listing, and makes a method for each of its entries."""
        reply = self._send("GET", "/")
        self._is_host = "x-tarp-catalog" in reply.headers
        listing = self._checked(reply)[1]
        if not isinstance(listing, dict):
            raise InvalidReply(f"{self.server_url} does not list its endpoints")
        self._web = {kind: [e["name"] for e in listing.get(kind, ())] for kind in ("GET", "POST")}
        makers: dict[str, Callable[[str], Callable[..., Any]]] = {
            "GET": self._get_endpoint,
            "POST": self._post_endpoint,
            "RPC": self._rpc_endpoint,
            "ASYNCRPC": self._async_endpoint,
        }
        self.remoteNames = []
        for kind, make in makers.items():
            for entry in listing.get(kind, ()):
                self._add(entry, make)

    def _add(self, entry: Mapping[str, Any], make: Callable[[str], Callable[..., Any]]) -> None:
        name = entry["name"].replace("/", "_")
        endpoint = make(name)
        endpoint.__name__ = endpoint.__qualname__ = name
        endpoint.__doc__ = entry.get("description")
        setattr(self, name, endpoint)
        # Twice where it is listed under GET and POST, as in the original.
        self.remoteNames.append(name)

    def getEndpoints(self) -> list[str]:
        """The names of the web endpoints that answer GET."""
        return list(self._web["GET"])

    def postEndpoints(self) -> list[str]:
        """The names of the web endpoints that answer POST."""
        return list(self._web["POST"])

    # The four kinds of endpoints.

    def _get_endpoint(self, name: str) -> Callable[..., Any]:
        def endpoint(**query: Any) -> tuple[str | None, Any]:
            return self._checked(self._send("GET", _target(name, query)))

        return endpoint

    def _post_endpoint(self, name: str) -> Callable[..., Any]:
        def endpoint(payload: Any = None, **query: Any) -> tuple[str | None, Any]:
            body, content_type = _body_of(payload)
            return self._checked(self._send("POST", _target(name, query), body, content_type))

        return endpoint

    def _rpc_endpoint(self, name: str) -> Callable[..., Any]:
        def endpoint(*args: Any, **kwargs: Any) -> Any:
            return unpickled(self._rpc(name, args, kwargs))

        return endpoint

    def _async_endpoint(self, name: str) -> Callable[..., AsyncCall]:
        def endpoint(*args: Any, **kwargs: Any) -> AsyncCall:
            return AsyncCall(self, self._rpc(name, args, kwargs)["ID"])

        return endpoint

    def _rpc(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        parts = {"args": args, "kwargs": kwargs}
        body = {key: pickled(value, for_host=self._is_host) for key, value in parts.items()}
        reply = self._send("POST", f"/{quote(name)}", json.dumps(body).encode(), JSON)
        return self._json(reply)

    # Asynchronous calls by their IDs. What is called like an endpoint is overwritten by it, so
    # nothing here calls what has a public name.

    def wait(self, ID: str | AsyncCall) -> Any:
        """Waits until an asynchronous call has ended, and gives its result."""
        return self._wait(_id(ID))

    def probe(self, ID: str | AsyncCall) -> dict[str, Any]:
        """How far a call is: `status`, `suggested_wait` in seconds and, if it failed, `error`."""
        return self._probe(_id(ID))

    def _wait(self, ID: str) -> Any:
        while True:
            try:
                return unpickled(self._json(self._send("GET", f"/asyncGet?UUID={quote(ID)}")))
            except OperationInProgress as busy:
                time.sleep(busy.retry_after or 0)

    def _probe(self, ID: str) -> dict[str, Any]:
        state: dict[str, Any] = self._json(self._send("GET", f"/asyncProbe?UUID={quote(ID)}"))
        return state

    # Replies.

    def checkAPIresult(self, response: Any) -> tuple[str | None, Any]:
        """The media type and the result in a reply's envelope, or those of a reply without one.

        Takes a response of `requests`. Raises the failure that it reports.
        """
        headers = {name.lower(): value for name, value in response.headers.items()}
        return self._checked(Reply(response.status_code, headers, response.content))

    def _checked(self, reply: Reply) -> tuple[str | None, Any]:
        if reply.status != 200:
            raise failure(reply)
        content_type = reply.headers.get("content-type")
        if content_type != JSON:
            return content_type, bytes(reply.body)
        envelope = json_of(reply)
        if not isinstance(envelope, dict) or "status" not in envelope:
            raise InvalidReply("the reply is no envelope")
        if envelope["status"] != "success":
            raise TarpError(f"API Error: {envelope.get('message', 'Unknown error')}")
        return envelope.get("mimetype"), envelope.get("result")

    def _json(self, reply: Reply) -> Any:
        mimetype, result = self._checked(reply)
        if mimetype != JSON:
            raise InvalidReply(f"Unexpected mimetype: {mimetype}")
        return result

    def _send(
        self, method: str, target: str, body: bytes = b"", content_type: str | None = None
    ) -> Reply:
        headers = {"Content-Type": content_type} if content_type else {}
        request = Request(method, target, headers, [body] if body else [])
        try:
            return self._transport().carry_out(ask(request), lambda _: None)
        except TarpError as error:
            raise as_from_requests(error) from error.__cause__

    def _transport(self) -> Transport:
        """Connections to where `server_url` and `server_key` point now."""
        wanted = (self.server_url, self.server_key)
        known = self._connection
        if known is None or known[0] != wanted:
            address = parse_address(self.server_url, verify=verification(self.server_key))
            known = self._connection = (wanted, Transport(address, _CONNECT_TIMEOUT))
        return known[1]


def _target(name: str, query: Mapping[str, Any]) -> str:
    return f"/{quote(name)}?{urlencode(query)}" if query else f"/{quote(name)}"


def _body_of(payload: Any) -> tuple[bytes, str | None]:
    """A payload as a body with its content type: what is falsy is no body at all."""
    if not payload:
        return b"", None
    if isinstance(payload, dict):
        return _json_body(payload)
    if hasattr(payload, "read"):
        payload = payload.read()
    if isinstance(payload, str):
        payload = payload.encode()
    if isinstance(payload, (bytes, bytearray, memoryview)):
        return bytes(payload), "application/octet-stream"
    if isinstance(payload, Iterator):
        pieces = [piece.encode() if isinstance(piece, str) else piece for piece in payload]
        if all(isinstance(piece, (bytes, bytearray, memoryview)) for piece in pieces):
            return b"".join(pieces), "application/octet-stream"
        raise BadArguments("the payload is an iterator that gives something else than bytes")
    return _json_body(payload)


def _json_body(payload: Any) -> tuple[bytes, str]:
    try:
        return json.dumps(payload).encode(), JSON
    except (TypeError, ValueError, RecursionError) as error:
        raise BadArguments(f"the payload cannot be sent as JSON: {error}") from None


def _id(handle: str | AsyncCall) -> str:
    return handle.ID if isinstance(handle, AsyncCall) else handle
