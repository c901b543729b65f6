"""numpy's arrays, in and out: every type of number, every layout in memory, every protocol."""

from __future__ import annotations

import array
import math
import pickle

import numpy as np
import pytest

from equality import is_same
from host import Host

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
NAN = float("nan")

ARRAYS = {
    "echo_list_f64": np.array([0.1, -0.0, NAN, math.inf]),
    "echo_list_f32": np.array([0.1, 2.5], np.float32),
    "echo_list_s8": np.array([-128, 127], np.int8),
    "echo_list_s16": np.array([-(2**15), 7], np.int16),
    "echo_list_s32": np.array([-(2**31), 7], np.int32),
    "echo_list_s64": np.array([-(2**63), 2**63 - 1], np.int64),
    "echo_list_u16": np.array([0, 2**16 - 1], np.uint16),
    "echo_list_u32": np.array([0, 2**32 - 1], np.uint32),
    "echo_list_u64": np.array([0, 2**64 - 1], np.uint64),
    "echo_matrix": np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]),
    "echo_matrix_s32": np.array([[1, 2], [3, 4]], np.int32),
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("procedure", ARRAYS)
def test_an_array_comes_back_as_an_array(host: Host, procedure: str, protocol: int) -> None:
    sent = ARRAYS[procedure]
    back = host.rpc(procedure, sent, protocol=protocol)
    assert is_same(back, sent)
    assert back.flags.writeable


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_more_dimensions_keep_their_order(host: Host, protocol: int) -> None:
    sent = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    for cube in (sent, np.asfortranarray(sent), sent.tolist()):
        back = host.rpc("echo_cube", cube, protocol=protocol)
        assert np.array_equal(np.array(back), sent)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "sent",
    [
        np.array([3.0, 1.0, 2.0]).astype(">f8"),
        np.array([3, 1, 2], np.int8),
        np.array([3, 1, 2], ">i4"),
        np.array([3, 1, 2], np.uint64),
        np.array([3, 1, 2], np.float32),
        np.array([3, 0, 1, 0, 2])[::2],
        np.array([[3.0, 1.0], [1.0, 2.0], [2.0, 3.0]])[:, 0],
    ],
    ids=lambda sent: f"{sent.dtype.str}, strides {sent.strides}",
)
def test_arrays_of_other_numbers_and_layouts_are_taken(
    host: Host, sent: np.ndarray, protocol: int
) -> None:
    back = host.rpc("echo_list_f64", sent, protocol=protocol)
    assert is_same(back, np.array([3.0, 1.0, 2.0]))


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("layout", ["C", "F", "strided", "transposed"])
def test_a_matrix_of_any_layout_keeps_its_rows(host: Host, layout: str, protocol: int) -> None:
    expected = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    sent = {
        "C": expected,
        "F": np.asfortranarray(expected),
        "strided": np.repeat(expected, 2, axis=1)[:, ::2],
        "transposed": np.ascontiguousarray(expected.T).T,
    }[layout]
    assert is_same(host.rpc("echo_matrix", sent, protocol=protocol), expected)
    assert is_same(host.rpc("transpose", sent, protocol=protocol), np.ascontiguousarray(expected.T))


def test_lists_of_arrays_of_different_lengths_stay_lists(host: Host) -> None:
    back = host.rpc("echo_matrix", [np.array([1.0]), np.array([2.0, 3.0])])
    assert isinstance(back, list)
    assert [list(row) for row in back] == [[1.0], [2.0, 3.0]]


def test_who_uses_no_numpy_gets_none(host: Host) -> None:
    for value in ([1.0], (1.0,), range(2), array.array("d", [1.0])):
        assert type(host.rpc("echo_list_f64", value)) is list
    assert is_same(host.rpc("echo_matrix", [[1.0], [2.0]]), [[1.0], [2.0]])


def test_a_numpy_scalar_is_a_use_of_numpy(host: Host) -> None:
    back = host.rpc("linspace", 0, np.float32(1), 3)
    assert is_same(back, np.array([0.0, 0.5, 1.0]))


def test_a_million_numbers(host: Host) -> None:
    numbers = np.random.default_rng(7).random(1_000_000)
    assert is_same(host.rpc("echo_list_f64", numbers), numbers)
    assert is_same(host.rpc("echo_list_f64", numbers.tolist()), numbers.tolist())
