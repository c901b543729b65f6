"""Sidecars: what they change at once, and what happens when they are wrong."""

from __future__ import annotations

import pytest

from host import MakeHost, eventually, guest, place


def test_a_prefix_comes_changes_and_goes(make_host: MakeHost) -> None:
    host = make_host("math")
    sidecar = host.folder / "math.toml"
    place(b"prefix = 'lab/sums'\n", sidecar)
    eventually(lambda: host.serves("lab/sums/add"))
    assert host.rpc("lab_sums_add", 1, 2) == 3
    assert host.outcome("add", 1, 2) == "NotFound"
    place(b"prefix = 'other'\n", sidecar)
    eventually(lambda: host.serves("other/statistics/mean"))
    sidecar.unlink()
    eventually(lambda: host.serves("add"))
    assert host.outcome("other/add", 1, 2) == "NotFound"


def test_a_prefix_stands_in_place_of_the_folders_name(make_host: MakeHost) -> None:
    host = make_host()
    place(guest("math"), host.folder / "lab" / "math.wasm")
    place(b"prefix = ''\n", host.folder / "lab" / "math.toml")
    eventually(lambda: host.serves("add"))
    assert not host.serves("lab/add")


def test_a_description_takes_the_place_of_the_components(make_host: MakeHost) -> None:
    host = make_host("math")
    text = "[procedures.add]\ndescription = 'Counts.'\n\n[procedures.'statistics/mean']\n"
    place(f"{text}description = 'Averages.'\n".encode(), host.folder / "math.toml")
    eventually(lambda: "Counts." in host.descriptions()["add"])
    assert "Adds two integers" not in host.descriptions()["add"]
    assert "x: s64" in host.descriptions()["add"], "the signature stays"
    assert "Averages." in host.descriptions()["statistics/mean"]
    assert "Adds two integers" in host.descriptions()["my_function"]


def test_limits_change_without_the_component(make_host: MakeHost) -> None:
    host = make_host("math")
    sidecar = host.folder / "math.toml"
    place(b"[limits]\nfuel = 1\n", sidecar)
    eventually(lambda: host.outcome("add", 1, 2) == "OutOfFuel")
    place(b"[limits]\nfuel = 1\n[procedures.add.limits]\nfuel = 1_000_000\n", sidecar)
    eventually(lambda: host.outcome("add", 1, 2) == "success")
    assert host.outcome("my_function", 1, 2) == "OutOfFuel"
    sidecar.unlink()
    eventually(lambda: host.outcome("my_function", 1, 2) == "success")


def test_a_sidecar_may_be_there_before_its_component(make_host: MakeHost) -> None:
    host = make_host(sidecars={"math": "prefix = 'early'\n"})
    assert host.problems() == {}
    place(guest("math"), host.folder / "math.wasm")
    eventually(lambda: host.serves("early/add"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("\n\nprefx = 'a'\n", ["line 3", "prefx"]),
        ("prefix = '../up'\n", ["line 1", "prefix", "lower-case"]),
        ("prefix = \n", ["line 1"]),
        ("[limits]\nfuel = 0\n", ["line 2", "fuel", "more than 0"]),
        ("[limits]\nfuel = -5\n", ["line 2", "fuel"]),
        ("[limits]\nmemory = '8 GiB'\n", ["line 2", "memory", "4 GiB"]),
        ("[limits]\nmemory = 'lots'\n", ["line 2", "memory"]),
        ("[limits]\ndeadline = 'soon'\n", ["line 2", "deadline"]),
        ("[limits]\ndeadline = '0 s'\n", ["line 2", "deadline"]),
        ("[limits]\nfule = 5\n", ["line 2", "fule"]),
        ("[procedures.add.limits]\nresult = true\n", ["line 2", "result"]),
        ("[procedures.subtract]\ndescription = 'x'\n", ["`subtract`", "`add`"]),
    ],
)
def test_a_wrong_sidecar_is_reported_by_line_and_key_and_changes_nothing(
    make_host: MakeHost, text: str, words: list[str]
) -> None:
    host = make_host("math")
    place(text.encode(), host.folder / "math.toml")
    (problem,) = eventually(lambda: host.problems().get("math.wasm"))
    for word in words:
        assert word in problem["message"]
    if "procedures.subtract" not in text:
        assert "math.toml" in problem["message"]
    assert problem["serving"] is True
    assert str(host.folder) not in problem["message"]
    assert host.rpc("add", 1, 2) == 3
    place(b"[procedures.add]\ndescription = 'Mended.'\n", host.folder / "math.toml")
    eventually(lambda: "Mended." in host.descriptions()["add"])
    assert host.problems() == {}


def test_a_component_with_a_wrong_sidecar_at_the_start_is_not_served(make_host: MakeHost) -> None:
    """Its limits and grants are not known, so it gets none."""
    host = make_host("math", "misbehave", sidecars={"math": "fuel = 5\n"})
    assert host.outcome("add", 1, 2) == "NotFound"
    (problem,) = host.problems()["math.wasm"]
    assert problem["serving"] is False
    assert host.rpc("chatter", "hello") == "hello"
    (host.folder / "math.toml").unlink()
    eventually(lambda: host.serves("add"))
