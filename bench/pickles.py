"""Makes the requests of a million numbers, and checks replies to them.

pickles.py make FOLDER           writes list.json and, where there is numpy, numpy.json and
                                 numpy.pickle into FOLDER
pickles.py check FOLDER NAME     ends with 0 if FOLDER/reply is what `scale` must return to NAME
"""

import base64
import json
import pathlib
import pickle
import sys

COUNT = 1_000_000
FACTOR = 1.5

values = [i / 8 for i in range(COUNT)]


def rpc(array):
    """A body of the original protocol's RPC."""
    parts = {"args": (array, FACTOR), "kwargs": {}}
    encoded = {k: base64.b64encode(pickle.dumps(v)).decode() for k, v in parts.items()}
    return json.dumps(encoded).encode()


def make(folder):
    folder = pathlib.Path(folder)
    (folder / "list.json").write_bytes(rpc(values))
    try:
        import numpy
    except ImportError:
        return
    array = numpy.array(values)
    (folder / "numpy.json").write_bytes(rpc(array))
    (folder / "numpy.pickle").write_bytes(
        pickle.dumps(((array, FACTOR), {}), protocol=5)
    )


def check(folder, name):
    reply = (pathlib.Path(folder) / "reply").read_bytes()
    if name.endswith(".json"):
        reply = base64.b64decode(json.loads(reply)["result"]["payload"])
    assert list(pickle.loads(reply)) == [value * FACTOR for value in values], (
        "a wrong reply"
    )


{"make": make, "check": check}[sys.argv[1]](*sys.argv[2:])
