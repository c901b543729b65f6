"""The original client's asynchronous code path: handles, and what becomes of them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import requests

from host import Host, MakeHost, eventually, rpc_body
from original_client import Client, OperationInProgress

SIDECARS = {
    "jobs": "".join(
        f"[procedures.{name}]\nmode = 'async'\n"
        for name in ("count_to", "fail_after", "until_asked_to_stop")
    ),
    "math": "[procedures.scale]\nmode = 'async'\nsuggested_wait = 3\n",
    "misbehave": "".join(
        f"[procedures.{name}]\nmode = 'async'\n" for name in ("panic", "fail_as_busy", "spin")
    ),
}


@pytest.fixture(scope="module")
def host(make_module_host: MakeHost) -> Host:
    return make_module_host(*SIDECARS, "asynchronous", "text", sidecars=SIDECARS)


@pytest.fixture
def client(host: Host) -> Client:
    return Client(host.address)


def test_procedures_are_asynchronous_by_their_own_wish_or_their_operators(client: Client) -> None:
    listed = {entry["name"]: entry["description"] for entry in client.listing["ASYNCRPC"]}
    by_own_wish = {"count_aside", "step_aside", "patient_mean"}
    by_operator = {"count_to", "fail_after", "until_asked_to_stop", "scale"}
    assert listed.keys() == by_own_wish | by_operator | {"panic", "fail_as_busy", "spin"}
    assert "Lets others run" in listed["step_aside"]
    assert listed.keys().isdisjoint(entry["name"] for entry in client.listing["RPC"])


def test_a_handle_is_a_uuid_and_a_time_to_wait(client: Client, host: Host) -> None:
    handle = client.scale([1.0], 2.0)
    assert host.job(handle.ID)["procedure"] == "scale"
    assert handle.probe()["suggested_wait"] == 3
    assert client.step_aside(1).probe()["suggested_wait"] >= 1


def test_a_handle_is_given_in_an_envelope_of_exactly_application_json(host: Host) -> None:
    reply = requests.post(f"{host.address}/scale", json=rpc_body([1.0], 2.0))
    assert reply.status_code == 200
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.json()["mimetype"] == "application/json"


def test_wait_gives_the_result(client: Client) -> None:
    assert client.step_aside(5).wait() == 5
    assert client.count_to(3, pause_ms=1).wait() == 3
    assert client.patient_mean([1, 2, 6]).wait() == 3.0


def test_wait_returns_when_the_job_ends_and_not_at_the_next_question(
    client: Client, host: Host
) -> None:
    """The original client asks every five seconds; so the host keeps its question until then."""
    handle = client.until_asked_to_stop()
    host.running(handle.ID)
    questions = threading.Semaphore(0)
    asked = client.ask_once

    def counted(ID: str) -> object:
        questions.release()
        return asked(ID)

    client.ask_once = counted
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(handle.wait)
        assert questions.acquire(timeout=30)
        host.cancel(handle.ID)
        assert "cancelled" in str(waiting.exception(30))
    assert not questions.acquire(blocking=False), "one question was enough"


@pytest.mark.timeout(90)
def test_a_question_is_answered_before_the_client_gives_up(client: Client, host: Host) -> None:
    """After some twenty seconds, and so that it asks again at once."""
    handle = client.until_asked_to_stop()
    with pytest.raises(OperationInProgress) as caught:
        client.ask_once(handle.ID)
    assert caught.value.retry_after == 0
    host.cancel(handle.ID)


def test_status_and_probe_tell_of_success(client: Client, host: Host) -> None:
    handle = client.until_asked_to_stop()
    host.running(handle.ID)
    assert handle.status() == "in_progress"
    assert handle.probe()["state"] == "running"
    host.cancel(handle.ID)
    handle = client.step_aside(5)
    eventually(lambda: handle.status() == "completed")
    probe = handle.probe()
    assert (probe["state"], probe.get("error")) == ("succeeded", None)
    assert handle.wait() == 5


def test_a_probe_tells_of_progress(client: Client, host: Host) -> None:
    handle = client.count_to(1_000_000, 5)
    progress = eventually(lambda: handle.probe()["progress"])
    assert progress["total"] == 1_000_000
    host.cancel(handle.ID)


def test_status_and_probe_tell_of_failure(client: Client) -> None:
    handle = client.fail_after(2, "no light")
    eventually(lambda: handle.status() == "failed")
    probe = handle.probe()
    assert (probe["state"], probe["error"]) == ("failed", "no light")
    assert probe["suggested_wait"] >= 1


def test_wait_cycle_gives_none_until_there_is_the_result(client: Client) -> None:
    handle = client.count_to(30, 50)
    assert handle.waitCycle() is None
    assert eventually(handle.waitCycle) == 30
    assert handle.waitCycle() == 30, "a result can be read again"


def test_wait_cycle_raises_what_went_wrong(client: Client) -> None:
    handle = client.fail_after(0, "no light")
    eventually(lambda: handle.status() == "failed")
    with pytest.raises(Exception, match=r"^Async operation failed with error: no light$"):
        handle.waitCycle()


def test_wait_raises_what_went_wrong(client: Client) -> None:
    with pytest.raises(Exception, match=r"^no light$"):
        client.fail_after(0, "no light").wait()
    with pytest.raises(Exception, match="it broke"):
        client.panic("it broke").wait()
    with pytest.raises(Exception, match="the mean needs 1 or more"):
        client.patient_mean([]).wait()


def test_a_cancelled_job_has_failed(client: Client, host: Host) -> None:
    handle = client.spin()
    host.running(handle.ID)
    host.cancel(handle.ID)
    with pytest.raises(Exception, match="cancelled"):
        handle.wait()
    probe = handle.probe()
    assert (probe["status"], probe["state"]) == ("failed", "cancelled")
    assert "cancelled" in probe["error"]


def test_a_job_that_failed_as_busy_has_failed(client: Client) -> None:
    """The client must not take the procedure's own words for the host's and wait for ever."""
    handle = client.fail_as_busy("in use", 1)
    eventually(lambda: handle.status() == "failed")
    assert handle.probe()["error"] == "in use"
    with pytest.raises(Exception, match=r": in use$"):
        handle.waitCycle()
    reply = requests.get(f"{client.server_url}/asyncGet?UUID={handle.ID}")
    assert reply.json()["type"] != "OperationInProgress", "else wait() never ends"


def test_wrong_arguments_are_refused_at_once(client: Client) -> None:
    with pytest.raises(Exception, match="`turns`"):
        client.step_aside("many")


def test_numpy_comes_in_and_goes_out(client: Client) -> None:
    values = np.linspace(0, 1, 1000)
    result = client.scale(values, 2.0).wait()
    assert isinstance(result, np.ndarray)
    assert result.tobytes() == (values * 2).tobytes()
    result[0] = 7.0  # It is writable.
    assert type(client.scale([1.0], 2.0).wait()) is list
    assert client.patient_mean(np.array([1.0, 2.0, 6.0])).wait() == 3.0


def test_handles_work_after_a_restart_of_the_host(make_host: MakeHost) -> None:
    host = make_host("math", "asynchronous", sidecars={"math": SIDECARS["math"]})
    client = Client(host.address)
    ended = client.scale(np.array([1.0, 2.0]), 2.0)
    assert ended.wait().tolist() == [2.0, 4.0]
    host.kill()
    host.restart()
    assert ended.status() == "completed"
    assert ended.wait().tolist() == [2.0, 4.0]


def test_an_unknown_handle_is_not_found(client: Client) -> None:
    handle = client.step_aside(1)
    handle.ID = "00000000-0000-4000-8000-000000000000"
    for ask in (handle.probe, handle.wait, handle.waitCycle):
        with pytest.raises(Exception, match=r"^API endpoint not found\.$"):
            ask()


def test_a_question_without_a_handle_is_refused_in_the_words_of_the_original(host: Host) -> None:
    for path in ("asyncGet", "asyncProbe"):
        reply = requests.get(f"{host.address}/{path}")
        assert (reply.status_code, reply.json()["message"]) == (400, "UUID parameter is required")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("UUID=a&UUID=b", 'the parameter "UUID" came twice'),
        ("UUID=a&uuid=a", 'there is no parameter "uuid"; there is UUID'),
    ],
)
def test_a_question_about_two_handles_is_refused(host: Host, query: str, message: str) -> None:
    for path in ("asyncGet", "asyncProbe"):
        reply = requests.get(f"{host.address}/{path}?{query}")
        assert (reply.status_code, reply.json()["message"]) == (400, message)
