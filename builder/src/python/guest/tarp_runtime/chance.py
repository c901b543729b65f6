"""Random numbers that differ from call to call, though every call begins with the same snapshot.

While the component is built, generators are remembered: those that took their seed from the system
get a new one when a call begins, and those that the author has seeded go on as they would in any
new process.
"""

from __future__ import annotations

import random
import weakref
from typing import Any

_unseeded: weakref.WeakSet[random.Random] = weakref.WeakSet()
_seed = random.Random.seed
_setstate = random.Random.setstate
#: The state of the module's own generator, where the author has seeded it.
_state: Any = None


def _remember(generator: random.Random, a: Any = None, version: int = 2) -> None:
    _seed(generator, a, version)
    if a is None:
        _unseeded.add(generator)
    else:
        _unseeded.discard(generator)


def _remember_state(generator: random.Random, state: Any) -> None:
    _setstate(generator, state)
    _unseeded.discard(generator)


def watch() -> None:
    """Before the author's module is imported."""
    random.Random.seed = _remember
    random.Random.setstate = _remember_state
    module_own = random._inst
    module_own.seed()
    # These were bound before.
    random.seed, random.setstate = module_own.seed, module_own.setstate


def keep() -> None:
    """When everything is imported."""
    global _state
    random.Random.seed, random.Random.setstate = _seed, _setstate
    random.seed, random.setstate = random._inst.seed, random._inst.setstate
    if random._inst not in _unseeded:
        _state = random.getstate()


def renew() -> None:
    """When a call begins, of which a component sees one; the runtime has seeded the module's own
    generator by then."""
    global _state
    if _state is not None:
        random.setstate(_state)
        _state = None
    while _unseeded:
        _unseeded.pop().seed()
