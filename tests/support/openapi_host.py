"""A host that serves all good examples, and the OpenAPI document that tells of it."""

from __future__ import annotations

from typing import Any

import pytest

from host import GOOD_GUESTS, Host, bare

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


@pytest.fixture(scope="module")
def limited(make_module_host: Any) -> Host:
    # Maps are taken as pairs, too, and JSON Schema cannot say that no two pairs have one key.
    described = [name for name in GOOD_GUESTS if name != "maps"]
    return make_module_host(*described, "app", config=CONFIG)


@pytest.fixture(scope="module")
def document(limited: Host) -> dict[str, Any]:
    return bare(limited.request("GET", "/-/openapi.json"))
