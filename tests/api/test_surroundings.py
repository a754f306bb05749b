"""Whatever program calls, from whatever place in it, gets what every other gets, and finds itself as it was."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import torch

import vdbench
from tests.api.conftest import SMALL, TINY, python, tiny_run
from vdbench.experiment.home import Home


def test_a_run_says_nothing_where_nobody_looks_and_runs_in_a_thread(
    home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    done: list[int] = []
    thread = threading.Thread(target=lambda: done.append(len(tiny_run(methods="random").results)))
    thread.start()
    thread.join()
    captured = capfd.readouterr()
    assert (done, captured.out, captured.err) == ([2], "", "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_script_keeps_what_is_done_and_goes_on(home: Path, tmp_path: Path, number: int) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import vdbench\n"
        f"done = vdbench.run('random', 'ucf101', 1, range(60), partial=True, suite='quick', set={TINY!r})\n"
        "print('went on')\n"
    )
    process = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while len(list((home / "results").glob("*.json"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert out == "" and "KeyboardInterrupt: the run was asked to end; what is done is kept" in err
    before = {r.id: r.started for r in Home(home).results if r.status == "done"}
    assert 2 <= len(before) < 120
    done = tiny_run(methods="random", seeds=2)
    assert {r.id: r.started for r in done.results if r.id in before}.items() <= before.items()


@pytest.mark.slow
def test_a_script_without_a_guard_runs_its_own_class_on_ray(home: Path, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(tiny=TINY))
    places = os.environ | {"VDBENCH_HOME": str(home)}
    for scheduler in ("ray", "inline"):  # the second finds what the first ran, also the class's own
        ended = subprocess.run(
            [sys.executable, str(script), scheduler],
            check=False, capture_output=True, text=True, timeout=300, env=places,
        )  # fmt: skip
        assert ended.stdout.split() == ["full", "last", "random"], ended.stderr
    assert len(list((home / "results").glob("*.json"))) == 3


SCRIPT = """
import sys
import numpy as np
import vdbench
from vdbench.method import Card, Settings, identity
from vdbench.selector import Selector, SelectorSettings

OFFSET = 1

class LastSettings(SelectorSettings):
    first: int = identity(0, "which one is the first")

def last(count, k):
    return np.arange(count)[::-1][OFFSET : OFFSET + k]

class Last(Selector[LastSettings]):
    name = "last"
    Settings = LastSettings
    card = Card(title="The last clips")

    def select(self, features, k, rng, task):
        return last(len(features), k)

done = vdbench.run([Last], "ucf101", 1, 1, partial=True, suite="quick", scheduler=sys.argv[1], set={tiny!r})
print(*sorted(done.frame().method.unique()))
"""


def test_what_torch_was_set_to_changes_no_result_and_stays_set(home: Path) -> None:
    def outcome(place: Path) -> tuple[object, ...]:
        small = vdbench.distill("random", "ucf101", partial=True, home=place, **SMALL)
        learned = {"dm.iterations": 1, "dm.real": 2}
        dm = vdbench.distill("dm", "ucf101", partial=True, home=place, suite="quick", set=TINY | learned)
        judged = vdbench.evaluate(small, home=place, **SMALL).frame()
        return dm.stored_bytes, dm.tensors["clips"].cpu().tolist(), list(judged.top1), list(judged.train_loss)

    other = Path(shutil.copytree(home, home.with_name("other")))
    wanted, matmul = outcome(home), torch.backends.mkldnn.matmul
    try:
        torch.set_default_dtype(torch.float64)
        torch.set_float32_matmul_precision("medium")
        torch.backends.fp32_precision = "tf32"  # type: ignore[attr-defined]
        torch.backends.mkldnn.enabled = False
        torch.use_deterministic_algorithms(True)
        state = torch.get_rng_state()
        with torch.inference_mode(), torch.device("meta"), torch.autocast("cpu", torch.bfloat16):
            found = outcome(other)
            assert torch.zeros(1).is_meta and torch.is_inference_mode_enabled() and torch.is_autocast_enabled("cpu")
        assert found == wanted and torch.equal(torch.get_rng_state(), state)
        assert torch.get_default_dtype() == torch.float64 and torch.are_deterministic_algorithms_enabled()
        assert not torch.backends.mkldnn.enabled and matmul.fp32_precision == "bf16"
    finally:
        torch.use_deterministic_algorithms(False)
        torch.backends.mkldnn.enabled = True
        torch.backends.fp32_precision = "none"  # type: ignore[attr-defined]
        torch.set_float32_matmul_precision("highest")
        torch.set_default_dtype(torch.float32)


def test_two_threads_at_once_get_what_one_gets(home: Path) -> None:
    small = vdbench.distill("random", "ucf101", partial=True, **SMALL)
    found: list[list[float]] = []
    threads = [
        threading.Thread(target=lambda: found.append(list(vdbench.evaluate(small, **SMALL).frame().train_loss)))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [list(vdbench.evaluate(small, **SMALL).frame().train_loss)] * 3


PLACES = """
import asyncio, multiprocessing, os
from concurrent.futures import ThreadPoolExecutor
import vdbench

def scored(seed):
    small = vdbench.distill("random", "ucf101", ipc=1, seed=seed, partial=True, **{small!r})
    done = vdbench.run("random", "ucf101", 1, [seed], partial=True, **{small!r})
    return list(vdbench.evaluate(small, **{small!r}).frame().train_loss), sorted(r.id for r in done.results)

async def in_a_loop():
    return scored(0)

def answer(told):
    told.put(scored(0))

wanted = scored(0)
assert asyncio.run(in_a_loop()) == wanted
fork = multiprocessing.get_context("fork")
told = fork.Queue()
fork.Process(target=answer, args=(told,)).start()
assert told.get(timeout=200) == wanted
with ThreadPoolExecutor(3) as threads:
    assert list(threads.map(scored, [0, 1, 2]))[0] == wanted
print("alike")
"""


def test_a_running_loop_a_fork_and_a_pool_of_threads_get_what_a_script_gets(home: Path) -> None:
    done = python(PLACES.format(small=SMALL))
    assert done.stdout == "alike\n", done.stderr
