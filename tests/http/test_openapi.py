"""The OpenAPI document: valid by two validators, and true of what is tried by hand."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import openapi_spec_validator
import pytest
from openapi_pydantic.v3.v3_1 import OpenAPI

from host import Host, MakeHost, bare, eventually, guest, place
from openapi_checks import at, fault_in, validator


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
    parameters = document["paths"]["/echo_sample"]["get"]["parameters"]
    records = {p["name"]: p for p in parameters if "name" in p}
    assert "application/json" in records["value"]["content"], "a record is JSON in a query"


def test_the_methods_are_those_that_are_answered(limited: Host, document: dict[str, Any]) -> None:
    """The document, `Allow` and what happens are one list for every address."""
    for path, item in document["paths"].items():
        if "{" in path:
            continue
        allow = limited.request("OPTIONS", path).headers["Allow"].split(", ")
        described_methods = {method.upper() for method in item if method != "parameters"}
        implied = {"HEAD"} if "GET" in described_methods else set()
        assert set(allow) == described_methods | implied | {"OPTIONS"}, path
        for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} - set(allow):
            assert limited.request(method, path).status_code == 405, (method, path)


def test_examples_in_a_query_are_accepted(limited: Host, document: dict[str, Any]) -> None:
    """Written as the document says: with commas, the name once for each, or as JSON."""
    asked = 0
    for path, item in document["paths"].items():
        if path.startswith(("/-/", "/async")) or "{" in path or "get" not in item:
            continue
        query = []
        for parameter in item["get"].get("parameters", []):
            if parameter.get("in") != "query":
                continue
            asked += 1
            name, content = parameter["name"], parameter.get("content")
            value = (content["application/json"] if content else parameter)["example"]
            if content:
                query.append((name, json.dumps(value)))
            elif isinstance(value, list) and parameter["explode"]:
                query += [(name, one) for one in value]
            elif isinstance(value, list):
                query.append((name, ",".join(map(str, value))))
            else:
                query.append((name, json.dumps(value).strip('"')))
        reply = limited.request("GET", path, params=query)
        assert reply.status_code == 200 or reply.json()["type"] != "BadArguments", reply.text
        assert fault_in(document, path, "get", reply) is None
    assert asked > 100


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Idempotency-Key", "a"),
        ("Idempotency-Key", "two words"),
        ("Idempotency-Key", '"quoted "'),
        ("Idempotency-Key", "k" * 255),
        ("Idempotency-Key", "k" * 256),
        ("Idempotency-Key", '"' + "k" * 255 + '"'),
        ("Idempotency-Key", '"' + "k" * 256 + '"'),
        ("Idempotency-Key", ""),
        ("Idempotency-Key", '""'),
        ("Idempotency-Key", '"'),
        ("Idempotency-Key", '"open'),
        ("Idempotency-Key", 'in"side'),
        ("Idempotency-Key", "tab\there"),
        ("Priority", "u=1, i"),
        ("Priority", "u=9"),
        ("Priority", "whatever"),
        ("Prefer", "return=minimal"),
    ],
)
def test_a_header_is_taken_by_its_schema(
    limited: Host, document: dict[str, Any], header: str, value: str
) -> None:
    parameters = document["components"]["parameters"].values()
    schema = next(one["schema"] for one in parameters if one["name"] == header)
    reply = limited.request("GET", "/add?x=1&y=2", headers={header: value})
    is_valid = jsonschema.Draft202012Validator(schema).is_valid(value)
    assert reply.status_code == (200 if is_valid else 400), reply.text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("echo_u8", "255"),
        ("echo_u8", "256"),
        ("echo_u8", "+007"),
        ("echo_u8", "-0"),
        ("echo_u8", "-1"),
        ("echo_u8", 5.0),
        ("echo_u8", 5.5),
        ("echo_s8", "-128"),
        ("echo_s8", "-129"),
        ("echo_s32", -(2.0**31)),
        ("echo_s32", 2.0**31),
        ("echo_s64", "-9223372036854775808"),
        ("echo_s64", "-9223372036854775809"),
        ("echo_u64", "18446744073709551615"),
        ("echo_u64", "18446744073709551616"),
        ("echo_u64", 18446744073709551615),
        ("echo_list_s8", [1, 2.0, "3"]),
        ("echo_bytes", "aGk="),
        ("echo_bytes", "aGl="),
        ("echo_bytes", "aGk"),
        ("echo_bytes", [104, 105]),
        ("echo_bytes", [104, 256]),
        ("echo_f64", "NaN"),
        ("echo_f64", "1"),
        ("echo_char", ""),
        ("echo_pairs", {"a": 1}),
        ("echo_pairs", [["a", 1]]),
        ("echo_pairs", [["a"]]),
    ],
)
def test_a_value_is_taken_by_its_schema(
    limited: Host, document: dict[str, Any], name: str, value: Any
) -> None:
    """By name, by position and alone: taken where the schema has it, and refused elsewhere."""
    place = f"/paths/~1{name}/post/requestBody/content/application~1json/schema"
    schema = validator(document, place)
    parameter = next(iter(at(document, place)["anyOf"][0]["properties"]))
    for body in ({parameter: value}, [value], value):
        reply = limited.request("POST", f"/{name}", json=body)
        assert reply.status_code == (200 if schema.is_valid(body) else 400), (body, reply.text)


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
