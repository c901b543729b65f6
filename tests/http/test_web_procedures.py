"""Web procedures: a request as it is in, a reply with their own status and content out."""

from __future__ import annotations

import struct
import zlib

import pytest
import requests

from host import Host, MakeHost
from original_client import Client

PNG = b"\x89PNG\r\n\x1a\n"


def test_a_get_and_a_post_are_listed_as_the_original_does(host: Host) -> None:
    listing = host.request("GET", "/").json()["result"]
    get = {entry["name"]: entry for entry in listing["GET"]}
    post = {entry["name"]: entry for entry in listing["POST"]}
    assert {"get_data", "get_plot"} <= get.keys()
    assert "set_params" in post
    assert "set_params" not in get, "narrowed by its methods"
    assert "get_plot" not in post
    assert get["get_plot"]["query_params"] == []
    assert "PNG" in get["get_plot"]["description"]
    assert post["set_params"].keys() >= {"payload_mimetype", "payload_schema"}
    called = {entry["name"] for entry in listing["RPC"] + listing["ASYNCRPC"]}
    assert not called & (get.keys() | post.keys()), "listed once"


def test_the_catalog_says_which_methods_they_answer(host: Host) -> None:
    procedures = host.request("GET", "/-/procedures").json()["procedures"]
    web = {entry["name"]: entry["web"] for entry in procedures}
    assert web["get_plot"] == {"methods": ["GET"]}
    assert web["set_params"] == {"methods": ["POST"]}
    assert web["add"] is None


def test_json_comes_in_an_envelope(host: Host) -> None:
    reply = host.request("GET", "/get_data?frequency=1&amplitude=2")
    assert reply.headers["Content-Type"] == "application/json"
    envelope = reply.json()
    assert (envelope["status"], envelope["mimetype"]) == ("success", "application/json")
    assert max(envelope["result"]["y"]) == pytest.approx(2, abs=0.01)


def test_an_image_comes_as_it_is(host: Host) -> None:
    reply = host.request("GET", "/get_plot?frequency=2&amplitude=0.5")
    assert reply.headers["Content-Type"] == "image/png"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert reply.headers["Content-Security-Policy"].startswith("sandbox")
    assert int(reply.headers["x-tarp-fuel"]) > 0
    picture = reply.content
    assert picture.startswith(PNG)
    width, height = struct.unpack(">II", picture[16:24])
    assert width > 100
    assert height > 100
    length, kind = struct.unpack(">I4s", picture[8:16])
    crc = struct.unpack(">I", picture[16 + length : 20 + length])[0]
    assert zlib.crc32(kind + picture[16 : 16 + length]) == crc
    assert host.request("HEAD", "/get_plot?frequency=2").headers["Content-Type"] == "image/png"


def test_a_status_of_failure_comes_with_what_was_said(host: Host) -> None:
    reply = host.request("GET", "/get_data?frequency=fast")
    assert reply.status_code == 400
    envelope = reply.json()
    assert (envelope["status"], envelope["type"]) == ("error", "ProcedureError")
    assert "frequency" in envelope["message"]
    assert envelope["result"] == envelope["message"]


def test_a_method_that_is_not_answered_is_refused(host: Host) -> None:
    reply = host.request("POST", "/get_plot", data="x")
    assert (reply.status_code, reply.json()["type"]) == (405, "MethodNotAllowed")
    assert reply.headers["Allow"] == "GET, HEAD, OPTIONS"
    assert host.request("OPTIONS", "/set_params").headers["Allow"] == "POST, OPTIONS"


def test_a_body_that_is_not_what_it_says_is_refused(host: Host) -> None:
    json = {"Content-Type": "application/json"}
    for body in (b"{", b"", b"\xff"):
        reply = host.request("POST", "/set_params", data=body, headers=json)
        assert (reply.status_code, reply.json()["type"]) == (400, "BadRequest")
    text = {"Content-Type": "text/plain; charset=utf-8"}
    reply = host.request("POST", "/set_params", data=b"\xff", headers=text)
    assert (reply.status_code, reply.json()["type"]) == (400, "BadRequest")


def test_the_original_client_uses_them(host: Host) -> None:
    client = Client(host.address)
    mimetype, data = client.get_data(frequency=1, amplitude=2)
    assert mimetype == "application/json"
    assert max(data["y"]) == pytest.approx(2, abs=0.01)
    mimetype, picture = client.get_plot(frequency=2, amplitude=0.5)
    assert mimetype == "image/png"
    assert picture.startswith(PNG)
    assert client.set_params({"frequency": 3, "amplitude": 1})[1]["frequency"] == 3
    with pytest.raises(Exception, match="frequency"):
        client.get_data(frequency="fast")


def test_one_can_run_as_a_job(host: Host) -> None:
    reply = host.request("GET", "/get_plot?frequency=2", headers={"Prefer": "respond-async"})
    assert reply.status_code == 202
    handle = reply.json()["id"]
    result = host.request("GET", f"/-/jobs/{handle}/result", params={"wait": 20})
    assert result.headers["Content-Type"] == "image/png"
    assert result.content == host.request("GET", "/get_plot?frequency=2").content


def test_a_sidecar_narrows_the_methods(make_host: MakeHost) -> None:
    sidecar = "[procedures.get_data]\nmethods = ['POST']\n"
    host = make_host("plot", sidecars={"plot": sidecar})
    assert host.request("GET", "/get_data").status_code == 405
    assert requests.post(f"{host.address}/get_data?frequency=1", timeout=10).status_code == 200
