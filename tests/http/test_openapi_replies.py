"""The OpenAPI document is true of every reply that schemathesis gets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from host import TESTS, Host
from openapi_checks import described

#: A stream without an end has no reply to look at; test_introspection.py reads them.
STREAMS = ["--exclude-path", "/-/events", "--exclude-path", "/-/jobs/{id}/events"]

#: All of schemathesis' checks but two, which `openapi_checks.py` has others for.
CHECKS = """
[checks]
# It rewrites `prefixItems`, with which tuples are described, into an array in `items`, which JSON
# Schema 2020-12 does not know, and then reports that as an error in the schema.
# `reply_is_described` takes the schema as it stands.
response_schema_conformance.enabled = false
# It takes every 5xx for a fault of the server. Here a procedure's own error is a 500 that is
# described, and the original client wants it so. `the_host_is_not_at_fault` refuses all others.
not_a_server_error.enabled = false

[checks.positive_data_acceptance]
# A job that is gone is as good an answer as one that never was, which has 404.
expected-statuses = ["2xx", "3xx", "401", "403", "404", "409", "410", "429", "5xx"{more}]
"""

#: What a web procedure takes is its own affair: its body may be anything, and it may refuse any.
WEB = """
[[operations]]
include-path = "{path}"
checks.positive_data_acceptance.enabled = false
"""


def checks_for(document: dict[str, Any], accept: str) -> str:
    """The checks that are made, as a configuration of schemathesis."""
    # Not every result has a form that is narrower than any.
    config = CHECKS.replace("{more}", "" if "*/*" in accept else ', "406"')
    # What a web procedure answered, with its own status, is its job's result.
    for path in ("/-/jobs/{id}/result", "/asyncGet"):
        config += WEB.replace("{path}", path)
    for path, item in document["paths"].items():
        operations = [operation for key, operation in item.items() if key != "parameters"]
        is_own = path.startswith(("/-/", "/async"))
        if not is_own and any("default" in one["responses"] for one in operations):
            config += WEB.replace("{path}", path)
    return config


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("phases", "accept"),
    [
        ("coverage,fuzzing", "*/*"),
        ("fuzzing", "application/vnd.tarp.value+json"),
        ("fuzzing", "text/csv, application/octet-stream, text/plain;q=0.5"),
    ],
)
def test_no_reply_is_undescribed(
    limited: Host, document: dict[str, Any], tmp_path: Path, phases: str, accept: str
) -> None:
    """The phase of the examples is left to the tests above: where a parameter of a query is JSON,
    schemathesis 4.32 writes what it makes up beside the examples as JSON twice."""
    assert described(document, "/add", "post", 200) is not None
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(document))
    settings = tmp_path / "schemathesis.toml"
    settings.write_text(checks_for(document, accept))
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", settings, "--no-color", "run"),
        *(file, "--url", limited.address, "--phases", phases, *STREAMS),
        *("--seed", 1, "--max-examples", 3, "--generation-deterministic"),
        *("--header", f"Accept: {accept}", "--request-timeout", 30),
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
