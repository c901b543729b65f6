"""Speaks the original TARP protocol over `requests` as the original Python client does on the wire.

Written from the description of the protocol, with the interface of the original and those of its
habits that a host must bear: it takes a body for raw bytes unless its Content-Type is exactly
`application/json`, does not read the body of a 404, wants a JSON object with every other failure,
escapes nothing in a query, and lets a keyword argument called `name` change the address that it
calls. Where the original would crash on a reply, this raises ProtocolBreach, so that a test shows
which rule the host broke.

A test may install this file as `tarp/client.py`, where the original has its own.
"""

from __future__ import annotations

import base64
import json
import pickle
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import requests

JSON = "application/json"


class OperationInProgress(Exception):
    """The host says: not yet, try again after so many seconds."""

    def __init__(
        self, message: str = "Operation not completed. Please wait.", retry_after: int = 5
    ) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after


class InvalidServerState(Exception):
    """The procedure cannot work in the state that it is in."""

    def __init__(self, message: str = "Server is in an invalid state.") -> None:
        super().__init__(message)
        self.message = message


class ProtocolBreach(Exception):
    """A reply on which the original client would have crashed."""


class client:
    """Has a method for each endpoint that the host lists.

    The attributes are those of the original, since a procedure of the same name overwrites them;
    `listing` and `add_endpoint` are for tests.
    """

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Callable[..., Any]: ...

    class configInfo:
        """The client's attributes, but for those that are endpoints."""

        def __init__(self, client: client) -> None:
            object.__setattr__(self, "client", client)

        def __getattr__(self, name: str) -> Any:
            return getattr(self.client, self.local(name))

        def __setattr__(self, name: str, value: Any) -> None:
            setattr(self.client, self.local(name), value)

        def local(self, name: str) -> str:
            if name in self.client.remoteNames:
                raise AttributeError(f"{name} is a remote method, not a local attribute.")
            return name

    class asyncResult:
        """The handle of a call that goes on without its caller."""

        def __init__(self, client: client, ID: str) -> None:
            self.client = client
            self.ID = ID

        def wait(self) -> Any:
            """Asks for the result until it is there, as seldom as the host suggests."""
            return self.client.wait(self.ID)

        def probe(self) -> dict[str, Any]:
            """How far the call is: `status`, `suggested_wait` and, if it failed, `error`."""
            return self.client.probe(self.ID)

        def status(self) -> str:
            return self.probe().get("status", "unknown")

        def waitCycle(self) -> Any:
            """Probes once and waits, or gives the result; None means: call again."""
            state = self.probe()
            if state["status"] == "completed":
                return self.wait()
            if state["status"] == "failed":
                raise Exception(f"Async operation failed with error: {state['error']}")
            if state["status"] == "in_progress":
                time.sleep(state["suggested_wait"])
                return None
            raise ProtocolBreach(f"the status {state['status']!r}, which makes a hot loop")

    def __init__(self, server_url: str, server_key: str | bool | None = None) -> None:
        self.server_url = server_url.rstrip("/")
        self.server_key = server_key
        self.remoteNames: list[str] = []
        self.listing: dict[str, Any] = {}
        self.loadEndpoints()
        self.config = self.configInfo(self)

    def loadEndpoints(self) -> None:
        """Makes a method for each entry of the listing, with its description as the docstring."""
        reply = requests.get(f"{self.server_url}/", verify=self.server_key)
        self.listing = self.checkAPIresult(reply)[1]
        for kind in ("GET", "POST", "RPC", "ASYNCRPC"):
            for entry in self.listing[kind]:
                self.add_endpoint(entry, kind)

    def add_endpoint(self, entry: dict[str, Any], kind: str) -> Callable:
        make = {
            "GET": self._get_endpoint,
            "POST": self._post_endpoint,
            "RPC": self._rpc_endpoint,
            "ASYNCRPC": self._async_endpoint,
        }[kind]
        flat = entry["name"].replace("/", "_")
        endpoint = make(flat)
        endpoint.__doc__ = entry["description"]
        setattr(self, flat, endpoint)
        self.remoteNames.append(flat)
        return endpoint

    # The four kinds of endpoints.

    def _get_endpoint(self, flat: str) -> Callable:
        def endpoint(name: str = flat, **query: Any) -> Any:
            return self.checkAPIresult(requests.get(self._url(name, query), verify=self.server_key))

        return endpoint

    def _post_endpoint(self, flat: str) -> Callable:
        def endpoint(payload: Any = None, name: str = flat, **query: Any) -> Any:
            url = self._url(name, query)
            if not payload:
                return self.checkAPIresult(requests.post(url, verify=self.server_key))
            if isinstance(payload, dict):
                data, content_type = json.dumps(payload).encode(), JSON
            else:
                data, content_type = payload, "application/octet-stream"
            headers = {"Content-Type": content_type}
            reply = requests.post(url, data=data, headers=headers, verify=self.server_key)
            return self.checkAPIresult(reply)

        return endpoint

    def _url(self, name: str, query: dict[str, Any]) -> str:
        # No escaping: an `&` or a `#` in a value changes the query, a list is its repr.
        text = "&".join(f"{key}={value}" for key, value in query.items())
        return f"{self.server_url}/{name}" + (f"?{text}" if text else "")

    def _rpc_endpoint(self, flat: str) -> Callable:
        def endpoint(*args: Any, name: str = flat, **kwargs: Any) -> Any:
            return unpickled(self._rpc(name, args, kwargs))

        return endpoint

    def _async_endpoint(self, flat: str) -> Callable:
        def endpoint(*args: Any, name: str = flat, **kwargs: Any) -> client.asyncResult:
            return self.asyncResult(self, self._rpc(name, args, kwargs)["ID"])

        return endpoint

    def _rpc(self, name: str, args: tuple, kwargs: dict[str, Any]) -> Any:
        body = {"args": pickled(args), "kwargs": pickled(kwargs)}
        reply = requests.post(f"{self.server_url}/{name}", json=body, verify=self.server_key)
        return self._json(reply)

    # Asynchronous calls, by their IDs.

    def wait(self, ID: str) -> Any:
        while True:
            try:
                return self.ask_once(ID)
            except OperationInProgress as busy:
                time.sleep(busy.retry_after)

    def ask_once(self, ID: str) -> Any:
        """The result, or OperationInProgress while there is none. `wait` asks so; for tests."""
        url = f"{self.server_url}/asyncGet?UUID={ID}"
        return unpickled(self._json(requests.get(url, verify=self.server_key)))

    def probe(self, ID: str) -> dict[str, Any]:
        url = f"{self.server_url}/asyncProbe?UUID={ID}"
        state = self._json(requests.get(url, verify=self.server_key))
        for needed in ("status", "suggested_wait"):
            if needed not in state:
                raise ProtocolBreach(f"a probe without {needed!r}: {state}")
        return state

    # Replies.

    def _json(self, reply: requests.Response) -> Any:
        mimetype, result = self.checkAPIresult(reply)
        if mimetype != JSON:
            raise ProtocolBreach(f"{mimetype!r} in place of {JSON!r}")
        return result

    def checkAPIresult(self, reply: requests.Response) -> tuple[str | None, Any]:
        """The `mimetype` and `result` of an envelope, or content type and bytes of what is none."""
        if reply.status_code == 404:
            raise Exception("API endpoint not found.")
        has_envelope = reply.headers.get("Content-Type") == JSON
        if reply.status_code != 200:
            if not has_envelope:
                raise ProtocolBreach(f"{reply.status_code} without a JSON body: {reply.content!r}")
            raise self._failure(reply)
        if not has_envelope:
            return reply.headers.get("Content-Type"), reply.content
        envelope = reply.json()
        if envelope["status"] != "success":
            raise Exception(f"API Error: {envelope['message']}")
        return envelope.get("mimetype"), envelope.get("result")

    def _failure(self, reply: requests.Response) -> Exception:
        body = json.loads(reply.text)
        if not isinstance(body, dict):
            raise ProtocolBreach(f"{reply.status_code} with {body!r} in place of an object")
        kind, message = body.get("type"), body["message"]
        if kind == "OperationInProgress":
            return OperationInProgress(message, int(reply.headers.get("Retry-After", "5")))
        if kind == "InvalidServerState":
            return InvalidServerState(message)
        return Exception(message)


Client = client


def pickled(value: Any) -> str:
    return base64.b64encode(pickle.dumps(value)).decode()


def unpickled(result: dict[str, str]) -> Any:
    return pickle.loads(base64.b64decode(result["payload"]))
