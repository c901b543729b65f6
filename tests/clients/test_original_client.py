"""The original client against this host: one test for each rule and row of the wire protocol that
does not concern jobs."""

from __future__ import annotations

import base64
import inspect
import json
import pickle
import pickletools
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests

from certificate import make_certificate
from host import Host, MakeHost, pickled, rpc_body
from original_client import Client, InvalidServerState, OperationInProgress


@pytest.fixture
def client(host: Host) -> Client:
    return Client(host.address)


# The listing and the methods made of it.


def test_the_readme_of_the_original_works(client: Client) -> None:
    assert client.my_function(1, 2) == 3
    assert client.my_function(x=1, y=2) == 3
    assert client.my_function(1, y=2) == 3


def test_docstrings_are_the_documentation_of_the_procedures(client: Client) -> None:
    doc = inspect.getdoc(client.my_function) or ""
    assert "Adds two integers: the procedure of the original TARP's README." in doc
    assert "x: s64, y: s64" in doc, "the signature belongs to the documentation"
    described = {entry["name"]: entry["description"] for entry in client.listing["RPC"]}
    assert client.my_function.__doc__ == described["my_function"]
    assert client.statistics_mean.__doc__ == described["statistics/mean"]
    assert "The arithmetic mean; an error for an empty list." in described["statistics/mean"]


def test_a_description_has_all_lines_of_the_comment(client: Client) -> None:
    doc = inspect.getdoc(client.reservations_reserve) or ""
    assert "Reserves something and gives a confirmation." in doc
    assert "otherwise when it has no name." in doc


def test_the_listing_has_four_lists_of_named_and_described_entries(client: Client) -> None:
    assert {"GET", "POST", "RPC", "ASYNCRPC"} <= client.listing.keys()
    for kind in ("GET", "POST", "RPC", "ASYNCRPC"):
        for entry in client.listing[kind]:
            assert isinstance(entry["name"], str)
            assert isinstance(entry["description"], str)


def test_a_typed_procedure_is_listed_once(client: Client) -> None:
    names = [
        entry["name"]
        for kind in ("GET", "POST", "RPC", "ASYNCRPC")
        for entry in client.listing[kind]
    ]
    assert len(names) == len(set(names))
    assert {"my_function", "add", "reverse", "statistics/mean", "geometry/area"} <= set(names)
    typed = [entry["name"] for kind in ("RPC", "ASYNCRPC") for entry in client.listing[kind]]
    assert set(names) - set(typed) == {"get_data", "get_plot", "set_params"}


def test_names_in_kebab_case_are_snake_case_everywhere(client: Client) -> None:
    assert not [name for name in client.remoteNames if "-" in name]
    sample: dict[str, Any] = {
        "label": "a",
        "values": [],
        "unit": None,
        "taken_at": {"x": 0.0, "y": 0.0},
        "color": "light_blue",
        "marks": {"checked_by_hand"},
        "calibration": {"ok": 0.5},
    }
    assert client.echo_sample(sample) == sample


def test_a_name_with_a_slash_is_called_with_an_underscore(client: Client, host: Host) -> None:
    assert client.statistics_mean([1, 2, 6]) == 3.0
    for name in ("statistics_mean", "statistics/mean"):
        assert host.rpc(name, [1, 2, 6]) == 3.0
        assert host.post(name, {"values": [1, 2, 6]}) == 3.0
        assert host.get(name, {"values": "[1, 2, 6]"}) == 3.0


def test_a_parameter_called_name_hijacks_the_address_and_is_warned_of(
    client: Client, host: Host
) -> None:
    assert client.reservations_reserve("seat 7", "free") == "seat 7 is yours"
    with pytest.raises(Exception, match=r"^API endpoint not found\.$"):
        client.reservations_reserve(name="seat 7", state="free")
    (warning,) = host.problems()["text.wasm"]
    assert "`name`" in warning["message"]
    assert "reservations/reserve" in warning["message"]
    assert warning["serving"] is True


# RPC.


def test_an_rpc_reply_is_an_envelope_of_exactly_application_json(host: Host) -> None:
    reply = requests.post(f"{host.address}/add", json=rpc_body(1, 2))
    assert reply.status_code == 200
    assert reply.headers["Content-Type"] == "application/json"
    body = reply.json()
    assert body["status"] == "success"
    assert body["mimetype"] == "application/json"
    pickle_bytes = base64.b64decode(body["result"]["payload"], validate=True)
    assert pickle_bytes[:2] == b"\x80\x04", "protocol 4"
    assert pickle.loads(pickle_bytes) == 3


@pytest.mark.parametrize(
    ("procedure", "args", "expected"),
    [
        ("echo_s64", [0], 0),
        ("echo_bool", [False], False),
        ("echo_bool", [True], True),
        ("echo_string", [""], ""),
        ("echo_f64", [0.0], 0.0),
        ("echo_list_f64", [[]], []),
        ("nothing", [], None),
        ("ignore", ["x"], None),
        ("attempt", [True], None),
        ("echo_option", [], None),
    ],
)
def test_falsy_results_stay_what_they_are(
    client: Client, procedure: str, args: list, expected: object
) -> None:
    result = getattr(client, procedure)(*args)
    assert result == expected
    assert type(result) is type(expected)


def test_arrays_go_only_to_a_caller_who_uses_numpy(client: Client) -> None:
    assert type(client.scale([1.0, 2.0], 2.0)) is list
    array = client.scale(np.array([1.0, 2.0]), 2.0)
    assert isinstance(array, np.ndarray)
    assert array.tolist() == [2.0, 4.0]
    assert isinstance(client.linspace(np.float64(0), 1, 5), np.ndarray)
    array[0] = 7.0  # It is writable.


def test_a_reply_names_nothing_that_an_old_numpy_lacks(host: Host) -> None:
    reply = requests.post(f"{host.address}/scale", json=rpc_body(np.array([1.0]), 2.0))
    answer = base64.b64decode(reply.json()["result"]["payload"])
    strings: list[str] = []
    named = set()
    for opcode, argument, _ in pickletools.genops(answer):
        if isinstance(argument, str):
            strings.append(argument)
        if opcode.name == "STACK_GLOBAL":
            named.add(".".join(strings[-2:]))
        assert opcode.name != "GLOBAL"
    assert named <= {"numpy.ndarray", "numpy.dtype", "builtins.bytearray"}
    assert "numpy.ndarray" in named


@pytest.mark.parametrize(
    ("body", "query", "message"),
    [
        (rpc_body(1, 2), "?x=1", "RPC endpoints should not have query parameters"),
        ({"args": pickled([1, 2]), "kwargs": pickled({})}, "", "RPC args should be a tuple"),
        ({"args": pickled(None), "kwargs": pickled({})}, "", "RPC args should be a tuple"),
        ({"args": pickled((1, 2)), "kwargs": pickled([])}, "", "RPC kwargs should be a dict"),
        ({"args": pickled((1, 2)), "kwargs": pickled(None)}, "", "RPC kwargs should be a dict"),
    ],
)
def test_the_messages_of_the_original_for_bad_requests(
    host: Host, body: dict, query: str, message: str
) -> None:
    reply = requests.post(f"{host.address}/add{query}", json=body)
    assert reply.status_code == 400
    assert message in reply.json()["message"]
    assert reply.json()["status"] == "error"


@pytest.mark.parametrize(
    "body",
    [
        {"args": pickled((1, 2))},
        {"args": pickled((1, 2)), "kwargs": pickled({}), "more": ""},
        {"args": 1, "kwargs": 2},
        {"args": pickled((1, 2)), "kwargs": None},
    ],
)
def test_a_body_that_is_almost_rpc_is_refused_and_says_why(host: Host, body: dict) -> None:
    reply = requests.post(f"{host.address}/add", json=body)
    assert reply.status_code == 400
    message = 'RPC body data should be a JSON object with "args" and "kwargs" keys'
    assert message in reply.json()["message"]


def test_rpc_is_only_what_says_that_it_is_json(host: Host) -> None:
    """Else a page of another site could send it without asking first."""
    text = json.dumps(rpc_body("abc"))
    for content_type in ("text/plain", "application/octet-stream", None):
        headers = {"Content-Type": content_type} if content_type else {}
        reply = requests.post(f"{host.address}/reverse", data=text, headers=headers)
        if reply.status_code == 200:
            assert reply.json()["result"] == text[::-1], "not taken for a pickle"
        else:
            assert reply.status_code == 400


# Web calls.


def test_get_without_any_escaping(client: Client) -> None:
    json, text = "application/json", "text/plain"
    entry = {"name": "add", "description": "", "query_params": ["x", "y"]}
    client.add_endpoint(entry, "GET")
    assert client.add(x=1, y=2) == (json, 3)
    client.add_endpoint(entry | {"name": "statistics/mean"}, "GET")
    assert client.statistics_mean(values=[1, 2, 6]) == (json, 3.0)
    client.add_endpoint(entry | {"name": "reverse"}, "GET")
    assert client.reverse(text="two words") == (text, "sdrow owt")
    assert client.reverse(text="cut#here") == (text, "tuc")
    with pytest.raises(Exception, match="`b`"):
        client.reverse(text="a&b=c")


def test_post_of_a_dict_and_of_nothing(client: Client) -> None:
    entry = {"name": "add", "description": ""}
    client.add_endpoint(entry, "POST")
    assert client.add({"x": 1, "y": 2})[1] == 3
    assert client.add(x=1, y=2)[1] == 3, "keywords are the query"
    with pytest.raises(Exception, match="`x`"):
        client.add({})
    client.add_endpoint(entry | {"name": "answer"}, "POST")
    for nothing in ((), ({},), ("",)):
        assert client.answer(*nothing)[1] == 42


def test_bytes_are_base64_in_an_envelope(client: Client) -> None:
    client.add_endpoint({"name": "echo_bytes", "description": ""}, "POST")
    assert client.echo_bytes(b"\0\xff") == ("application/octet-stream", "AP8=")


def test_post_of_bytes(client: Client) -> None:
    client.add_endpoint({"name": "checksum", "description": ""}, "POST")
    assert client.checksum(b"123456789")[1] == 0xCBF43926
    assert client.checksum("123456789")[1] == 0xCBF43926


# Failures.


def test_every_failure_is_an_object_of_exactly_application_json(host: Host) -> None:
    address = host.address
    replies = [
        requests.get(f"{address}/add"),
        requests.get(f"{address}/nobody"),
        requests.get(f"{address}/asyncProbe?UUID=x"),
        requests.get(f"{address}/fail_with_string?message=m"),
        requests.get(f"{address}/panic?message=m"),
        requests.put(f"{address}/add"),
        requests.delete(f"{address}/"),
        requests.post(f"{address}/", json={}),
        requests.post(f"{address}/add", json=rpc_body("a", "b")),
        requests.post(f"{address}/fail_with_nothing", json=rpc_body()),
        requests.post(f"{address}/unreachable", json=rpc_body()),
        requests.post(f"{address}/nobody", json=rpc_body()),
        requests.get(f"{address}/add?x=1&y=2", headers={"Host": "elsewhere.example"}),
    ]
    for reply in replies:
        assert reply.status_code >= 400, reply.url
        assert reply.headers["Content-Type"] == "application/json", reply.url
        body = reply.json()
        assert body["status"] == "error"
        assert body["type"], "a type"
        assert body["message"], "a message"
        assert body["message"].isprintable() or "\n" in body["message"]


def test_a_missing_procedure_is_not_found(client: Client) -> None:
    client.add_endpoint({"name": "nobody", "description": ""}, "RPC")
    with pytest.raises(Exception, match=r"^API endpoint not found\.$"):
        client.nobody()


def test_a_long_list_goes_into_the_address_and_one_that_is_too_long_is_refused(
    client: Client, host: Host
) -> None:
    """It sends lists in the address. Over 64 KiB the HTTP library refuses it before the host sees a
    request, and without a body: the one reply on which the original client is at a loss."""
    client.add_endpoint({"name": "sum", "description": ""}, "GET")
    assert client.sum(values=[1.0] * 5_000)[1] == 5_000.0
    too_long = requests.get(f"{host.address}/sum?values={'1,' * 50_000}1", timeout=30)
    assert (too_long.status_code, too_long.content) == (414, b"")


def test_other_failures_are_exceptions_with_the_procedures_words(client: Client) -> None:
    with pytest.raises(Exception, match=r"^no light$"):
        client.fail_with_string("no light")
    with pytest.raises(Exception, match="it broke"):
        client.panic("it broke")
    with pytest.raises(Exception, match="the argument `x`"):
        client.add("one", 2)


def test_a_busy_procedure_keeps_its_type(client: Client) -> None:
    with pytest.raises(OperationInProgress, match=r"^in use$") as caught:
        client.fail_as_busy("in use", 7)
    assert caught.value.retry_after == 7
    with pytest.raises(OperationInProgress, match="seat 7 is taken") as caught:
        client.reservations_reserve("seat 7", "taken", 90)
    assert caught.value.retry_after == 90


def test_a_busy_procedure_that_names_no_time_leaves_it_to_the_host(client: Client) -> None:
    with pytest.raises(OperationInProgress, match=r"^in use$") as caught:
        client.fail_as_busy("in use")
    assert caught.value.retry_after >= 1, "no hot loop"


def test_a_procedure_in_the_wrong_state_keeps_its_type(client: Client, host: Host) -> None:
    with pytest.raises(InvalidServerState, match=r"^shut down$"):
        client.fail_as_invalid_state("shut down")
    reply = requests.get(f"{host.address}/fail_as_invalid_state?message=m")
    assert (reply.status_code, reply.json()["type"]) == (503, "InvalidServerState")


def test_busy_and_wrong_state_keep_their_type_by_get_and_post(host: Host) -> None:
    arguments: dict[str, Any] = {"message": "m", "retry_after": 3}
    replies = [
        requests.get(f"{host.address}/fail_as_busy", params=arguments),
        requests.post(f"{host.address}/fail_as_busy", json=arguments),
        requests.post(f"{host.address}/fail_as_busy", data=arguments),
        requests.post(f"{host.address}/fail_as_busy", json=rpc_body(**arguments)),
    ]
    for reply in replies:
        assert reply.status_code == 503
        assert reply.json()["type"] == "OperationInProgress"
        assert reply.headers["Retry-After"] == "3"


# Connections.


def test_server_key_is_the_certificate(make_host: MakeHost, tmp_path: Path) -> None:
    made = make_certificate(tmp_path)
    host = make_host("math", flags=["--tls-cert", made.cert, "--tls-key", made.key])
    assert host.address.startswith("https://")
    client = Client(host.address, str(made.cert))
    assert client.my_function(1, 2) == 3
    by_name = Client(f"https://localhost:{host.port}", str(made.cert))
    assert by_name.my_function(1, 2) == 3
    with pytest.raises(requests.exceptions.SSLError):
        Client(host.address)


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_server_key_may_be_false(make_host: MakeHost, tmp_path: Path) -> None:
    made = make_certificate(tmp_path)
    host = make_host("math", flags=["--tls-cert", made.cert, "--tls-key", made.key])
    assert Client(host.address, False).my_function(1, 2) == 3


def test_user_and_token_in_the_address_do_no_harm(host: Host) -> None:
    client = Client(f"http://user:TOKEN@127.0.0.1:{host.port}")
    assert client.my_function(1, 2) == 3
    assert client.statistics_mean([1.0]) == 1.0


def test_replies_have_a_length_and_keep_the_connection(host: Host) -> None:
    """The original spoke HTTP/1.0 and gave no length."""
    with socket.create_connection(("127.0.0.1", host.port), 10) as connection:
        stream = connection.makefile("rb")
        for _ in range(3):
            connection.sendall(b"GET /add?x=1&y=2 HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert stream.readline() == b"HTTP/1.1 200 OK\r\n"
            headers = dict(line.lower().split(b": ", 1) for line in iter(stream.readline, b"\r\n"))
            assert stream.read(int(headers[b"content-length"]))
