"""`tarp list`, `tarp call PROCEDURE --help`, and the addresses that both take."""

from __future__ import annotations

import shlex
from urllib.parse import urlsplit

import pytest
import tarp

from command_line import CommandLine
from components import CORE_MODULE
from host import Host, MakeHost, eventually, place


def test_what_there_is_to_call(tarp: CommandLine) -> None:
    shown = tarp.ok("list").text
    assert "add(x: s64, y: s64) -> s64\n" in shown
    assert "get_plot (web, GET" in shown
    assert "count_aside(" in shown
    assert "(asynchronous)" in shown
    assert "    The arithmetic mean" in shown
    assert "\x1b" not in shown


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("statistics/me", {"statistics/mean", "statistics/median"}),
        ("STATISTICS/M?an", {"statistics/mean"}),
        (
            "statistics/*n",
            {"statistics/mean", "statistics/median", "statistics/standard_deviation"},
        ),
    ],
)
def test_a_pattern_narrows_the_list(tarp: CommandLine, pattern: str, names: set[str]) -> None:
    listed = tarp.ok("list", pattern, "--json").json["procedures"]
    assert {one["name"] for one in listed} == names
    assert all(one["parameters"] for one in listed)


def test_a_pattern_that_nothing_fits_is_told(tarp: CommandLine) -> None:
    ran = tarp("list", "statistics/maen")
    assert (ran.code, ran.out) == (2, b"")
    assert "did you mean `statistics/mean`?" in ran.err
    assert tarp("list", "one", "two").code == 2


def test_a_procedure_tells_what_it_takes(tarp: CommandLine) -> None:
    page = tarp.ok("call", "greet", "--help").text
    assert "greet(who: string, greeting: option<string>) -> string\n" in page
    assert 'A greeting; `greeting` is "Hello" when absent.' in page
    assert "Parameters:\n  who       string\n" in page
    assert "  greeting  option<string> (may be left out)\n" in page
    assert "  tarp call greet who=text\n" in page
    assert "-h" in tarp.ok("call", "-h").text
    assert tarp.ok("call", "greet", "-h").text == page
    web = tarp.ok("call", "get_plot", "--help").text
    assert "(web, GET" in web


def test_the_example_of_a_page_can_be_run(tarp: CommandLine) -> None:
    for name in ("add", "statistics/mean", "echo_point", "echo_color", "echo_marks", "scale"):
        page = tarp.ok("call", name, "--help").text
        words = shlex.split(page.rsplit("tarp call ", 1)[1])
        assert tarp("call", *words).code == 0, page


def test_the_page_of_no_procedure_is_no_success(tarp: CommandLine) -> None:
    ran = tarp("call", "statistics/maen", "--help")
    assert ran.code == 2
    assert "did you mean `statistics/mean`?" in ran.err


def test_an_address_needs_no_scheme(host: Host) -> None:
    bare = urlsplit(host.address).netloc
    port = bare.rsplit(":", 1)[1]
    nowhere = CommandLine("http://127.0.0.1:1")
    for address in (bare, f"localhost:{port}", f"ada:secret@{bare}", f"{bare}/", host.address):
        assert nowhere.ok("call", address, "add", "1", "2").text == "3\n"
        assert nowhere.ok("call", "--url", address, "add", "1", "2").text == "3\n"
        assert "add(" in nowhere.ok("list", address, "add").text
        assert nowhere.ok("jobs", "--url", address, "--json").json.keys() == {"jobs"}
        assert CommandLine(address).ok("call", "add", "1", "2").text == "3\n"
    wrong = nowhere("call", "lab:99999", "add", "1", "2")
    assert wrong.code == 2
    assert "lab:8080" in wrong.err


def test_files_that_may_have_a_procedure_are_named_with_their_problem(make_host: MakeHost) -> None:
    """Alike over HTTP, from Python and on the command line."""
    host = make_host(start=False)
    place(CORE_MODULE, host.folder / "core.wasm")
    host.start()
    tarp_ = CommandLine(host.address)
    with tarp.connect(host.address) as client:
        eventually(lambda: client.problems)
        with pytest.raises(tarp.NoSuchProcedure) as caught:
            client.mean([1, 2])
    reply = host.request("GET", "/mean").json()
    said = [tarp_("call", "mean", "1,2").err, tarp_("list").err, reply["message"]]
    for message in [*said, str(caught.value)]:
        assert "there is a problem with core.wasm: " in message
