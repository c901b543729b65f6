"""What a procedure printed, in the reply to who asks for it."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from host import Host, bare, rpc_body

OUTPUT = {"Prefer": "output"}
PRINTED = 'say "é"\n'
JSON = {"json": {"line": PRINTED.rstrip("\n")}}


def envelope(host: Host, path: str = "/chatter", **options: Any) -> tuple[dict[str, Any], bool]:
    """The envelope of a success, and whether it says that the preference was applied."""
    reply = host.request("POST" if "json" in options else "GET", path, **options)
    assert reply.status_code == 200, reply.text
    assert reply.json()["status"] == "success"
    return reply.json(), reply.headers.get("Preference-Applied") == "output"


@pytest.mark.parametrize("body", [JSON, {"json": rpc_body(PRINTED.rstrip("\n"))}])
def test_the_envelope_has_it_where_it_is_preferred(host: Host, body: dict[str, Any]) -> None:
    told, applied = envelope(host, headers=OUTPUT, **body)
    assert (told["stdout"], told["stderr"], applied) == (PRINTED, PRINTED, True)
    told, applied = envelope(host, **body)
    assert told.keys() == {"status", "mimetype", "result"}
    assert not applied


def test_whoever_prints_nothing_has_nothing_there(host: Host) -> None:
    told, applied = envelope(host, "/add?x=1&y=2", headers=OUTPUT)
    assert told.keys() == {"status", "mimetype", "result"}
    assert applied


def test_a_result_without_an_envelope_is_the_result_alone(host: Host) -> None:
    headers = OUTPUT | {"Accept": "text/plain"}
    reply = host.request("POST", "/chatter", headers=headers, **JSON)
    assert reply.text == PRINTED.rstrip("\n")
    assert "Preference-Applied" not in reply.headers


def test_a_call_with_a_key_is_told_again_with_it(host: Host) -> None:
    key = {"Idempotency-Key": str(uuid.uuid4())}
    first, _ = envelope(host, headers=OUTPUT | key, **JSON)
    again, applied = envelope(host, headers=OUTPUT | key, **JSON)
    assert first == again
    assert (again["stdout"], applied) == (PRINTED, True)


def test_a_job_s_result_has_it_too(host: Host) -> None:
    preferences = {"Prefer": "output, respond-async"}
    job = bare(host.request("POST", "/chatter", headers=preferences, **JSON))
    told, applied = envelope(host, f"/-/jobs/{job['id']}/result?wait=20", headers=OUTPUT)
    assert (told["stdout"], told["stderr"], applied) == (PRINTED, PRINTED, True)
