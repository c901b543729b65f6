"""numpy and pandas: any layout in, arrays out where they are wanted, and no copies on the way."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from typing import Any

import numpy as np
import pandas as pd
import pytest

import tarp
from tarp._pickling import pickle_arguments

TYPES = {
    "echo_list_s8": "i1",
    "echo_list_s16": "i2",
    "echo_list_s32": "i4",
    "echo_list_s64": "i8",
    "echo_list_u16": "u2",
    "echo_list_u32": "u4",
    "echo_list_u64": "u8",
    "echo_list_f32": "f4",
    "echo_list_f64": "f8",
}

CUBE = np.arange(24.0).reshape(4, 6)


@pytest.mark.parametrize("procedure", TYPES)
def test_every_type_of_number(host: tarp.Host, procedure: str) -> None:
    for order in "<>":
        sent = np.arange(100, dtype=order + TYPES[procedure])
        back = host[procedure](sent)
        assert isinstance(back, np.ndarray)
        assert back.dtype == np.dtype(TYPES[procedure])
        assert np.array_equal(back, sent)


@pytest.mark.parametrize(
    "layout",
    [
        CUBE,
        np.asfortranarray(CUBE),
        CUBE.T,
        CUBE[::2, ::-1],
        CUBE[:, 1:4],
        CUBE[1:1],
        np.broadcast_to(np.arange(3.0), (2, 3)),
        CUBE.astype(">f8"),
        CUBE.astype("f4"),
    ],
    ids=["C", "Fortran", "transposed", "strided", "sliced", "empty", "broadcast", ">f8", "f4"],
)
def test_every_layout(host: tarp.Host, layout: Any) -> None:
    back = host.echo_matrix(layout)
    assert np.array_equal(np.asarray(back, dtype=float).reshape(layout.shape), layout)


def test_read_only_and_zero_dimensional_arrays(host: tarp.Host) -> None:
    frozen = np.arange(3.0)
    frozen.flags.writeable = False
    assert host.sum(frozen) == 3.0
    assert host.echo_f64(np.array(2.5)) == 2.5
    assert host.echo_bytes(np.arange(6, dtype=np.uint8)[::2]) == b"\0\2\4"


def test_arrays_come_back_as_asked(host: tarp.Host, url: str) -> None:
    assert type(host.scale([1.0], 2.0)) is list
    assert type(host.scale(np.array([1.0]), 2.0)) is np.ndarray
    assert type(host.scale.options(arrays="numpy")([1.0], 2.0)) is np.ndarray
    assert type(host.scale.options(arrays="list")(np.array([1.0]), 2.0)) is list
    with tarp.connect(url, arrays="numpy") as other:
        assert other.transpose([[1, 2], [3, 4]]).tolist() == [[1.0, 3.0], [2.0, 4.0]]
    with pytest.raises(ValueError, match="auto"):
        tarp.connect(url, arrays="arrays")  # type: ignore[arg-type]


def test_what_comes_back_is_writable(host: tarp.Host) -> None:
    back = host.scale(np.arange(3.0), 2.0)
    back[0] = 7.0
    assert back.tolist() == [7.0, 2.0, 4.0]
    assert back.flags.c_contiguous
    assert back.flags.aligned


def test_a_large_array_is_sent_from_its_own_memory() -> None:
    large = np.arange(1 << 20, dtype="f8")
    for array in (large, large.reshape(1024, 1024), np.asfortranarray(large.reshape(1024, 1024))):
        pieces = pickle_arguments((array,), {"again": 1})
        own = [p for p in pieces if isinstance(p, memoryview) and p.nbytes == array.nbytes]
        assert len(own) == 1
        assert np.shares_memory(np.frombuffer(own[0]), array)
        assert sum(len(p) for p in pieces if p is not own[0]) < 1000


def test_large_arrays_there_and_back(host: tarp.Host) -> None:
    values = np.random.default_rng(7).random(1 << 20)
    assert np.array_equal(host.scale(values, 1.0), values)
    chunk = bytes(range(256)) * (1 << 14)
    assert host.echo_bytes(chunk) == chunk


def test_series_and_columns(host: tarp.Host) -> None:
    frame = pd.DataFrame({"x": [1.0, 2.0], "y": [3, 4], "name": ["a", "b"]})
    assert host.sum(frame["x"]) == 3.0
    assert host.sum(frame["y"]) == 7.0
    assert host.sum(frame.index) == 1.0
    assert host.echo_list_string(frame["name"]) == ["a", "b"]
    assert host.echo_list_bool.options(arrays="list")(frame["x"] > 1) == [False, True]
    assert host.echo_list_option.options(arrays="list")(pd.Series([1, None], dtype="object")) == [
        1,
        None,
    ]
    assert host.echo_list_s64.options(arrays="list")(pd.Series([1, 2], dtype="Int64")) == [1, 2]
    assert host.echo_list_string(pd.Series(["a", "b"], dtype="category")) == ["a", "b"]


def test_a_frame_is_what_its_parameter_wants(host: tarp.Host) -> None:
    frame = pd.DataFrame({"x": [1.0, 2.0], "y": [3.0, 4.0]})
    assert host.transpose(frame).tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert host.transpose(matrix=frame).tolist() == [[1.0, 2.0], [3.0, 4.0]]
    points = [{"x": 1.0, "y": 3.0}, {"x": 2.0, "y": 4.0}]
    assert host.echo_list_point(frame) == points
    assert host.geometry.nearest(frame) == tuple(points)
    columns = host.echo_pairs_of_lists.options(arrays="list")(frame.astype("int64"))
    assert columns == [("x", [1, 2]), ("y", [3, 4])]


def test_arrays_of_others_are_taken_for_arrays(host: tarp.Host) -> None:
    class Tensor:
        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            return np.array([1.0, 2.0])

    assert host.sum(Tensor()) == 3.0


def test_everything_else_works_without_numpy(url: str) -> None:
    script = """
        import sys
        sys.modules["numpy"] = None
        import tarp
        with tarp.connect(sys.argv[1]) as host:
            assert host.add(1, 2) == 3
            assert host.scale([1, 2.5], 2) == [2.0, 5.0]
            assert host.echo_bytes(b"abc") == b"abc"
            try:
                tarp.connect(sys.argv[1], arrays="numpy")
            except ImportError:
                print("done")
    """
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(script), url],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.stdout, ran.stderr) == ("done\n", "")


def test_importing_does_not_import_numpy() -> None:
    script = "import sys, tarp, tarp.aio, tarp.client; print('numpy' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert ran.stdout.strip() == b"False"
