"""The Python client as the host serves it: its wheel, the page and the lines that lead there, and
that it gets along with the original distribution, which has a package of the same name."""

from __future__ import annotations

import base64
import csv
import email.parser
import hashlib
import io
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from email.message import Message
from pathlib import Path

import httptools
import pytest
import requests

from host import REPOSITORY, Host, MakeHost, bare

CLIENT = REPOSITORY / "clients" / "python"


@pytest.fixture(scope="module")
def host(make_module_host: MakeHost) -> Host:
    return make_module_host("math")


@pytest.fixture(scope="module")
def told(host: Host) -> dict[str, str]:
    return bare(host.request("GET", "/-/procedures"))["client"]


@pytest.fixture(scope="module")
def wheel(host: Host, told: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that the host serves."""
    reply = host.request("GET", told["wheel"])
    assert reply.status_code == 200
    file = tmp_path_factory.mktemp("wheel") / told["wheel"].rpartition("/")[2]
    file.write_bytes(reply.content)
    return file


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_host_says_where_it_is(host: Host, told: dict[str, str]) -> None:
    assert re.fullmatch(r"/-/client/tarp_client-[\d.]+-py3-none-any\.whl", told["wheel"])
    assert told["install"] == f"pip install {host.address}{told['wheel']}"
    assert host.listing()["client"] == told
    other = requests.get(
        f"{host.address}/-/procedures", headers={"Host": f"localhost:{host.port}"}, timeout=30
    )
    assert other.json()["client"]["install"].startswith(
        f"pip install http://localhost:{host.port}/"
    )


def test_the_page_is_one_that_pip_reads(host: Host, told: dict[str, str]) -> None:
    page = host.request("GET", "/-/client/")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    name = told["wheel"].rpartition("/")[2]
    assert f'href="{name}#sha256={told["sha256"]}"' in page.text
    assert f'data-requires-python="{told["requires_python"]}"' in page.text


def test_the_wheel_is_served_as_it_is(host: Host, told: dict[str, str], wheel: Path) -> None:
    assert hashlib.sha256(wheel.read_bytes()).hexdigest() == told["sha256"]
    reply = host.request("GET", told["wheel"], headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in reply.headers
    assert reply.headers["Content-Type"] == "application/octet-stream"
    head = host.request("HEAD", told["wheel"])
    assert int(head.headers["Content-Length"]) == len(wheel.read_bytes())
    for other in ("/-/client/tarp_client-0.0.0-py3-none-any.whl", "/-/client/..", "/-/client/x/y"):
        assert host.request("GET", other).status_code == 404


def test_its_list_has_every_file_with_its_hash(wheel: Path) -> None:
    files = contents(wheel)
    (name,) = (name for name in files if name.endswith("/RECORD"))
    rows = list(csv.reader(io.StringIO(files[name].decode())))
    assert [row[0] for row in rows] == list(files)
    for path, digest, size in rows:
        if path == name:
            assert (digest, size) == ("", "")
            continue
        expected = base64.urlsafe_b64encode(hashlib.sha256(files[path]).digest()).rstrip(b"=")
        assert (digest, size) == (f"sha256={expected.decode()}", str(len(files[path])))


def metadata(files: dict[str, bytes]) -> Message:
    (name,) = (name for name in files if name.endswith("/METADATA"))
    return email.parser.Parser().parsestr(files[name].decode())


@pytest.mark.timeout(300)
def test_it_is_what_hatchling_builds(wheel: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir"]
    subprocess.run([*command, str(tmp_path), str(CLIENT)], check=True, timeout=280)
    (built,) = tmp_path.glob("*.whl")
    assert built.name == wheel.name
    theirs, ours = contents(built), contents(wheel)
    # Both have a version of their own of the metadata's format, and say who has made them.
    own = ("/METADATA", "/WHEEL", "/RECORD")
    assert {name: data for name, data in ours.items() if not name.endswith(own)} == {
        name: data for name, data in theirs.items() if not name.endswith(own)
    }
    assert sorted(ours) == sorted(theirs)
    expected, found = metadata(theirs), metadata(ours)
    del expected["Metadata-Version"]
    del found["Metadata-Version"]
    # hatchling sorts classifiers by the versions in them; their order says nothing.
    assert sorted(found.items()) == sorted(expected.items())
    assert found.get_payload() == expected.get_payload()


@pytest.fixture
def environment(tmp_path: Path) -> Callable[..., str]:
    """A fresh virtual environment with pip: runs its Python."""
    folder = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, timeout=120)
    (packages,) = folder.glob("lib/python*/site-packages")
    # The wheel's only dependency, without a network.
    dependencies = tmp_path / "dependencies"
    dependencies.mkdir()
    (dependencies / "httptools").symlink_to(Path(httptools.__file__).parent)
    (packages / "dependencies.pth").write_text(f"{dependencies}\n")

    def python(*arguments: str | Path) -> str:
        command = [str(folder / "bin" / "python"), "-I", *map(str, arguments)]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout.strip()

    return python


PIP = ("-m", "pip", "--disable-pip-version-check")
INSTALL = (*PIP, "install", "--quiet", "--no-deps", "--no-index")


@pytest.mark.timeout(300)
def test_the_line_installs_it(
    host: Host, told: dict[str, str], environment: Callable[..., str]
) -> None:
    _, _, address = told["install"].split()
    environment(*INSTALL, address)
    call = "import sys, tarp; print(tarp.__version__, tarp.connect(sys.argv[1]).add(1, 2))"
    assert environment("-c", call, host.address) == f"{told['version']} 3"
    environment(*PIP, "uninstall", "--yes", "tarp-client")
    environment(*INSTALL, "--find-links", f"{host.address}/-/client/", "tarp-client")
    assert environment("-c", call, host.address) == f"{told['version']} 3"


def original_wheel(folder: Path, *, with_init: bool) -> Path:
    """The distribution of the original, as far as its files are concerned."""
    files = {
        "tarp/client.py": "WHOSE = 'original'\n",
        "tarp/server.py": "def makeServer(): return 'a server'\n",
        "tarp/dev/__init__.py": "import tarp.server\n",
        "tarp-0.0.1.dist-info/METADATA": "Metadata-Version: 2.1\nName: tarp\nVersion: 0.0.1\n",
        "tarp-0.0.1.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\n"
        "Root-Is-Purelib: true\nTag: py3-none-any\n",
    }
    if with_init:
        files["tarp/__init__.py"] = ""
    record = "".join(f"{name},,\n" for name in [*files, "tarp-0.0.1.dist-info/RECORD"])
    wheel = folder / "tarp-0.0.1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in {**files, "tarp-0.0.1.dist-info/RECORD": record}.items():
            archive.writestr(name, text)
    return wheel


WHOSE = """
import json, tarp, tarp.client
said = {"client": "ours" if hasattr(tarp.client, "client") else tarp.client.WHOSE}
said["connect"] = hasattr(tarp, "connect")
try:
    import tarp.server
    said["server"] = tarp.server.makeServer()
except ImportError:
    said["server"] = None
print(json.dumps(said))
"""


@pytest.mark.timeout(300)
@pytest.mark.parametrize("order", ["ours first", "original first"])
def test_the_original_beside_it(
    wheel: Path, environment: Callable[..., str], tmp_path: Path, order: str
) -> None:
    original = original_wheel(tmp_path, with_init=False)
    both = [wheel, original] if order == "ours first" else [original, wheel]
    for one in both:
        environment(*INSTALL, one)
    whose = json.loads(environment("-c", WHOSE))
    assert whose == {"client": "ours", "connect": True, "server": "a server"}
    assert environment("-c", "import tarp.dev, tarp.aio") == ""
    environment(*PIP, "uninstall", "--yes", "tarp")
    assert json.loads(environment("-c", WHOSE)) == {
        "client": "ours",
        "connect": True,
        "server": None,
    }
    environment(*INSTALL, original)
    environment(*PIP, "uninstall", "--yes", "tarp-client")
    say = "import tarp.client, tarp.server; print(tarp.client.WHOSE, tarp.server.makeServer())"
    assert environment("-c", say) == "original a server"


@pytest.mark.timeout(300)
def test_an_original_with_an_init_file_leaves_client_and_server(
    wheel: Path, environment: Callable[..., str], tmp_path: Path
) -> None:
    """The original has none. One that had would overwrite ours, and `tarp.connect` with it."""
    environment(*INSTALL, wheel)
    environment(*INSTALL, original_wheel(tmp_path, with_init=True))
    whose = json.loads(environment("-c", WHOSE))
    assert (whose["client"], whose["server"]) == ("ours", "a server")


@pytest.mark.timeout(300)
def test_the_original_in_another_folder(
    wheel: Path, environment: Callable[..., str], tmp_path: Path
) -> None:
    """A clone on the path, or a package of the user's beside one of the environment."""
    environment(*INSTALL, wheel)
    for with_init in (False, True):
        clone = tmp_path / f"clone-{with_init}"
        clone.mkdir()
        with zipfile.ZipFile(original_wheel(tmp_path, with_init=with_init)) as archive:
            archive.extractall(clone)
        path = f"import sys; sys.path.append({str(clone)!r})\n"
        whose = json.loads(environment("-c", path + WHOSE))
        assert whose == {"client": "ours", "connect": True, "server": "a server"}
        if not with_init:
            path = f"import sys; sys.path.insert(0, {str(clone)!r})\n"
            assert json.loads(environment("-c", path + WHOSE)) == whose
