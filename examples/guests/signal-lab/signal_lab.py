"""What a lab does with a signal: smooth it, find its peaks, fit a line, draw it.

Every public function with type hints is a procedure. Types come from the hints, documentation from the
docstrings, defaults from the signatures, and an exception is an error that the caller sees.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from tarp_guest import Request, Response, cancelled, log, procedure, progress

Window = Literal["flat", "triangle", "hann"]


class Direction(Enum):
    """Which extremes count as peaks."""

    UP = 1
    DOWN = -1


@dataclass
class Peak:
    """An extreme of a signal."""

    position: int
    height: float
    #: By how much it stands out from the lower one of its neighbours.
    prominence: float


@dataclass
class Line:
    """A fitted line, with what is left of the variance."""

    slope: float
    intercept: float
    residual: float


def smooth(
    values: list[float], width: int = 5, *, window: Window = "flat"
) -> list[float]:
    """The moving average of a signal.

    At the ends, where the window does not fit, it is cut off. `width` is odd.
    """
    if width < 1 or width % 2 == 0:
        raise ValueError(f"width is {width}; it has to be odd, and 1 or more")
    weights = _weights(window, width)
    half = width // 2
    smoothed = []
    for index in range(len(values)):
        start, end = max(0, index - half), min(len(values), index + half + 1)
        part = weights[start - index + half : end - index + half]
        total = sum(weight * value for weight, value in zip(part, values[start:end]))
        smoothed.append(total / sum(part))
    return smoothed


def _weights(window: Window, width: int) -> list[float]:
    """The weights of a window, none of which is zero."""
    if window == "flat":
        return [1.0] * width
    places = [(index + 1) / (width + 1) for index in range(width)]
    if window == "triangle":
        return [1 - abs(2 * place - 1) for place in places]
    return [math.sin(math.pi * place) ** 2 for place in places]


def find_peaks(
    values: list[float],
    least_height: float | None = None,
    direction: Direction = Direction.UP,
) -> list[Peak]:
    """The extremes of a signal, the highest first."""
    sign = direction.value
    peaks = []
    for index in range(1, len(values) - 1):
        left, height, right = (sign * value for value in values[index - 1 : index + 2])
        if left < height >= right and (least_height is None or height >= least_height):
            peaks.append(Peak(index, sign * height, height - min(left, right)))
    return sorted(peaks, key=lambda peak: -sign * peak.height)


def fit_line(points: list[tuple[float, float]]) -> Line:
    """The line of least squares through points."""
    if len(points) < 2:
        raise ValueError(f"a line needs two points, not {len(points)}")
    n = len(points)
    mean_x, mean_y = (sum(column) / n for column in zip(*points))
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread
    intercept = mean_y - slope * mean_x
    residual = sum((y - slope * x - intercept) ** 2 for x, y in points)
    return Line(slope, intercept, residual)


def summarize(runs: dict[str, list[float]]) -> dict[str, float]:
    """The mean of every run, by its name."""
    return {name: sum(values) / len(values) for name, values in runs.items()}


@procedure(suggested_wait=2)
async def simulate(steps: int = 1000, decay: float = 0.1) -> list[float]:
    """A damped oscillation, step by step; its caller gets a handle."""
    values = []
    for step in range(steps):
        if step % 100 == 0:
            progress(step, steps, "simulating")
            if cancelled():
                raise RuntimeError(f"stopped after {step} steps")
        time = step / 50
        values.append(math.exp(-decay * time) * math.cos(2 * math.pi * time))
    log(f"simulated {steps} steps")
    return values


@procedure(methods=["GET"])
def plot(request: Request) -> Response:
    """A drawing of the values in `?values=1,2,3`, as SVG."""
    values = [float(value) for value in (request.parameter("values") or "0").split(",")]
    low, high = min(values), max(values)
    scale = 90 / (high - low or 1)
    points = " ".join(
        f"{10 * i},{95 - scale * (v - low):.1f}" for i, v in enumerate(values)
    )
    return Response(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {10 * len(values)} 100">'
        f'<polyline points="{points}" fill="none" stroke="black"/></svg>',
        media_type="image/svg+xml",
    )
