"""Everything that the README and the book tell a reader to type is typed, in a fresh folder for
each page and against a real host, and what they show of its output is compared."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from host import Host, MakeHost, guest, place, run_binary
from page_runner import MINUTES, PageRunner, commands, expected_pattern
from pages import Block, blocks, pages

#: Languages whose blocks are run or read; blocks in others are for looking at.
CHECKED = {"sh", "console", "python", "json", "toml"}
SHOWN = {"c", "js", "rust", "text", "ts", "wit", "ini", "nginx"}

#: Every block that is not run, with its reason: a page may not add one in passing.
NOT_RUN = {
    "README.md": ["builds-the-whole-project", "builds-the-whole-project"],
    "docs/c.md": ["changes-the-machine"],
    "docs/rust.md": ["changes-the-machine"],
}

#: What the demo serves, as far as the pages speak of it.
EXAMPLES = ("math", "text", "stats", "plot", "c_checksum")
SIDECARS = {"c_checksum": 'prefix = "c"\n'}


def runnable(page: str) -> list[Block]:
    return [block for block in blocks(page) if block.not_run is None]


#: Compiles what `guests/test_rust_newcomer.py` compiles, and is run there for that reason.
RUST = "docs/rust.md"

PAGES = [
    page
    for page in pages()
    if page != RUST and any(block.language in CHECKED for block in runnable(page))
]


@pytest.fixture(scope="module")
def examples(make_module_host: MakeHost) -> Host:
    return make_module_host(*EXAMPLES, sidecars=SIDECARS)


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A reader's Python: `pip` installs into it alone, and numpy is there."""
    folder = tmp_path_factory.mktemp("python") / "venv"
    subprocess.run([sys.executable, "-m", "uv", "venv", "--quiet", "--seed", folder], check=True)
    python = folder / "bin" / "python"
    script = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = subprocess.run([python, "-c", script], capture_output=True, text=True, check=True)
    ours = sysconfig.get_path("purelib")
    # Behind its own packages, `.pth` files of ours included.
    Path(packages.stdout.strip(), "tests.pth").write_text(f"import site; site.addsitedir({ours!r})")
    return python


@pytest.mark.timeout(2 * MINUTES)
@pytest.mark.parametrize("page", PAGES)
def test_a_page_does_what_it_says(
    page: str, examples: Host, python: Path, cache: Path, tmp_path: Path
) -> None:
    environment = {"TARP_CACHE": str(cache)}
    if tools := os.environ.get("TARP_TOOLS"):
        environment["TARP_TOOLS"] = tools
    with PageRunner(tmp_path, examples.address, python, environment) as reader:
        for block in runnable(page):
            reader.run(block)


SIDECAR_BLOCKS = [
    block for page in pages() for block in blocks(page) if block.option("sidecar") is not None
]


@pytest.mark.parametrize("sidecar", SIDECAR_BLOCKS, ids=str)
def test_a_sidecar_fits_its_component(sidecar: Block, cache: Path, tmp_path: Path) -> None:
    name = sidecar.option("sidecar")
    assert name
    place(guest(name), tmp_path / f"{name}.wasm")
    place(sidecar.text.encode(), tmp_path / f"{name}.toml")
    checked = run_binary("check", tmp_path, "--cache", cache)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert checked.stdout.endswith(" 0 problems\n")


def test_the_configuration_has_sidecars() -> None:
    assert {block.page for block in SIDECAR_BLOCKS} == {"docs/configuration.md"}


@pytest.mark.parametrize("page", pages())
def test_every_block_says_what_it_is(page: str) -> None:
    for block in blocks(page):
        assert block.language in CHECKED | SHOWN, f"{block}: {block.language!r} is not known"


def test_what_is_not_run_is_listed() -> None:
    found: dict[str, list[str]] = {}
    for page in pages():
        for block in blocks(page):
            if block.not_run is not None:
                found.setdefault(page, []).append(block.not_run)
    assert found == NOT_RUN


def test_output_is_compared_line_by_line() -> None:
    pattern = expected_pattern('{"id":"…","n":1}\n…\nend\n')
    assert pattern.fullmatch('{"id":"7","n":1}\nend\n')
    assert pattern.fullmatch('{"id":"7","n":1}\nmore\nlines\nend\n')
    assert not pattern.fullmatch('{"id":"7","n":2}\nend\n')
    assert not pattern.fullmatch('{"id":"7","n":1}\nend\nmore\n')


def block(language: str, text: str, *info: str) -> Block:
    return Block("page.md", 1, language, info, text)


def test_commands_are_told_from_output() -> None:
    text = "$ echo a \\\n  b\na b\n$ cat <<END\n> x\n> END\nx\n$ true\n"
    assert commands(block("console", text)) == [
        ("echo a \\\n  b\n", "a b\n"),
        ("cat <<END\nx\nEND\n", "x\n"),
        ("true\n", ""),
    ]


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (block("sh", "false\ntrue\n"), "exit code 1"),
        (block("sh", "curl http://127.0.0.1:8080/no_such_procedure\n"), "exit code 22"),
        (block("console", "$ echo a\nb\n"), "got:\na"),
        (block("console", "$ echo a\n"), "got:\na"),
        (block("python", "1 + 1  # 3\n"), "gave 2, not 3"),
        (block("python", "1 + 1  # 2.0\n"), "gave 2, not 2.0"),
        (block("python", "int('1')  # raises ValueError\n"), "did not raise ValueError"),
        (block("python", "int('a')  # raises ValueError: other\n"), "raised invalid literal"),
        (block("python", "no_such_name\n"), "NameError"),
    ],
)
def test_what_is_wrong_in_a_page_is_found(
    wrong: Block, why: str, examples: Host, python: Path, tmp_path: Path
) -> None:
    with (
        PageRunner(tmp_path, examples.address, python, {}) as reader,
        pytest.raises(AssertionError) as caught,
    ):
        reader.run(wrong)
    assert why in str(caught.value)


def test_json_and_toml_are_read(examples: Host, python: Path, tmp_path: Path) -> None:
    with PageRunner(tmp_path, examples.address, python, {}) as reader:
        with pytest.raises(json.JSONDecodeError):
            reader.run(block("json", "{'a': 1}\n"))
        with pytest.raises(ValueError, match="Invalid"):
            reader.run(block("toml", "a = \n"))
        reader.run(block("toml", "a = 1\n", "file=sub/a.toml"))
        reader.run(block("toml", "b = 2\n", "file=sub/a.toml", "append"))
        reader.run(block("console", "$ cat sub/a.toml\na = 1\nb = 2\n"))
