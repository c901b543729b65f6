"""`tarp.client` does what the original client did, where its users could see it."""

from __future__ import annotations

import inspect
import io
import uuid
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import requests

import tarp.client
from tarp.client import InvalidServerState, OperationInProgress, client


@pytest.fixture(scope="module")
def server_client(url: str) -> Any:
    return client(url)


def test_the_readme_of_the_original_works(server_client: Any) -> None:
    assert server_client.my_function(1, 2) == 3
    assert server_client.my_function(x=1, y=2) == 3
    assert server_client.my_function(1, y=2) == 3


def test_the_attributes_of_the_original(server_client: Any, url: str) -> None:
    assert server_client.server_url == url
    assert server_client.server_key is None
    assert {"my_function", "statistics_mean"} <= set(server_client.remoteNames)
    assert "my_function" not in server_client.getEndpoints() + server_client.postEndpoints()
    names = list(server_client.remoteNames)
    server_client.loadEndpoints()
    assert server_client.remoteNames == names


def test_the_address_has_no_slash_at_its_end(url: str) -> None:
    assert client(f"{url}/").server_url == url


def test_config_has_the_attributes_and_sets_them(url: str) -> None:
    server = client(url)
    assert isinstance(server.config, client.configInfo)
    assert server.config.client is server
    assert server.config.server_url == url
    assert server.config.server_key is None
    server.config.server_url = "http://127.0.0.1:1"
    assert server.server_url == "http://127.0.0.1:1"
    with pytest.raises(OSError, match="cannot connect"):
        server.my_function(1, 2)
    server.server_url = url
    assert server.my_function(1, 2) == 3
    for touch in (
        lambda: server.config.my_function,
        lambda: setattr(server.config, "my_function", None),
    ):
        with pytest.raises(AttributeError, match="is a remote method"):
            touch()


def test_exceptions_can_be_made_without_arguments() -> None:
    busy, wrong = OperationInProgress(), InvalidServerState()
    assert str(busy) == busy.message == "Operation not completed. Please wait."
    assert busy.retry_after == 5
    assert str(wrong) == wrong.message == "Server is in an invalid state."
    assert OperationInProgress("soon", 2).retry_after == 2
    assert str(OperationInProgress("soon", retry_after=2)) == "soon"


def test_docstrings_are_the_descriptions(server_client: Any) -> None:
    listing = server_client.checkAPIresult(requests.get(server_client.server_url))[1]
    described = {entry["name"]: entry["description"] for entry in listing["RPC"]}
    assert server_client.my_function.__doc__ == described["my_function"]
    assert "Adds two integers" in inspect.getdoc(server_client.my_function)
    assert server_client.statistics_mean.__name__ == "statistics_mean"


def test_falsy_results_stay_what_they_are(server_client: Any) -> None:
    for procedure, value in [("echo_s64", 0), ("echo_bool", False), ("echo_string", "")]:
        result = getattr(server_client, procedure)(value)
        assert result == value
        assert type(result) is type(value)
    assert server_client.nothing() is None
    assert server_client.echo_list_f64([]) == []


def test_arrays_go_in_and_come_out(server_client: Any) -> None:
    assert type(server_client.scale([1.0, 2.0], 2.0)) is list
    array = server_client.scale(np.array([1.0, 2.0]), 2.0)
    assert isinstance(array, np.ndarray)
    assert array.tolist() == [2.0, 4.0]


def test_a_parameter_called_name_is_a_parameter(server_client: Any) -> None:
    """The original took it for the endpoint's name."""
    assert "seat 7" in server_client.reservations_reserve(name="seat 7", state="free")


def test_failures_have_the_words_that_they_had(server_client: Any) -> None:
    with pytest.raises(Exception, match=r"^no light$"):
        server_client.fail_with_string("no light")
    with pytest.raises(OperationInProgress, match=r"^in use$") as busy:
        server_client.fail_as_busy("in use", 7)
    assert busy.value.retry_after == 7
    with pytest.raises(InvalidServerState, match=r"^shut$"):
        server_client.fail_as_invalid_state("shut")
    with pytest.raises(Exception, match=r"^API endpoint not found\.$"):
        server_client._rpc_endpoint("nobody")()


def test_asynchronous_calls(server_client: Any) -> None:
    handle = server_client.step_aside(3)
    assert isinstance(handle, client.asyncResult)
    assert handle.client is server_client
    uuid.UUID(handle.ID)
    assert handle.wait() == 3
    assert handle.status() == "completed"
    assert handle.probe()["status"] == "completed"
    assert handle.waitCycle() == 3
    assert client.asyncResult(server_client, handle.ID).wait() == 3
    assert server_client.wait(handle) == server_client.wait(handle.ID) == 3
    assert server_client.probe(handle.ID)["status"] == "completed"


def test_a_cycle_of_waiting_gives_none_until_there_is_a_result(server_client: Any) -> None:
    handle = server_client.count_aside(200)
    result = handle.waitCycle()
    while result is None:
        result = handle.waitCycle()
    assert result == 200


def test_an_asynchronous_call_that_fails(server_client: Any) -> None:
    handle = server_client.patient_mean([])
    with pytest.raises(Exception, match=r"^the mean needs 1 or more values"):
        handle.wait()
    failed = r"^Async operation failed with error: the mean needs 1 or more values"
    with pytest.raises(Exception, match=failed):
        handle.waitCycle()
    assert handle.status() == "failed"
    assert "the mean needs" in handle.probe()["error"]


def test_an_unknown_handle(server_client: Any) -> None:
    with pytest.raises(tarp.NotFound, match=r"^API endpoint not found\.$"):
        server_client.probe(str(uuid.uuid4()))


def endpoint(server: Any, kind: str, name: str) -> Any:
    """A method for a procedure as if it were listed as of that kind: any answers GET and POST."""
    make = {"GET": server._get_endpoint, "POST": server._post_endpoint}[kind]
    return make(name)


def test_web_calls_give_the_media_type_and_the_result(server_client: Any) -> None:
    json, text, octets = "application/json", "text/plain", "application/octet-stream"
    assert endpoint(server_client, "GET", "add")(x=1, y=2) == (json, 3)
    assert endpoint(server_client, "GET", "reverse")(text="a&b #c") == (text, "c# b&a")
    add = endpoint(server_client, "POST", "add")
    assert add({"x": 1, "y": 2}) == add(x=1, y=2) == add({"x": 1}, y=2) == (json, 3)
    checksum = endpoint(server_client, "POST", "checksum")
    sent: list[Any] = [b"123456789", "123456789", io.BytesIO(b"123456789")]
    sent += [bytearray(b"123456789"), iter([b"1234", "56789"])]
    for payload in sent:
        assert checksum(payload) == (json, 0xCBF43926)
    answer = endpoint(server_client, "POST", "answer")
    assert answer() == answer({}) == answer("") == answer(0) == (json, 42)
    # As the original did: bytes that are no raw payload are base64 text.
    assert endpoint(server_client, "POST", "echo_bytes")(b"\0\xff") == (octets, "AP8=")
    for payload in ({1: {2}}, iter([1])):
        with pytest.raises(tarp.BadArguments, match="payload"):
            add(payload)


def test_replies_of_requests_are_read_as_well(server_client: Any) -> None:
    envelope = b'{"status": "success", "mimetype": "application/json", "result": [1]}'
    headers = {"Content-Type": "application/json"}
    good = SimpleNamespace(status_code=200, headers=headers, content=envelope)
    assert server_client.checkAPIresult(good) == ("application/json", [1])
    raw = SimpleNamespace(status_code=200, headers={"Content-Type": "image/png"}, content=b"png")
    assert server_client.checkAPIresult(raw) == ("image/png", b"png")
    error = SimpleNamespace(status_code=200, headers=headers, content=b'{"status": "error"}')
    with pytest.raises(Exception, match=r"^API Error: Unknown error$"):
        server_client.checkAPIresult(error)
    proxy = SimpleNamespace(status_code=502, headers={}, content=b"<h1>Bad Gateway</h1>")
    with pytest.raises(Exception, match=r"^API Error: 502 - <h1>Bad Gateway</h1>$"):
        server_client.checkAPIresult(proxy)


def test_nobody_at_the_address() -> None:
    with pytest.raises(OSError, match="cannot connect"):
        client("http://127.0.0.1:1")


def test_who_catches_the_exceptions_of_requests_catches_ours() -> None:
    with pytest.raises(requests.exceptions.ConnectionError) as caught:
        client("http://127.0.0.1:1")
    assert isinstance(caught.value, tarp.ConnectionFailed)
