"""Hosts, procedures and jobs in other processes: pickled, in pools, after a fork."""

from __future__ import annotations

import concurrent.futures
import copy
import gc
import multiprocessing
import os
import pickle
import ssl
import subprocess
import sys
import textwrap
import threading
from typing import Any

import pytest

import tarp
import tarp.aio

DEADLINE = 60.0

TOKEN = "secret-4711"

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")


def again(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))


def test_all_can_be_pickled(host: tarp.Host, url: str) -> None:
    assert again(host).add(1, 2) == 3
    assert again(host.add)(1, 2) == 3
    assert again(host.statistics).mean([1, 2, 6]) == 3.0
    assert str(again(host.add).__signature__) == "(x: int, y: int) -> int"
    patient = again(host.add.options(timeout=7, arrays="list", priority=0))
    assert patient._options == host.add.options(timeout=7, arrays="list", priority=0)._options
    job = host.add.submit(1, 2)
    other = again(job)
    assert other.id == job.id
    assert other.result(DEADLINE) == 3
    assert again(other).result(DEADLINE) == 3
    assert again(host.procedures["add"]).name == "add"
    assert again(job.status()) == job.status()
    assert again(tarp.aio.connect(url)).url == url


def test_pickles_of_one_host_share_it(host: tarp.Host) -> None:
    first, second = again(host.add), again(host.statistics.mean)
    assert first._host is second._host
    assert first._host is not host
    first._host.close()
    assert again(host.add)(1, 2) == 3, "one that was closed is not used again"


def test_copies_are_the_same(host: tarp.Host) -> None:
    assert copy.copy(host) is host
    assert copy.deepcopy([host.add])[0](1, 2) == 3


def test_a_token_is_never_in_a_pickle(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = [(url, TOKEN), (url.replace("//", f"//user:{TOKEN}@"), None)]
    for address, token in addresses:
        with tarp.connect(address, token=token) as host:
            for value in (host, host.add, host.add.submit(1, 2)):
                pickled = pickle.dumps(value)
                assert TOKEN.encode() not in pickled
                known = pickle.loads(pickled)
                owner = getattr(known, "_host", known)
                assert owner._address.authorization == host._address.authorization, "it is known"
        del host, known, owner, value
        gc.collect()
    program = """
        import pickle, sys
        procedure = pickle.loads(bytes.fromhex(sys.argv[1]))
        print(procedure._host._address.authorization)
        print(procedure(1, 2))
    """
    with tarp.connect(url, token=TOKEN) as host:
        given = pickle.dumps(host.add).hex()
    code = [sys.executable, "-c", textwrap.dedent(program), given]
    run = subprocess.run(code, capture_output=True, text=True, check=False)
    assert "InvalidOption: the token for" in run.stderr
    assert "set TARP_TOKEN" in run.stderr
    run = subprocess.run(
        code, capture_output=True, text=True, check=True, env={**os.environ, "TARP_TOKEN": "new"}
    )
    assert run.stdout.split("\n")[:2] == ["Bearer new", "3"]
    monkeypatch.setenv("TARP_TOKEN", TOKEN)
    with tarp.connect(url) as host:
        pickled = pickle.dumps(host.add)
        assert TOKEN.encode() not in pickled
        monkeypatch.setenv("TARP_TOKEN", "another")
        assert pickle.loads(pickled)._host._address.authorization == "Bearer another"


def test_what_cannot_be_pickled_says_so(url: str) -> None:
    context = ssl.create_default_context()
    address = tarp._address.parse_address("https://localhost", verify=context)
    with pytest.raises(tarp.InvalidOption, match="verify=PATH"):
        tarp._portable.portable(address, tarp._protocol.Options(), ())
    assert url


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_pool_of_processes(host: tarp.Host, method: str) -> None:
    assert host.add(1, 2) == 3
    context = multiprocessing.get_context(method)
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
        assert list(pool.map(host.add, range(20), range(20))) == [2 * n for n in range(20)]
        job = host.count_to.submit(5, 10)
        assert pool.submit(job.result, DEADLINE).result(DEADLINE) == 5
    with context.Pool(2) as workers:
        assert workers.starmap(host.add, [(n, 1) for n in range(20)]) == list(range(1, 21))
    assert host.add(1, 2) == 3


def test_joblib(host: tarp.Host) -> None:
    joblib = pytest.importorskip("joblib")
    for backend in ("loky", "threading"):
        with joblib.parallel_backend(backend, n_jobs=2):
            calls = (joblib.delayed(host.add)(n, n) for n in range(10))
            assert joblib.Parallel()(calls) == [2 * n for n in range(10)]


@pytest.mark.parametrize("scheduler", ["threads", "processes"])
def test_dask(host: tarp.Host, scheduler: str) -> None:
    dask = pytest.importorskip("dask")
    calls = [dask.delayed(host.add)(n, 1) for n in range(6)]
    assert dask.compute(*calls, scheduler=scheduler, num_workers=2) == tuple(range(1, 7))


def ends_well(child: int) -> bool:
    """Whether a child ended by itself, and in time."""
    over = threading.Timer(DEADLINE, os.kill, (child, 9))
    over.start()
    _, status = os.waitpid(child, 0)
    over.cancel()
    return status == 0


@needs_fork
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_forks_in_the_middle_of_everything(url: str) -> None:
    with tarp.connect(url) as host:
        stop = threading.Event()

        def work() -> None:
            while not stop.is_set():
                assert host.add(1, 2) == 3
                host._is_stale = True
                host.add.submit(1, 2).result(DEADLINE)

        threads = [threading.Thread(target=work) for _ in range(3)]
        jobs = [host.count_to.submit(3, 20) for _ in range(5)]
        for thread in threads:
            thread.start()
        children = []
        for _ in range(60):
            child = os.fork()
            if child == 0:
                right = False
                try:
                    right = (
                        host.add(2, 2) == 4
                        and host.add.submit(3, 4).result(DEADLINE) == 7
                        and host.statistics.mean([1.0, 3.0]) == 2.0
                        and jobs[0].result(DEADLINE) == 3
                        and not concurrent.futures.wait(jobs, DEADLINE).not_done
                    )
                finally:
                    os._exit(0 if right else 1)
            children.append(child)
            if len(children) == 4:
                assert all(map(ends_well, children))
                children.clear()
        stop.set()
        for thread in threads:
            thread.join()
        assert [job.result(DEADLINE) for job in jobs] == [3] * 5


@needs_fork
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_fork_leaves_callbacks_to_its_parent(host: tarp.Host) -> None:
    read, write = os.pipe()
    job = host.count_to.submit(3, 50)
    job.add_done_callback(lambda _: os.write(write, b"x"))
    child = os.fork()
    if child == 0:
        done = not concurrent.futures.wait([job], DEADLINE).not_done
        os._exit(0 if done else 1)
    assert ends_well(child)
    concurrent.futures.wait([job], DEADLINE)
    host.add(1, 2)
    assert os.read(read, 9) == b"x"
    os.close(read)
    os.close(write)
