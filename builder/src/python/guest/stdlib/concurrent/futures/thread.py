"""In place of the thread pool: one that runs at once what is submitted."""

from __future__ import annotations

from concurrent.futures import _base
from concurrent.futures._serial import SerialExecutor


class BrokenThreadPool(_base.BrokenExecutor):
    pass


class ThreadPoolExecutor(SerialExecutor):
    pass
