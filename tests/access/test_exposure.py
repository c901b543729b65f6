"""A host that other machines reach: refused without tokens and TLS, and set up by `tarp init`."""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import requests
import tarp
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from certificate import make_certificate
from command_line import CommandLine
from host import BINARY, DEADLINE, MakeHost, clean_environment, eventually, run_binary
from original_client import Client
from tokens import TOKEN, bearer, create


def init(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Runs `tarp init` for this folder."""
    return subprocess.run(
        [BINARY, "init", folder, *words],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        env=clean_environment(),
        check=False,
    )


# The first start.


def refusal(tmp_path: Path, *flags: str | Path) -> str:
    """What a start for other machines that is refused says."""
    folder = tmp_path / "procedures"
    folder.mkdir(exist_ok=True)
    own = ["--cache", tmp_path / "cache", "--data", tmp_path / "data", "--port", "0"]
    ended = run_binary("serve", folder, *own, *flags)
    assert ended.returncode == 1, ended.stdout
    assert not ended.stdout
    return ended.stderr


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.0.2.1", "::ffff:192.0.2.1"])
@pytest.mark.attack(
    "a start for other machines without tokens or TLS", "refused, with the commands that make them"
)
def test_a_host_for_other_machines_needs_tokens_and_tls(tmp_path: Path, address: str) -> None:
    bind = ["--bind", address]
    said = refusal(tmp_path, *bind)
    assert "no tokens and no TLS" in said
    commands = [line.strip() for line in said.splitlines() if line.startswith("  tarp ")]
    assert [command.split()[1] for command in commands] == ["init", "serve", "token"]
    assert "--insecure" in said
    pair = make_certificate(tmp_path)
    tls = ["--tls-cert", pair.cert, "--tls-key", pair.key]
    assert "there are no tokens:" in refusal(tmp_path, *bind, *tls)
    create(tmp_path / "data", "alice", "admin")
    assert "there are no TLS:" in refusal(tmp_path, *bind)


def test_insecure_says_that_it_is_meant(make_host: MakeHost) -> None:
    host = make_host("math", flags=["--bind", "0.0.0.0", "--insecure"], start=False)
    host.launch()
    host.stop()
    environment = {"TARP_BIND": "0.0.0.0", "TARP_INSECURE": "1"}
    host = make_host("math", environment=environment, start=False)
    host.launch()


@pytest.mark.parametrize("address", ["127.0.0.1", "127.1.2.3", "::1"])
def test_a_host_for_this_machine_needs_nothing(make_host: MakeHost, address: str) -> None:
    host = make_host("math", flags=["--bind", address], start=False)
    host.launch()


def test_dev_serves_other_machines_only_if_that_is_meant(tmp_path: Path) -> None:
    ended = run_binary("dev", tmp_path, "--bind", "0.0.0.0", "--port", "0")
    assert ended.returncode == 1
    assert "--insecure" in ended.stderr


# tarp init.


def test_init_makes_all_that_a_host_for_other_machines_needs(
    make_host: MakeHost, tmp_path: Path
) -> None:
    made = init(tmp_path, "--host", "lab.example", "--host", "192.0.2.7")
    assert made.returncode == 0, made.stderr
    token = made.stdout.splitlines()[-1]
    assert TOKEN.fullmatch(token)
    for word in ("curl --cacert", "tarp.connect(", "server_key=", "https://lab.example:8080"):
        assert word in made.stdout
    for file in ("tls/ca.key", "tls/host.key", "data/tokens.json", "tarp.toml"):
        assert stat.S_IMODE((tmp_path / file).stat().st_mode) == 0o600, file
    config = tomllib.loads((tmp_path / "tarp.toml").read_text())
    assert config["server"]["bind"] == "0.0.0.0"
    assert config["server"]["allowed_hosts"] == ["lab.example"]
    ca = tmp_path / "tls/ca.pem"
    host = make_host("math", config=(tmp_path / "tarp.toml").read_text(), start=False)
    # Not at the default directory of the tests, but at that of the file.
    host.data = tmp_path / "data"
    host.start()
    url = f"https://localhost:{host.port}"
    reply = requests.get(f"{url}/add?x=1&y=2", headers=bearer(token), verify=ca, timeout=DEADLINE)
    assert reply.json()["result"] == 3
    curl = ["curl", "--silent", "--cacert", ca, "--oauth2-bearer", token, f"{url}/add?x=1&y=2"]
    ran = subprocess.run(curl, capture_output=True, timeout=DEADLINE, check=True)
    assert json.loads(ran.stdout)["result"] == 3
    with tarp.connect(url, token=token, verify=str(ca)) as connected:
        assert connected.add(1, 2) == 3
    original = Client(url.replace("//", f"//user:{token}@"), server_key=str(ca))
    assert original.add(1, 2) == 3
    command = CommandLine(url, TARP_TOKEN=token, TARP_CA=str(ca))
    assert command.ok("call", "add", "1", "2").text.strip() == "3"
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(url, headers=bearer(token), timeout=DEADLINE)


def test_its_certificates_pass_strict_verification(make_host: MakeHost, tmp_path: Path) -> None:
    assert init(tmp_path, "--host", "lab.example", "--host", "192.0.2.7").returncode == 0
    ca, leaf = (
        x509.load_pem_x509_certificate((tmp_path / "tls" / name).read_bytes())
        for name in ("ca.pem", "host.pem")
    )
    leaf.verify_directly_issued_by(ca)
    get = leaf.extensions.get_extension_for_class
    names = get(x509.SubjectAlternativeName).value
    assert set(names.get_values_for_type(x509.DNSName)) == {"lab.example", "localhost"}
    addresses = {str(address) for address in names.get_values_for_type(x509.IPAddress)}
    assert addresses == {"192.0.2.7", "127.0.0.1"}
    assert get(x509.KeyUsage).value.digital_signature
    assert ExtendedKeyUsageOID.SERVER_AUTH in get(x509.ExtendedKeyUsage).value
    issued_by = get(x509.AuthorityKeyIdentifier).value.key_identifier
    own = ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    assert issued_by == own.key_identifier
    host = make_host("math", config=(tmp_path / "tarp.toml").read_text(), start=False)
    host.data = tmp_path / "data"
    host.launch()
    context = ssl.create_default_context(cafile=str(tmp_path / "tls/ca.pem"))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    assert peer(host.port, context)["subject"] == ((("commonName", "TARP host"),),)


def runs(python: str) -> bool:
    """Whether it does: what pyenv has on the path may stand for nothing."""
    if shutil.which(python) is None:
        return False
    version = subprocess.run([python, "--version"], capture_output=True, check=False)
    return version.returncode == 0


def newer_python() -> str | None:
    """A Python whose own defaults are strict: one from 3.13 on."""
    if sys.version_info >= (3, 13):
        return sys.executable
    on_path = (f"python3.{minor}" for minor in range(13, 20))
    of_pyenv = sorted(Path.home().glob(".pyenv/versions/3.1[3-9]*/bin/python3"))
    return next(filter(runs, [*on_path, *map(str, of_pyenv)]), None)


def test_newer_pythons_trust_its_certificates_by_default(
    make_host: MakeHost, tmp_path: Path
) -> None:
    python = newer_python()
    if python is None:
        pytest.skip("there is no Python 3.13 or newer")
    token = init(tmp_path).stdout.splitlines()[-1]
    host = make_host("math", config=(tmp_path / "tarp.toml").read_text(), start=False)
    host.data = tmp_path / "data"
    host.start()
    script = """if True:
        import ssl, sys, urllib.request
        ca, url, token = sys.argv[1:]
        context = ssl.create_default_context(cafile=ca)
        assert context.verify_flags & ssl.VERIFY_X509_STRICT
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
        print(urllib.request.urlopen(request, context=context).read().decode())
    """
    url = f"https://localhost:{host.port}/add?x=1&y=2"
    ran = subprocess.run(
        [python, "-c", script, tmp_path / "tls/ca.pem", url, token],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["result"] == 3


@pytest.mark.parametrize("with_clients", [False, True])
def test_sslyze_finds_nothing_against_mozilla_s_intermediate_profile(
    make_host: MakeHost, tmp_path: Path, with_clients: bool
) -> None:
    """Versions, cipher suites, curves, and the certificate of `tarp init`, its authority trusted.

    The profile that sslyze brings with it also has OCSP stapling and HSTS, which sslyze does not
    check: an authority of one's own has no responder, and a host on one port of a machine must not
    speak for all of its name.
    """
    assert init(tmp_path).returncode == 0
    ca = tmp_path / "tls/ca.pem"
    config = (tmp_path / "tarp.toml").read_text()
    config += f'tls_client_ca = "{ca}"\n' if with_clients else ""
    host = make_host("math", config=config, start=False)
    host.data = tmp_path / "data"
    host.launch()
    words = ["--mozilla_config=intermediate", f"--certinfo_ca_file={ca}"]
    ran = subprocess.run(
        [sys.executable, "-m", "sslyze", *words, f"localhost:{host.port}"],
        capture_output=True,
        text=True,
        timeout=2 * DEADLINE,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert f"localhost:{host.port}: OK - Compliant" in ran.stdout, ran.stdout


def test_init_writes_nothing_over_and_refuses_what_is_no_name(tmp_path: Path) -> None:
    assert init(tmp_path).returncode == 0
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    again = init(tmp_path)
    assert again.returncode == 1
    assert "--renew" in again.stderr
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    for name in ("https://lab.example", "lab.example:8080", "a b", ""):
        refused = init(tmp_path / "other", "--host", name)
        assert (refused.returncode, "without a scheme" in refused.stderr) == (1, True), name
        assert not list((tmp_path / "other").iterdir())


def test_what_init_wrote_is_what_serve_reads(tmp_path: Path) -> None:
    odd = tmp_path / 'a "quoted" folder'
    assert init(odd).returncode == 0
    config = tomllib.loads((odd / "tarp.toml").read_text())
    assert Path(config["server"]["tls_cert"]).parent == odd / "tls"
    made = subprocess.run(
        [BINARY, "token", "list", "--json", "--config", odd / "tarp.toml"],
        capture_output=True,
        env=clean_environment(),
        timeout=DEADLINE,
        check=True,
    )
    assert [token["name"] for token in json.loads(made.stdout)] == ["admin"]


# Certificates that change.


def peer(port: int, context: ssl.SSLContext) -> dict[str, object]:
    """The certificate that a new connection gets, verified."""
    with (
        socket.create_connection(("127.0.0.1", port), DEADLINE) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        return secure.getpeercert()  # type: ignore[return-value]


def serial(port: int) -> int:
    """The serial number of the certificate that a new connection gets."""
    pem = ssl.get_server_certificate(("127.0.0.1", port), timeout=DEADLINE)
    return x509.load_pem_x509_certificate(pem.encode()).serial_number


def number(file: Path) -> int:
    return x509.load_pem_x509_certificate(file.read_bytes()).serial_number


@pytest.mark.parametrize("renews_by", ["rename", "link"])
def test_a_renewed_certificate_is_taken_without_a_restart(
    make_host: MakeHost, tmp_path: Path, renews_by: str
) -> None:
    first, second = (make_certificate(tmp_path, name) for name in ("first", "second"))
    live = [tmp_path / "live-cert.pem", tmp_path / "live-key.pem"]
    for link, file in zip(live, first, strict=True):
        link.symlink_to(file)
    flags = ["--tls-cert", live[0], "--tls-key", live[1]]
    host = make_host("math", flags=flags, start=False)
    host.launch()
    assert serial(host.port) == number(first.cert)
    open_before = requests.Session()
    open_before.trust_env = False
    open_before.verify = str(first.cert)
    address = f"https://localhost:{host.port}/-/health/live"
    assert open_before.get(address, timeout=DEADLINE).ok
    for link, file in zip(live, second, strict=True):
        if renews_by == "rename":
            file.replace(link)
        else:
            new = link.with_suffix(".new")
            new.symlink_to(file)
            new.replace(link)
    eventually(lambda: serial(host.port) == number(live[0]))
    assert number(live[0]) != number(first.cert)
    assert open_before.get(address, timeout=DEADLINE).ok, "its connection goes on"


def test_a_certificate_that_cannot_be_used_replaces_nothing(
    make_host: MakeHost, tmp_path: Path
) -> None:
    first, second = (make_certificate(tmp_path, name) for name in ("first", "second"))
    cert, key = first.cert.read_bytes(), first.key.read_bytes()
    flags = ["--tls-cert", first.cert, "--tls-key", first.key]
    host = make_host("math", flags=flags, start=False)
    host.launch()
    before = serial(host.port)
    for number_of, broken in enumerate((b"", cert[:100], second.cert.read_bytes()), 1):
        first.cert.write_bytes(broken)
        eventually(lambda n=number_of: host.log.count("the certificate in use is kept") >= n)
        assert serial(host.port) == before
    # With its key it is whole.
    first.key.write_bytes(second.key.read_bytes())
    eventually(lambda: serial(host.port) == number(second.cert))
    first.cert.write_bytes(cert)
    first.key.write_bytes(key)
    eventually(lambda: serial(host.port) == before)


def test_sighup_reloads_at_once_and_ends_nothing(make_host: MakeHost, tmp_path: Path) -> None:
    pair = make_certificate(tmp_path)
    host = make_host("math", flags=["--tls-cert", pair.cert, "--tls-key", pair.key], start=False)
    host.launch()
    assert "loaded the certificate" not in host.log
    # The handler is there when the first connection is answered.
    assert serial(host.port)
    host.ask_to_stop(signal.SIGHUP)
    eventually(lambda: "loaded the certificate" in host.log)
    assert host.is_running


def test_init_renews_the_certificate_of_a_running_host(make_host: MakeHost, tmp_path: Path) -> None:
    made = init(tmp_path)
    ca = (tmp_path / "tls/ca.pem").read_bytes()
    host = make_host("math", config=(tmp_path / "tarp.toml").read_text(), start=False)
    host.data = tmp_path / "data"
    host.start()
    before = serial(host.port)
    renewed = init(tmp_path, "--renew", "--host", "other.example")
    assert renewed.returncode == 0, renewed.stderr
    assert re.search(r"other\.example.* 366 days", renewed.stdout)
    eventually(lambda: serial(host.port) != before)
    assert (tmp_path / "tls/ca.pem").read_bytes() == ca, "clients need nothing new"
    context = ssl.create_default_context(cafile=str(tmp_path / "tls/ca.pem"))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    names = peer(host.port, context)["subjectAltName"]
    assert ("DNS", "other.example") in names  # type: ignore[operator]
    token = made.stdout.splitlines()[-1]
    reply = requests.get(
        f"https://localhost:{host.port}/",
        headers=bearer(token),
        verify=tmp_path / "tls/ca.pem",
        timeout=DEADLINE,
    )
    assert reply.ok
    missing = init(tmp_path / "empty", "--renew")
    assert (missing.returncode, "tarp init" in missing.stderr) == (1, True)
