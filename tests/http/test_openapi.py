"""The OpenAPI document: valid by two validators, and true of every reply that schemathesis gets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import openapi_spec_validator
import pytest
from conftest import GOOD_GUESTS
from openapi_pydantic.v3.v3_1 import OpenAPI

from host import TESTS, Host, MakeHost, bare, eventually, guest, place
from openapi_checks import described, fault_in

#: Guests that misbehave are to be stopped soon.
CONFIG = """
[limits]
fuel = 20_000_000
memory = "32 MiB"
deadline = "400 ms"
[jobs]
max_queue = 200
[jobs.limits]
fuel = 20_000_000
deadline = "400 ms"
"""

#: A stream without an end has no reply to look at; test_introspection.py reads them.
STREAMS = ["--exclude-path", "/-/events", "--exclude-path", "/-/jobs/{id}/events"]


@pytest.fixture(scope="module")
def limited(make_module_host: Any) -> Host:
    return make_module_host(*GOOD_GUESTS, "app", config=CONFIG)


@pytest.fixture(scope="module")
def document(limited: Host) -> dict[str, Any]:
    return bare(limited.request("GET", "/-/openapi.json"))


def test_the_document_is_valid_by_two_validators(document: dict[str, Any]) -> None:
    openapi_spec_validator.validate(document)
    OpenAPI.model_validate(document)


def test_every_schema_is_a_schema(document: dict[str, Any]) -> None:
    def visit(node: Any, place: str) -> int:
        if isinstance(node, list):
            return sum(visit(item, f"{place}/{i}") for i, item in enumerate(node))
        if not isinstance(node, dict):
            return 0
        count = 0
        for key, value in node.items():
            if key == "schema":
                jsonschema.Draft202012Validator.check_schema(value)
                count += 1
            else:
                count += visit(value, f"{place}/{key}")
        return count

    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    assert visit(document["paths"], "") > 500


def test_everything_that_can_be_called_is_described(
    limited: Host, document: dict[str, Any]
) -> None:
    names = {entry["name"] for entry in limited.listing()["RPC"] + limited.listing()["ASYNCRPC"]}
    described_names = {path[1:] for path in document["paths"] if not path.startswith("/-/")}
    assert names <= described_names
    operations = [op for item in document["paths"].values() for key, op in item.items()
                  if key != "parameters"]  # fmt: skip
    ids = [operation["operationId"] for operation in operations]
    assert len(ids) == len(set(ids))
    mean = document["paths"]["/statistics/mean"]
    assert mean["get"]["summary"] == "The arithmetic mean; an error for an empty list."
    assert mean["get"]["operationId"] == "get_statistics__mean"
    assert "get" not in document["paths"]["/echo_sample"], "a record does not fit into a query"


def test_examples_are_accepted(limited: Host, document: dict[str, Any]) -> None:
    """Every procedure takes the example that is shown for it."""
    for path, item in document["paths"].items():
        content = item.get("post", {}).get("requestBody", {}).get("content", {})
        if "application/json" not in content:
            continue
        example = content["application/json"]["example"]
        reply = limited.request("POST", path, json=example)
        assert reply.status_code == 200 or reply.json()["type"] != "BadArguments", reply.text
        assert fault_in(document, path, "post", reply) is None


def test_the_document_changes_with_the_catalog(make_host: MakeHost) -> None:
    host = make_host("math")
    before = host.request("GET", "/-/openapi.json")
    assert host.request("GET", "/-/openapi.json").headers["ETag"] == before.headers["ETag"]
    place(guest("text"), host.folder / "text.wasm")
    eventually(lambda: host.serves("reverse"))
    after = host.request("GET", "/-/openapi.json")
    assert after.headers["ETag"] != before.headers["ETag"]
    assert "/reverse" in after.json()["paths"]


def test_a_host_without_jobs_describes_none(make_host: MakeHost) -> None:
    host = make_host("math", flags=["--jobs", "none"])
    document = bare(host.request("GET", "/-/openapi.json"))
    openapi_spec_validator.validate(document)
    assert not [path for path in document["paths"] if "job" in path or "async" in path]
    assert "202" not in document["paths"]["/add"]["post"]["responses"]
    reply = host.request("GET", "/add?x=1&y=2", headers={"Prefer": "respond-async"})
    assert fault_in(document, "/add", "get", reply) is None


def test_the_console_is_described(limited: Host, document: dict[str, Any]) -> None:
    page = limited.request("GET", headers={"Accept": "text/html"})
    assert page.headers["Content-Type"].startswith("text/html")
    known = {"Accept": "text/html", "If-None-Match": page.headers["ETag"]}
    again = limited.request("GET", headers=known)
    assert again.status_code == 304
    for reply in (page, again):
        assert fault_in(document, "/", "get", reply) is None


def test_replies_about_jobs_are_as_described(limited: Host, document: dict[str, Any]) -> None:
    """Of handles that exist, which schemathesis does not find by itself."""

    def check(path: str, handle: str, method: str = "get", **headers: str) -> None:
        address = path.replace("{id}", handle) if "{id}" in path else f"{path}?UUID={handle}"
        reply = limited.request(method, address, headers=headers)
        assert fault_in(document, path, method, reply) is None

    pages = [path for path in document["paths"] if "{id}" in path or path.startswith("/async")]
    assert len(pages) == 7
    handles = [
        limited.submit("count_to", 3, 0)["id"],
        limited.submit("echo_list_point", [{"x": 1, "y": 2}])["id"],
        limited.submit("fail_after", 1, "no")["id"],
        limited.submit("spin")["id"],
        limited.submit("flood_result", 1 << 28)["id"],
    ]
    states = {limited.ended(handle)["state"] for handle in handles}
    assert {"succeeded", "failed"} <= states
    stopped = limited.submit("sleep_for", 350)["id"]
    check("/-/jobs/{id}/result", stopped)
    check("/-/jobs/{id}", stopped, "delete")
    limited.ended(stopped)
    for handle in [*handles, stopped, "00000000-0000-0000-0000-000000000000"]:
        for path in pages:
            check(path, handle)
        for accept in ("text/csv", "application/octet-stream", "application/vnd.tarp.value+json"):
            check("/-/jobs/{id}/result", handle, Accept=accept)


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("phases", "accept"),
    [
        ("examples,coverage,fuzzing", "*/*"),
        ("examples,fuzzing", "application/vnd.tarp.value+json"),
        ("examples,fuzzing", "text/csv, application/octet-stream, text/plain;q=0.5"),
    ],
)
def test_no_reply_is_undescribed(
    limited: Host, document: dict[str, Any], tmp_path: Path, phases: str, accept: str
) -> None:
    assert described(document, "/add", "post", 200) is not None
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(document))
    checks = "status_code_conformance,content_type_conformance,response_headers_conformance"
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", file, "--url", limited.address),
        *("--checks", f"{checks},reply_is_described", "--phases", phases, *STREAMS),
        *("--seed", 1, "--max-examples", 3, "--generation-deterministic"),
        *("--header", f"Accept: {accept}", "--request-timeout", 30, "--no-color"),
    ]
    environment = os.environ | {
        "SCHEMATHESIS_HOOKS": str(TESTS / "support" / "openapi_checks.py"),
        "PYTHONWARNINGS": "default",
        "OPENAPI_DOCUMENT": str(file),
    }
    run = subprocess.run(
        [str(part) for part in command],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-20_000:] + run.stderr[-5_000:]
    assert " passed" in run.stdout, run.stdout[-5_000:]
