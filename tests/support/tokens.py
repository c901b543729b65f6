"""Tokens of a host, made and revoked as its operator does: by `tarp token`."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import requests

from host import BINARY, DEADLINE, Host, clean_environment, eventually

#: What a token looks like: a public id, and a secret of 32 bytes.
TOKEN = re.compile(r"tarp_([0-9a-f]{16})_([A-Za-z0-9_-]{43})")


def tarp_token(data: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Runs `tarp token` for the host with this data directory."""
    return subprocess.run(
        [BINARY, "token", *words, "--data", data],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        env=clean_environment(),
        check=False,
    )


def create(data: Path, name: str, *rights: str, expires: str | None = None) -> str:
    """Makes a token with these rights."""
    words = [word for right in rights for word in ("--allow", right)]
    words += ["--expires", expires] if expires else []
    made = tarp_token(data, "create", name, *words)
    assert made.returncode == 0, made.stderr
    token = made.stdout.splitlines()[-1]
    assert TOKEN.fullmatch(token), made.stdout
    return token


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def status(host: Host, token: str | None, path: str = "/", method: str = "GET", **more: Any) -> int:
    """The status of the reply to a request with this token."""
    headers = (bearer(token) if token else {}) | more.pop("headers", {})
    reply = host.request(method, path, headers=headers, **more)
    return reply.status_code


def refused(reply: requests.Response) -> dict[str, Any]:
    """The body of a refusal for want of a valid token, which is always the same."""
    assert reply.status_code == 401, reply.text
    challenge = reply.headers["WWW-Authenticate"]
    assert challenge == 'Bearer realm="tarp", Basic realm="tarp", charset="UTF-8"'
    body = reply.json()
    assert (body["status"], body["type"]) == ("error", "Unauthorized"), body
    return body


def knows(host: Host, token: str) -> None:
    """Waits until the running host asks for tokens, and takes this one."""
    eventually(lambda: (status(host, None), status(host, token)) == (401, 200))
