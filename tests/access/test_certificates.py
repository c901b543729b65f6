"""Callers who are known by the certificate of their connection."""

from __future__ import annotations

import datetime
import http.client
import json
import re
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from certificate import Authority, Certificate, make_certificate
from host import BINARY, DEADLINE, Host, MakeHost, bare, clean_environment, eventually, run_binary
from tokens import bearer, create, refused

ADD = "/add?x=1&y=2"

CALLERS = """
[[callers.certificate]]
name = "instrument-7"
allow = ["call:add", "jobs"]

[[callers.certificate]]
name = "alice"
subject = "alice@lab.example"
allow = ["admin"]

[[callers.certificate]]
name = "bob"
allow = ["call:*", "jobs"]
limits = { rate = "1/h" }
"""


class Lab:
    """A host that knows callers by certificates, and those who vouch for them."""

    def __init__(self, make_host: MakeHost, home: Path, more: str = CALLERS) -> None:
        self.authority = Authority(home)
        self.own = make_certificate(home)
        self.audit = home / "audit.jsonl"
        config = f"""
            [server]
            tls_cert = "{self.own.cert}"
            tls_key = "{self.own.key}"
            tls_client_ca = "{self.authority.file}"
            allowed_origins = ["https://pages.example"]
            [audit]
            file = "{self.audit}"
            {more}
        """
        self.host: Host = make_host("math", "jobs", "app", config=config, start=False)
        self.host.verify = str(self.own.cert)
        self.instrument = self.authority.issue("instrument-7")
        self.alice = self.authority.issue("Alice", x509.RFC822Name("alice@lab.example"))

    def start(self) -> Lab:
        self.host.start()
        return self

    def ask(
        self, certificate: Certificate | None, path: str = ADD, method: str = "GET", **more: Any
    ) -> requests.Response:
        """A request on a connection of its own."""
        url = f"https://localhost:{self.host.port}{path}"
        with requests.Session() as session:
            session.trust_env = False
            session.cert = tuple(map(str, certificate)) if certificate else None
            more = {"timeout": DEADLINE, "verify": self.host.verify} | more
            return session.request(method, url, **more)

    def context(self, certificate: Certificate) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.own.cert))
        context.load_cert_chain(*certificate)
        return context


@pytest.fixture(scope="module")
def lab(make_module_host: MakeHost, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab(make_module_host, tmp_path_factory.mktemp("lab")).start()


def test_a_certificate_says_who_calls_and_what_they_may(lab: Lab) -> None:
    refused(lab.ask(None))
    assert lab.ask(lab.instrument).json()["result"] == 3
    lacking = lab.ask(lab.instrument, "/my_function?x=1&y=2")
    assert lacking.status_code == 403
    for word in (
        "`call:my_function`",
        "the certificate of `instrument-7`",
        "[[callers.certificate]]",
    ):
        assert word in lacking.json()["message"]
    assert lab.ask(lab.alice, "/-/metrics").ok
    session = bare(lab.ask(lab.instrument, "/-/session"))
    assert (session["name"], session["rights"]) == ("instrument-7", ["call:add", "jobs"])
    end = x509.load_pem_x509_certificate(lab.instrument.cert.read_bytes()).not_valid_after_utc
    assert session["expires"] == end.strftime("%Y-%m-%dT%H:%M:%SZ")
    listed = lab.ask(lab.instrument, "/-/procedures").json()["procedures"]
    assert {procedure["name"] for procedure in listed} == {"add"}


def test_python_s_ssl_and_curl_show_their_certificates(lab: Lab) -> None:
    context = lab.context(lab.instrument)
    connection = http.client.HTTPSConnection(
        "localhost", lab.host.port, context=context, timeout=DEADLINE
    )
    for _ in range(2):
        connection.request("GET", ADD)
        assert json.loads(connection.getresponse().read())["result"] == 3
    connection.close()
    curl = ["curl", "--silent", "--show-error", "--cacert", lab.own.cert]
    url = f"https://localhost:{lab.host.port}{ADD}"
    for version in ("--http1.1", "--http2", "--tls-max 1.2"):
        own = ["--cert", lab.instrument.cert, "--key", lab.instrument.key]
        ran = subprocess.run(
            [*curl, *version.split(), *own, url], capture_output=True, timeout=DEADLINE, check=True
        )
        assert json.loads(ran.stdout)["result"] == 3, version
    ran = subprocess.run([*curl, url], capture_output=True, timeout=DEADLINE, check=True)
    assert json.loads(ran.stdout)["type"] == "Unauthorized"


def test_a_certificate_that_names_nobody_is_as_none(lab: Lab) -> None:
    for certificate in (
        lab.authority.issue("stranger"),
        lab.authority.issue("Instrument-7"),
        lab.authority.issue("alice"),
        lab.authority.issue("x", x509.DNSName("instrument-7.lab.example")),
    ):
        refused(lab.ask(certificate))
    assert lab.ask(lab.authority.issue("x", x509.DNSName("instrument-7"))).ok


@pytest.mark.attack(
    "certificates of others, of an authority of the same name too, expired ones, those for servers",
    "the connection is refused",
)
def test_a_certificate_that_nobody_vouches_for_is_refused(lab: Lab, tmp_path: Path) -> None:
    other = Authority(tmp_path, "others")
    day = datetime.timedelta(days=1)
    for certificate in (
        other.issue("instrument-7"),
        make_certificate(tmp_path, "instrument-7"),
        lab.authority.issue("instrument-7", ends_in=-day),
        lab.authority.issue("instrument-7", purpose=ExtendedKeyUsageOID.SERVER_AUTH),
    ):
        with pytest.raises(requests.exceptions.ConnectionError):
            lab.ask(certificate)
    # An authority of the same name, with another key.
    namesake = Authority(tmp_path, lab.authority.file.stem)
    with pytest.raises(requests.exceptions.ConnectionError):
        lab.ask(namesake.issue("instrument-7"))
    assert lab.ask(lab.instrument).ok


def test_a_token_goes_before_a_certificate(make_host: MakeHost, tmp_path: Path) -> None:
    lab = Lab(make_host, tmp_path)
    token = create(lab.host.data, "carol", "call:my_function")
    lab.start()
    assert lab.ask(None, "/my_function?x=1&y=2", headers=bearer(token)).ok
    assert lab.ask(lab.instrument, "/my_function?x=1&y=2", headers=bearer(token)).ok
    assert lab.ask(lab.instrument, headers=bearer(token)).status_code == 403
    # A token that is not valid is a mistake, and no reason to be somebody else.
    refused(lab.ask(lab.instrument, headers=bearer("tarp_nonsense")))
    assert lab.ask(lab.instrument).ok


@pytest.mark.attack(
    "a page of another site, in a browser that shows a certificate by itself",
    "the certificate does not count for it, listed origins included",
)
def test_a_certificate_does_not_count_for_pages_of_others(lab: Lab) -> None:
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "https://pages.example"},
        {"Origin": "https://pages.example", "Sec-Fetch-Site": "cross-site"},
    ):
        for path in (ADD, "/app/about", "/-/session"):
            reply = lab.ask(lab.alice, path, headers=headers)
            assert reply.status_code in (401, 403), (headers, path)
    for site in ("same-origin", "none"):
        assert lab.ask(lab.alice, headers={"Sec-Fetch-Site": site}).ok


def test_jobs_belong_to_the_holder_and_the_audit_log_names_them(lab: Lab) -> None:
    wanted = {"Prefer": "respond-async"}
    job = bare(lab.ask(lab.instrument, "/add", "POST", json=[1, 2], headers=wanted))
    page = f"/-/jobs/{job['id']}"
    assert re.fullmatch("cert-[0-9a-f]{11}", job["owner"])
    # Whatever certificate they have.
    renewed = lab.authority.issue("instrument-7")
    eventually(lambda: bare(lab.ask(renewed, page))["state"] == "succeeded")
    assert lab.ask(lab.authority.issue("bob"), page).status_code == 404
    assert lab.ask(lab.alice, page).ok

    def lines() -> dict[str, Any]:
        every = map(json.loads, lab.audit.read_text().splitlines())
        return {line["event"]: line for line in every if line.get("job") == job["id"]}

    eventually(lambda: {"job_submitted", "job_ended"} <= lines().keys())
    for line in lines().values():
        assert (line["name"], line["token"]) == ("instrument-7", job["owner"])


def test_a_holder_has_limits_of_their_own(make_host: MakeHost, tmp_path: Path) -> None:
    lab = Lab(make_host, tmp_path).start()
    bob = lab.authority.issue("bob")
    assert lab.ask(bob).ok
    reply = lab.ask(bob)
    assert reply.status_code == 429
    assert "`rate` in `limits` of its [[callers.certificate]]" in reply.json()["message"]
    assert lab.ask(lab.instrument).ok


def test_the_document_says_that_certificates_are_taken(lab: Lab) -> None:
    document = bare(lab.ask(lab.instrument, "/-/openapi.json"))
    assert document["security"] == [{"bearer": []}, {"basic": []}, {"certificate": []}]
    assert document["components"]["securitySchemes"]["certificate"]["type"] == "mutualTLS"


@pytest.mark.attack(
    "a certificate of an authority that is no longer trusted, on a connection that is still open",
    "the connection and its streams are ended; it counts no more",
)
def test_other_authorities_are_taken_without_a_restart(make_host: MakeHost, tmp_path: Path) -> None:
    lab = Lab(make_host, tmp_path).start()
    context = lab.context(lab.instrument)
    port = lab.host.port

    def connect(path: str) -> tuple[http.client.HTTPSConnection, http.client.HTTPResponse]:
        connection = http.client.HTTPSConnection(
            "localhost", port, context=context, timeout=DEADLINE
        )
        connection.request("GET", path)
        return connection, connection.getresponse()

    open_before, reply = connect(ADD)
    assert json.loads(reply.read())["result"] == 3
    _, stream = connect("/-/events")
    assert stream.status == 200
    (tmp_path / "new").mkdir()
    new = Authority(tmp_path / "new")
    lab.authority.file.write_bytes(new.file.read_bytes())
    # To its end, which comes.
    stream.read()
    assert open_before.sock
    assert open_before.sock.recv(1) == b""
    with pytest.raises(requests.exceptions.ConnectionError):
        lab.ask(lab.instrument)
    assert lab.ask(new.issue("instrument-7")).ok
    # What cannot be used replaces nothing.
    lab.authority.file.write_text("nothing")
    eventually(lambda: "the certificate in use is kept" in lab.host.log)
    assert lab.ask(new.issue("instrument-7")).ok


def test_a_host_that_knows_callers_by_certificates_may_serve_other_machines(
    make_host: MakeHost, tmp_path: Path
) -> None:
    pair, authority = make_certificate(tmp_path), Authority(tmp_path)
    tls = f'tls_cert = "{pair.cert}"\ntls_key = "{pair.key}"\ntls_client_ca = "{authority.file}"\n'
    host = make_host("math", config=f'[server]\nbind = "0.0.0.0"\n{tls}{CALLERS}', start=False)
    host.launch()


@pytest.mark.parametrize(
    ("config", "says"),
    [
        (CALLERS, "needs `tls_client_ca` of [server]"),
        ('[server]\ntls_client_ca = "CA"\n', "`tls_cert` and `tls_key`"),
        ('[server]\nTLS\ntls_client_ca = "missing.pem"\n', "missing.pem has no certificate"),
        (f"{CALLERS}\n{CALLERS}", "the name `instrument-7` is there twice"),
        ('[[callers.certificate]]\nname = "x"\nallow = ["everything"]\n', "is no right"),
        ('[[callers.certificate]]\nname = "x"\nallow = []\n', "at least one right"),
        ('[[callers.certificate]]\nname = "a b"\nallow = ["jobs"]\n', "cannot be the name"),
    ],
)
def test_a_configuration_that_is_not_whole_is_refused(
    tmp_path: Path, config: str, says: str
) -> None:
    pair, authority = make_certificate(tmp_path), Authority(tmp_path)
    tls = f'tls_cert = "{pair.cert}"\ntls_key = "{pair.key}"'
    file = tmp_path / "tarp.toml"
    file.write_text(config.replace("CA", str(authority.file)).replace("TLS", tls))
    folder = tmp_path / "procedures"
    folder.mkdir()
    own = ["--cache", tmp_path / "cache", "--port", "0"]
    ended = run_binary("serve", folder, *own, "--config", file)
    assert ended.returncode == 1, ended.stdout
    assert says in ended.stderr


def test_init_makes_certificates_for_clients(make_host: MakeHost, tmp_path: Path) -> None:
    def init(*words: str) -> str:
        made = subprocess.run(
            [BINARY, "init", tmp_path, *words],
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            env=clean_environment(),
            check=True,
        )
        return made.stdout

    init("--host", "localhost")
    said = init("--client", "instrument-7")
    pair = Certificate(*(tmp_path / f"tls/clients/instrument-7.{end}" for end in ("pem", "key")))
    assert str(pair.cert) in said
    assert pair.key.stat().st_mode & 0o777 == 0o600
    # What it says is to be added, is what is to be added.
    server, rest = re.search(r"(  tls_client_ca = .+\n)((?:  .+\n)+)", said).groups()  # type: ignore[union-attr]
    config = (tmp_path / "tarp.toml").read_text() + server + rest
    host = make_host("math", config=config, start=False)
    host.data = tmp_path / "data"
    host.start()
    url = f"https://localhost:{host.port}{ADD}"
    own = {"verify": str(tmp_path / "tls/ca.pem"), "cert": tuple(map(str, pair))}
    assert requests.get(url, timeout=DEADLINE, **own).json()["result"] == 3
    # The host's own certificate is for servers alone.
    own["cert"] = (str(tmp_path / "tls/host.pem"), str(tmp_path / "tls/host.key"))
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(url, timeout=DEADLINE, **own)
