"""nginx before a host, as the documentation configures it."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from certificate import Certificate
from host import DEADLINE, REPOSITORY, eventually

PROGRAM = os.environ.get("TARP_TEST_NGINX") or "nginx"

#: Everything that is written stays in the folder.
AROUND = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {servers}
}}
"""


def documented(backend: str, port: int, certificate: Certificate | None) -> str:
    """The server of `docs/operations.md` with these addresses, and TLS with a certificate only."""
    text = (REPOSITORY / "docs/operations.md").read_text()
    server = text.split("```nginx\n")[1].split("```")[0]
    changes = {
        r"http://127\.0\.0\.1:8080": backend,
        r"listen 443 ssl": f"listen 127.0.0.1:{port}" + (" ssl" if certificate else ""),
        r"/etc/ssl/lab\.pem": str(certificate and certificate.cert),
        r"/etc/ssl/lab\.key": str(certificate and certificate.key),
    }
    for pattern, replacement in changes.items():
        server, found = re.subn(pattern, replacement, server)
        assert found == 1, pattern
    return server if certificate else re.sub(r"\n *ssl_.*", "", server)


def free_port() -> int:
    """A port that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def nginx(folder: Path, port: int, servers: str) -> Iterator[None]:
    """Runs nginx with these servers until the context ends."""
    config = folder / "nginx.conf"
    config.write_text(AROUND.format(folder=folder, servers=servers))
    log = folder / "error.log"
    command = [PROGRAM, "-p", str(folder), "-c", str(config), "-e", str(log)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)

    def answers() -> bool:
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        return False

    try:
        eventually(answers)
        yield
    finally:
        process.terminate()
        process.communicate(timeout=DEADLINE)
