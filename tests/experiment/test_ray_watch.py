"""A node that is not there, or goes away, played without Ray."""

import signal
import socket
import threading
import time

import pytest

from vdbench.errors import UsageError
from vdbench.experiment.ray_watch import (
    SIGNAL,
    NodeLostError,
    RayMissingError,
    check_address,
    ended_with_its_node,
    starting,
)


def dead() -> bool:
    raise ConnectionError("nobody answers")


@pytest.mark.parametrize("alive", [dead, lambda: False])
def test_waiting_for_a_node_that_is_gone_ends(alive) -> None:
    before = signal.getsignal(SIGNAL)
    with pytest.raises(NodeLostError, match="what is done is kept"), ended_with_its_node(alive, every=0.01):
        time.sleep(60)
    assert signal.getsignal(SIGNAL) == before


def test_work_that_takes_the_interruption_for_its_end_is_no_end_of_the_run() -> None:
    with pytest.raises(NodeLostError), ended_with_its_node(lambda: False, every=0.01):
        try:
            time.sleep(60)
        except NodeLostError:
            pass


def test_a_node_that_is_there_disturbs_nothing() -> None:
    asked = []
    with ended_with_its_node(lambda: not asked.append(1), every=0.01):
        time.sleep(0.1)
    assert asked
    looked = len(asked)
    time.sleep(0.05)
    assert len(asked) <= looked + 1, "it goes on looking"


def test_an_answer_that_comes_late_once_ends_nothing() -> None:
    answers = iter([True, False, False, True, False, False, True])
    with ended_with_its_node(lambda: next(answers, True), every=0.01):
        time.sleep(0.3)
    assert next(answers, None) is None, "it looked more often than there were late answers"


def test_in_another_thread_the_block_is_left_alone() -> None:
    done = []

    def work() -> None:
        with ended_with_its_node(lambda: False, every=0.01):
            time.sleep(0.1)
            done.append(1)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done


def test_an_address_where_nothing_listens_is_a_sentence_at_once() -> None:
    """Ray 2.60 waits for more than three minutes there."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(RayMissingError, match=f"no Ray cluster answers at {address} .*leave --ray-address out"):
            check_address(address)
        server.listen()
        check_address(address)


@pytest.mark.parametrize("address", ["local", "auto", "ray://head:10001"])
def test_other_addresses_are_left_to_ray(address: str) -> None:
    check_address(address)


def test_whatever_ray_raises_at_its_start_is_a_sentence() -> None:
    with pytest.raises(
        RayMissingError, match="started here: The current node timed out; --scheduler inline does without"
    ):
        with starting("local"):
            raise Exception("The current node\n timed out")
    with pytest.raises(UsageError), starting("local"):
        raise UsageError("ours")
