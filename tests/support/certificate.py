"""A certificate as people make one for a machine in their own network: it vouches for itself."""

from __future__ import annotations

import datetime
import ipaddress
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


class Certificate(NamedTuple):
    """The files that the host is started with."""

    cert: Path
    key: Path


def make_certificate(folder: Path, name: str = "host") -> Certificate:
    """Makes a certificate for 127.0.0.1 and localhost, and its key, as PEM files."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    names = [
        x509.DNSName("localhost"),
        x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    ]
    usage = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False
    ) | dict.fromkeys(("crl_sign", "encipher_only", "decipher_only"), False)
    cert = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(digital_signature=True, key_cert_sign=True, **usage), critical=True
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    made = Certificate(folder / f"{name}-cert.pem", folder / f"{name}-key.pem")
    made.cert.write_bytes(cert.public_bytes(serialization.Encoding.PEM))
    write_key(made.key, key)
    return made


def write_key(file: Path, key: ec.EllipticCurvePrivateKey) -> None:
    """Writes a private key as a PEM file."""
    kind = serialization.PrivateFormat.PKCS8
    pem = key.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption())
    file.write_bytes(pem)


class Issued(NamedTuple):
    """A certificate and who vouches for it."""

    authority: Path
    cert: Path
    key: Path


def issue_certificate(folder: Path) -> Issued:
    """Makes an authority, and a certificate of it for 127.0.0.1 and localhost, as PEM files."""
    now = datetime.datetime.now(datetime.UTC)
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority of the lab")])

    def builder(subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(authority)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
        )

    key = ec.generate_private_key(ec.SECP256R1())
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    constraints = x509.BasicConstraints(ca=True, path_length=None)
    root = builder(authority, authority_key).add_extension(constraints, critical=True)
    leaf = builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server")]), key)
    leaf = leaf.add_extension(x509.SubjectAlternativeName(names), critical=False)
    made = Issued(folder / "authority.pem", folder / "issued-cert.pem", folder / "issued-key.pem")
    for path, unsigned in ((made.authority, root), (made.cert, leaf)):
        signed = unsigned.sign(authority_key, hashes.SHA256())
        path.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    write_key(made.key, key)
    return made


class Authority:
    """Vouches for clients."""

    def __init__(self, folder: Path, name: str = "clients") -> None:
        self.folder = folder
        self.file = folder / f"{name}.pem"
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        root = self._builder(self._subject, self._key).add_extension(constraints, critical=True)
        self.file.write_bytes(self._signed(root))

    def issue(
        self,
        common_name: str,
        *alternatives: x509.GeneralName,
        purpose: x509.ObjectIdentifier = ExtendedKeyUsageOID.CLIENT_AUTH,
        ends_in: datetime.timedelta = datetime.timedelta(days=1),
    ) -> Certificate:
        """A certificate for a client, and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        leaf = self._builder(subject, key, ends_in)
        leaf = leaf.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        if alternatives:
            names = x509.SubjectAlternativeName(alternatives)
            leaf = leaf.add_extension(names, critical=False)
        number = f"{self.file.stem}-{x509.random_serial_number():x}"
        made = Certificate(self.folder / f"{number}.pem", self.folder / f"{number}.key")
        made.cert.write_bytes(self._signed(leaf))
        write_key(made.key, key)
        return made

    def _builder(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        ends_in: datetime.timedelta = datetime.timedelta(days=1),
    ) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=2))
            .not_valid_after(now + ends_in)
        )

    def _signed(self, unsigned: x509.CertificateBuilder) -> bytes:
        signed = unsigned.sign(self._key, hashes.SHA256())
        return signed.public_bytes(serialization.Encoding.PEM)
