"""Whether a reply is what the OpenAPI document says: by the JSON Schema that stands there, as it
stands there.

schemathesis loads this as hooks; its own check of bodies rewrites `prefixItems`, with which tuples
are described, into what JSON Schema 2020-12 does not know any more."""

from __future__ import annotations

import functools
import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import requests
from referencing import Registry
from referencing.jsonschema import DRAFT202012

ADDRESS = "urn:openapi"


def described(document: dict[str, Any], path: str, method: str, status: int) -> str | None:
    """Where in the document the response is that such a reply should have."""
    responses = document["paths"][path][method]["responses"]
    key = str(status) if str(status) in responses else "default"
    if key not in responses:
        return None
    if "$ref" in responses[key]:
        return responses[key]["$ref"][1:]
    escaped = path.replace("~", "~0").replace("/", "~1")
    return f"/paths/{escaped}/{method}/responses/{key}"


def fault_in(
    document: dict[str, Any], path: str, method: str, reply: requests.Response
) -> str | None:
    """What the document does not say of the reply."""
    place = described(document, path, method, reply.status_code)
    if place is None:
        return f"{method} {path}: nothing is said of {reply.status_code}: {reply.text[:500]}"
    content = at(document, place).get("content")
    if content is None:
        return f"{method} {path}: {reply.status_code} has a body" if reply.content else None
    media_type = reply.headers.get("Content-Type", "").split(";")[0]
    if media_type not in content and "*/*" not in content:
        return f"{method} {path}: {media_type} is not one of {sorted(content)}"
    said = content.get(media_type, content.get("*/*"))
    if "schema" not in said or not media_type.endswith("json"):
        return None
    key = media_type.replace("~", "~0").replace("/", "~1")
    errors = validator(document, f"{place}/content/{key}/schema").iter_errors(reply.json())
    return next((f"{method} {path}: {error}" for error in errors), None)


def at(document: Any, pointer: str) -> Any:
    steps = (step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])
    return functools.reduce(lambda node, step: node[step], steps, document)


def validator(document: dict[str, Any], pointer: str) -> jsonschema.Draft202012Validator:
    resource = DRAFT202012.create_resource(document)
    registry = Registry().with_resource(ADDRESS, resource)
    schema = {"$ref": f"{ADDRESS}#{pointer}"}
    return jsonschema.Draft202012Validator(schema, registry=registry)


if "OPENAPI_DOCUMENT" in os.environ:
    import schemathesis

    DOCUMENT = json.loads(Path(os.environ["OPENAPI_DOCUMENT"]).read_text())

    @schemathesis.check
    def reply_is_described(_context: Any, response: Any, case: Any) -> None:
        """No reply is one of which the document says nothing, or something else."""
        path, method = case.operation.path, case.operation.method.lower()
        if case.method.lower() != method:
            return
        reply = requests.Response()
        reply.status_code = response.status_code
        reply._content = response.content
        for name, values in response.headers.items():
            reply.headers[name] = ", ".join(values)
        fault = fault_in(DOCUMENT, path, method, reply)
        assert fault is None, fault

    @schemathesis.check
    def the_host_is_not_at_fault(_context: Any, response: Any, _case: Any) -> None:
        """What fails is a procedure, or there is no room now: never the host itself."""
        if response.status_code >= 500:
            failure = json.loads(response.content)
            assert failure["type"] != "Internal", failure
