"""Speaks the original TARP protocol over `requests` as the original Python client does on the wire.

Written from the description of the protocol, with the habits of the original that a host must bear:
it takes a body for raw bytes unless its Content-Type is exactly `application/json`, does not read
the body of a 404, wants a JSON object with every other failure, escapes nothing in a query, and
lets a keyword argument called `name` change the address that it calls. Where the original would
crash on a reply, this raises ProtocolBreach, so that a test shows which rule the host broke.
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

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class InvalidServerState(Exception):
    """The procedure cannot work in the state that it is in."""


class ProtocolBreach(Exception):
    """A reply on which the original client would have crashed."""


class Client:
    """Has a method for each endpoint that the host lists.

    The attributes are those of the original, since a procedure of the same name overwrites them.
    """

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Callable[..., Any]: ...

    def __init__(self, server_url: str, server_key: str | bool | None = None) -> None:
        self.server_url = server_url
        self.server_key = server_key
        self.remoteNames: list[str] = []
        self.loadEndpoints()

    def loadEndpoints(self) -> None:
        """Makes a method for each entry of the listing, with its description as the docstring."""
        reply = requests.get(f"{self.server_url}/", verify=self.server_key)
        self.config = self.checkAPIresult(reply)
        makers = {
            "GET": self.getEndpoints,
            "POST": self.postEndpoints,
            "RPC": self.rpc_endpoint,
            "ASYNCRPC": self.async_endpoint,
        }
        for method, make in makers.items():
            for entry in self.config[method]:
                self.add_endpoint(entry, make)

    def add_endpoint(self, entry: dict[str, Any], make: Callable[[str], Callable]) -> Callable:
        flat = entry["name"].replace("/", "_")
        endpoint = make(flat)
        endpoint.__name__ = flat
        endpoint.__doc__ = entry["description"]
        setattr(self, flat, endpoint)
        self.remoteNames.append(flat)
        return endpoint

    # The four kinds of endpoints.

    def getEndpoints(self, flat: str) -> Callable:
        def endpoint(name: str = flat, **query: Any) -> Any:
            # No escaping: an `&` or a `#` in a value changes the query, a list is its repr.
            text = "&".join(f"{key}={value}" for key, value in query.items())
            url = f"{self.server_url}/{name}" + (f"?{text}" if text else "")
            return self.web_result(requests.get(url, verify=self.server_key))

        return endpoint

    def postEndpoints(self, flat: str) -> Callable:
        def endpoint(payload: Any = None, name: str = flat) -> Any:
            url = f"{self.server_url}/{name}"
            if not payload:
                reply = requests.post(url, verify=self.server_key)
            elif isinstance(payload, dict):
                reply = requests.post(url, json=payload, verify=self.server_key)
            else:
                data = payload.encode() if isinstance(payload, str) else payload
                headers = {"Content-Type": "application/octet-stream"}
                reply = requests.post(url, data=data, headers=headers, verify=self.server_key)
            return self.web_result(reply)

        return endpoint

    def rpc_endpoint(self, flat: str) -> Callable:
        def endpoint(*args: Any, name: str = flat, **kwargs: Any) -> Any:
            return unpickled(self.rpc(name, args, kwargs))

        return endpoint

    def async_endpoint(self, flat: str) -> Callable:
        def endpoint(*args: Any, name: str = flat, **kwargs: Any) -> AsyncHandle:
            return AsyncHandle(self, self.rpc(name, args, kwargs))

        return endpoint

    def rpc(self, name: str, args: tuple, kwargs: dict[str, Any]) -> Any:
        body = {"args": pickled(args), "kwargs": pickled(kwargs)}
        reply = requests.post(f"{self.server_url}/{name}", json=body, verify=self.server_key)
        return self.checkAPIresult(reply, JSON)

    # Replies.

    def checkAPIresult(self, reply: requests.Response, mimetype: str | None = None) -> Any:
        """The `result` of an envelope, or the bytes of a reply that is none."""
        return self.checked(reply, mimetype)[0]

    def checked(self, reply: requests.Response, mimetype: str | None = None) -> tuple[Any, Any]:
        """The `result` and its `mimetype`, which is None for a reply without an envelope."""
        if reply.status_code == 404:
            raise Exception("API endpoint not found.")
        has_envelope = reply.headers.get("Content-Type") == JSON
        if reply.status_code != 200:
            if not has_envelope:
                raise ProtocolBreach(f"{reply.status_code} without a JSON body: {reply.content!r}")
            raise self.failure(reply)
        if not has_envelope:
            return reply.content, None
        envelope = reply.json()
        if envelope["status"] != "success":
            raise Exception(envelope["message"])
        if mimetype and envelope.get("mimetype") != mimetype:
            raise ProtocolBreach(f"{envelope.get('mimetype')!r} in place of {mimetype!r}")
        return envelope["result"], envelope.get("mimetype")

    def failure(self, reply: requests.Response) -> Exception:
        body = json.loads(reply.text)
        if not isinstance(body, dict):
            raise ProtocolBreach(f"{reply.status_code} with {body!r} in place of an object")
        kind, message = body.get("type"), body["message"]
        if kind == "OperationInProgress":
            return OperationInProgress(message, int(reply.headers.get("Retry-After", "5")))
        if kind == "InvalidServerState":
            return InvalidServerState(message)
        return Exception(message)

    def web_result(self, reply: requests.Response) -> Any:
        result, mimetype = self.checked(reply)
        if mimetype == "application/octet-stream":
            return base64.b64decode(result)
        if mimetype not in (None, JSON, "text/plain"):
            raise ProtocolBreach(f"a result of the kind {mimetype!r}")
        return result


class AsyncHandle:
    """The handle of a call that goes on without its caller."""

    def __init__(self, client: Client, submitted: dict[str, Any]) -> None:
        self.client = client
        self.ID = submitted["ID"]
        self.suggested_wait = submitted["suggested_wait"]

    def ask(self, address: str, mimetype: str | None = None) -> Any:
        url = f"{self.client.server_url}/{address}?UUID={self.ID}"
        reply = requests.get(url, verify=self.client.server_key)
        return self.client.checkAPIresult(reply, mimetype)

    def probe(self) -> dict[str, Any]:
        """How far the call is: `status`, `suggested_wait` and, if it failed, `error`."""
        state = self.ask("asyncProbe")
        for needed in ("status", "suggested_wait"):
            if needed not in state:
                raise ProtocolBreach(f"a probe without {needed!r}: {state}")
        return state

    def status(self) -> str:
        return self.probe()["status"]

    def asyncResult(self) -> Any:
        """The result, or OperationInProgress while there is none."""
        return unpickled(self.ask("asyncGet", JSON))

    def wait(self) -> Any:
        """Asks for the result until it is there, as seldom as the host suggests."""
        while True:
            try:
                return self.asyncResult()
            except OperationInProgress as busy:
                time.sleep(busy.retry_after)

    def waitCycle(self) -> Any:
        """Probes once and waits, or gives the result; None means: call again."""
        state = self.probe()
        if state["status"] == "completed":
            return self.asyncResult()
        if state["status"] == "failed":
            raise Exception(state["error"])
        if state["status"] == "in_progress":
            time.sleep(state["suggested_wait"])
            return None
        raise ProtocolBreach(f"the status {state['status']!r}, which makes a hot loop")


def pickled(value: Any) -> str:
    return base64.b64encode(pickle.dumps(value)).decode()


def unpickled(result: dict[str, str]) -> Any:
    return pickle.loads(base64.b64decode(result["payload"]))
