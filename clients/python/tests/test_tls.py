"""HTTPS, with a certificate of our own making."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
from pathlib import Path

import numpy as np
import pytest
import requests
from conftest import MakeHost
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import tarp
import tarp.aio
from tarp.client import client


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[str, str]:
    """The files of a certificate for localhost and of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    hosts = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (tmp_path / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (tmp_path / "key.pem").write_bytes(private)
    return str(tmp_path / "cert.pem"), str(tmp_path / "key.pem")


def test_https(make_server: MakeHost, certificate: tuple[str, str]) -> None:
    cert, key = certificate
    server = make_server("math", "jobs", flags=("--tls-cert", cert, "--tls-key", key))
    url = server.url.replace("127.0.0.1", "localhost")
    assert url.startswith("https://")
    values = np.random.default_rng(7).random(1 << 18)
    for verify in (cert, Path(cert), False):
        with tarp.connect(url, verify=verify) as host:
            assert host.add(1, 2) == 3
            assert np.array_equal(host.scale(values, 1.0), values)
            assert list(host.count_to.submit(2, 0))[-1].state == "succeeded"
    with pytest.raises(tarp.ConnectionFailed, match=r"CERTIFICATE_VERIFY_FAILED.*`ca\.pem`"):
        tarp.connect(url)
    assert client(url, cert).add(1, 2) == 3
    assert client(url, False).add(1, 2) == 3

    async def main() -> None:
        async with tarp.aio.connect(url, verify=cert) as host:
            assert await host.add(1, 2) == 3
            assert np.array_equal(await host.scale(values, 1.0), values)
        with pytest.raises(tarp.ConnectionFailed, match="CERTIFICATE_VERIFY_FAILED"):
            await tarp.aio.connect(url)

    asyncio.run(main())


def test_the_original_face_verifies_as_requests_did(
    make_server: MakeHost, certificate: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cert, key = certificate
    url = make_server("math", flags=("--tls-cert", cert, "--tls-key", key)).url
    with pytest.raises(requests.exceptions.SSLError):
        client(url)
    assert client(url, cert).my_function(1, 2) == 3
    assert client(url, False).my_function(1, 2) == 3
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", cert)
    assert client(url).my_function(1, 2) == 3
