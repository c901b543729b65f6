"""`tarp.client` does what the original client did, where its users could see it."""

from __future__ import annotations

import inspect
import uuid
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import tarp
from tarp.client import AsyncHandle, InvalidServerState, OperationInProgress, client


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
    assert {"GET", "POST", "RPC", "ASYNCRPC"} <= server_client.config.keys()
    assert server_client.configInfo() == server_client.config
    assert not set(server_client.getEndpoints) & {"my_function"}
    assert isinstance(server_client.postEndpoints, list)
    names = list(server_client.remoteNames)
    server_client.loadEndpoints()
    assert server_client.remoteNames == names


def test_docstrings_are_the_descriptions(server_client: Any) -> None:
    described = {entry["name"]: entry["description"] for entry in server_client.config["RPC"]}
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
    server_client._add({"name": "nobody", "description": ""}, server_client._rpc_endpoint)
    with pytest.raises(Exception, match=r"^API endpoint not found\.$"):
        server_client.nobody()


def test_asynchronous_calls(server_client: Any) -> None:
    handle = server_client.step_aside(3)
    assert isinstance(handle, AsyncHandle)
    uuid.UUID(handle.ID)
    assert handle.wait() == 3
    assert handle.status() == "completed"
    assert handle.probe()["status"] == "completed"
    assert handle.waitCycle() == 3
    assert handle.asyncResult() == 3
    assert server_client.wait(handle) == server_client.wait(handle.ID) == 3
    assert server_client.probe(handle.ID)["status"] == "completed"
    assert server_client.asyncResult(handle.ID) == 3


def test_a_cycle_of_waiting_gives_none_until_there_is_a_result(server_client: Any) -> None:
    handle = server_client.count_aside(200)
    result = handle.waitCycle()
    while result is None:
        result = handle.waitCycle()
    assert result == 200


def test_an_asynchronous_call_that_fails(server_client: Any) -> None:
    handle = server_client.patient_mean([])
    for wait in (handle.wait, handle.waitCycle):
        with pytest.raises(Exception, match="the mean needs 1 or more values"):
            wait()
    assert handle.status() == "failed"
    assert "the mean needs" in handle.probe()["error"]


def test_an_unknown_handle(server_client: Any) -> None:
    with pytest.raises(tarp.NotFound, match=r"^API endpoint not found\.$"):
        server_client.probe(str(uuid.uuid4()))


def test_web_procedures(server_client: Any) -> None:
    """As the listing would have them; any procedure answers to GET and POST."""
    for name, call in [("add", lambda f: f(x=1, y=2)), ("reverse", lambda f: f(text="a&b #c"))]:
        server_client._add({"name": name, "description": ""}, server_client._get_endpoint)
        assert call(getattr(server_client, name)) in (3, "c# b&a")
    server_client._add({"name": "add", "description": ""}, server_client._post_endpoint)
    assert server_client.add({"x": 1, "y": 2}) == 3
    server_client._add({"name": "checksum", "description": ""}, server_client._post_endpoint)
    assert server_client.checksum(b"123456789") == server_client.checksum("123456789") == 0xCBF43926
    server_client._add({"name": "answer", "description": ""}, server_client._post_endpoint)
    assert server_client.answer() == server_client.answer({}) == 42
    server_client._add({"name": "echo_bytes", "description": ""}, server_client._post_endpoint)
    assert server_client.echo_bytes(b"\0\xff") == b"\0\xff"
    server_client.loadEndpoints()


def test_replies_of_requests_are_read_as_well(server_client: Any) -> None:
    envelope = b'{"status": "success", "mimetype": "application/json", "result": [1]}'
    headers = {"Content-Type": "application/json"}
    good = SimpleNamespace(status_code=200, headers=headers, content=envelope)
    assert server_client.checkAPIresult(good) == [1]
    assert server_client.checkAPIresult(good, "application/json") == [1]
    with pytest.raises(tarp.InvalidReply):
        server_client.checkAPIresult(good, "text/plain")
    raw = SimpleNamespace(status_code=200, headers={"Content-Type": "image/png"}, content=b"png")
    assert server_client.checkAPIresult(raw) == b"png"


def test_nobody_at_the_address() -> None:
    with pytest.raises(OSError, match="cannot connect"):
        client("http://127.0.0.1:1")
