from __future__ import annotations

import multiprocessing
import random
import secrets
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.pool import ThreadPool

#: One that takes its seed from the system, and two that do not.
SURPRISING = random.Random()
REPEATABLE = random.Random(7)
GIVEN = random.Random()
GIVEN.seed("notes")


def chances() -> tuple[float, float, float, str, str]:
    return (
        SURPRISING.random(),
        REPEATABLE.random(),
        GIVEN.random(),
        str(uuid.uuid4()),
        secrets.token_hex(8),
    )


def square(number: int) -> int:
    return number * number


def pooled(values: list[int]) -> list[list[int]]:
    with ThreadPoolExecutor(max_workers=4) as executor:
        by_executor = list(executor.map(square, values))
    with multiprocessing.Pool(4) as pool:
        by_processes = pool.map(square, values)
    with ThreadPool(4) as pool:
        by_threads = pool.starmap(pow, [(value, 2) for value in values])
    return [by_executor, by_processes, by_threads]


def starts_a_thread() -> None:
    threading.Thread(target=print).start()
