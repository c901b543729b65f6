"""@name@: every public function with type hints is a procedure."""

from __future__ import annotations

import random

from tarp_guest import cancelled, procedure, progress


def mean(values: list[float]) -> float:
    """The arithmetic mean; an error for an empty list."""
    if not values:
        raise ValueError("values is empty")
    return sum(values) / len(values)


def histogram(values: list[float], bins: int = 10) -> list[int]:
    """How many values are in each of so many equal parts of their range."""
    if bins < 1 or not values:
        raise ValueError("there has to be a bin, and a value")
    low, high = min(values), max(values)
    width = (high - low) / bins or 1.0
    counts = [0] * bins
    for value in values:
        counts[min(int((value - low) / width), bins - 1)] += 1
    return counts


@procedure(mode="async")
def estimate_pi(samples: int = 1_000_000) -> float:
    """Pi, from random points in a square. Takes long, so that callers get a handle."""
    inside = 0
    for done in range(samples):
        if done % 10_000 == 0:
            progress(done, samples, "throwing points")
            if cancelled():
                raise RuntimeError(f"stopped after {done} points")
        inside += random.random() ** 2 + random.random() ** 2 < 1
    return 4 * inside / samples
